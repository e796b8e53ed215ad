"""Stratified splits and limits."""

import numpy as np
import pytest

from reseed._errors import DataError
from reseed.data import DataConfig, load
from reseed.data._subsets import stratified_limit, stratified_split

LABELS = np.repeat([0, 1, 2], [50, 30, 20])
CLASSES = ("a", "b", "c")


def test_split_keeps_proportions_and_loses_nothing():
    """Both parts have the classes in proportion, in the original order, and together are everything."""
    train, evaluation = stratified_split("toy", LABELS, CLASSES, 0.2, seed=0)
    assert np.bincount(LABELS[evaluation]).tolist() == [10, 6, 4]
    assert sorted([*train, *evaluation]) == list(range(100))
    assert (np.diff(train) > 0).all()
    assert (np.diff(evaluation) > 0).all()


def test_split_depends_on_its_own_seed_only():
    """The same seed gives the same split whatever the global random state, and another seed another one."""
    first = stratified_split("toy", LABELS, CLASSES, 0.2, seed=0)
    state = np.random.get_state()  # noqa: NPY002
    again = stratified_split("toy", LABELS, CLASSES, 0.2, seed=0)
    other = stratified_split("toy", LABELS, CLASSES, 0.2, seed=1)
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[1], other[1])
    assert np.array_equal(state[1], np.random.get_state()[1])  # noqa: NPY002


def test_split_names_the_class_with_a_single_sample():
    """One sample cannot be both trained and evaluated on."""
    with pytest.raises(DataError, match=r"a class with a single sample cannot be in both .*: 'b';"):
        stratified_split("toy", np.array([0, 0, 0, 1]), ("a", "b"), 0.5, seed=0)


@pytest.mark.parametrize(("fraction", "part"), [(0.01, "1 for evaluation"), (0.99, "1 for training")])
def test_split_refuses_parts_smaller_than_the_classes(fraction, part):
    """A part that cannot hold every class is refused before scikit-learn fails."""
    with pytest.raises(DataError, match=f"of 100 samples leaves {part}, fewer than the 3 classes"):
        stratified_split("toy", LABELS, CLASSES, fraction, seed=0)


@pytest.mark.parametrize("limit", [3, 10, 57, 99])
def test_limit_keeps_proportions_and_every_class(limit):
    """Exactly `limit` samples remain, no class is lost, and shares are off by less than a few samples."""
    labels = np.concatenate([LABELS, [3]])
    if limit < 4:
        labels = LABELS
    kept = stratified_limit("toy", labels, limit, seed=0)
    counts = np.bincount(labels[kept])
    assert len(set(kept)) == limit
    assert counts.min() >= 1
    assert (np.abs(counts - np.bincount(labels) * limit / len(labels)) < 2.5).all()


def test_limit_refuses_fewer_samples_than_classes():
    """Every class needs a training sample."""
    with pytest.raises(DataError, match="limit=2 is fewer than the 3 classes"):
        stratified_limit("toy", LABELS, 2, seed=0)


def test_limit_leaves_evaluation_and_ids_alone():
    """A limited training set is a part of the full one, with the same ids, and evaluation is the same."""
    full, limited = load(DataConfig()), load(DataConfig(limit=200))
    assert len(limited.train) == 200
    assert limited.evaluation.digest == full.evaluation.digest
    inputs = dict(zip(full.train.sample_ids, full.train.inputs, strict=True))
    assert all(inputs[name].equal(x) for name, x in zip(limited.train.sample_ids, limited.train.inputs, strict=True))
    assert load(DataConfig(limit=10**6)).train.digest == full.train.digest
