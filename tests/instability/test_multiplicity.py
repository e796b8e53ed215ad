"""Everything about multiplicity from one call."""

import numpy as np
import pytest
import scipy.stats
import torch

from reseed._errors import InputError
from reseed.instability import (
    ambiguity,
    ambiguous_samples,
    discrepancy,
    jitter,
    label_stability,
    multiplicity,
    predicted_labels,
    rashomon_capacity,
    rashomon_set,
    viable_prediction_range,
)


@pytest.fixture
def probabilities():
    """Random distributions over 3 classes of 6 runs."""
    return np.random.default_rng(0).dirichlet(np.ones(3), (6, 40))


LOSSES = np.array([0.5, 0.25, 0.375, 0.75, 0.3125, 1.0])


def test_it_is_its_parts(probabilities):
    """Columns and summary are what the single functions give."""
    labels = predicted_labels(probabilities)
    gold = np.random.default_rng(1).integers(0, 3, 40)
    found = multiplicity(labels, probabilities, losses=LOSSES, targets=gold, epsilons=[0.125, 0.25])
    summary = found.summary
    assert (summary["runs"], summary["samples"], summary["base"]) == (6, 40, 1)
    np.testing.assert_array_equal(found.samples["ambiguous"], ambiguous_samples(labels, base=1))
    np.testing.assert_allclose(found.samples["conflict_share"], (labels != labels[1]).sum(axis=0) / 5)
    np.testing.assert_array_equal(found.samples["capacity"], rashomon_capacity(probabilities))
    assert summary["ambiguity"] == ambiguity(labels, base=1)
    assert summary["discrepancy"] == discrepancy(labels, base=1)
    for name in ("label_stability", "capacity"):
        values = found.samples[name]
        low, high = scipy.stats.norm.interval(0.95, values.mean(), values.std() / np.sqrt(40))
        assert summary[f"{name}_ci95_samples"] == pytest.approx([max(0.0, low), high])
    assert summary["jitter"] == pytest.approx(jitter(labels).mean())
    assert summary["label_stability"] == pytest.approx(label_stability(labels).mean())
    assert summary["capacity"] == pytest.approx(rashomon_capacity(probabilities).mean())
    assert summary["error_of_any_run"] == ambiguity(labels, reference="gold", targets=gold)
    assert summary["largest_error"] == discrepancy(labels, reference="gold", targets=gold)
    for epsilon in (0.125, 0.25):
        keep = rashomon_set(LOSSES, epsilon=epsilon)
        assert summary[f"survivors@{epsilon}"] == keep.sum()
        assert summary[f"ambiguity@{epsilon}"] == ambiguity(labels, base=1, keep=keep)
        assert summary[f"discrepancy@{epsilon}"] == discrepancy(labels, base=1, keep=keep)
        width = viable_prediction_range(probabilities, keep=keep).width.max(axis=1).mean()
        assert summary[f"viable_range@{epsilon}"] == pytest.approx(width)
    assert {column.shape for column in found.samples.values()} == {(40,)}


def test_conflict_epsilon_is_where_a_sample_becomes_ambiguous(probabilities):
    """At every epsilon, the ambiguous samples are those whose conflict epsilon it reaches."""
    labels = predicted_labels(probabilities)
    labels[:, 0] = 0
    threshold = multiplicity(labels, losses=LOSSES, epsilons=[1]).samples["conflict_epsilon"]
    assert threshold[0] == np.inf
    for epsilon in (0.0625, 0.125, 0.25, 0.5, 0.75):
        keep = rashomon_set(LOSSES, epsilon=epsilon)
        np.testing.assert_array_equal(threshold <= epsilon, ambiguous_samples(labels, base=1, keep=keep))


def test_errors_are_the_losses_where_none_are_given():
    """With true labels alone the base is the run with the fewest errors, of strings as of integers."""
    labels = np.array([["a", "b", "b", "b"], ["a", "b", "a", "b"], ["a", "b", "c", "a"]])
    found = multiplicity(labels, targets=["a", "b", "a", "b"], epsilons=[0.25, 0.5])
    assert found.summary["base"] == 1
    assert found.sweep.survivors.tolist() == [2, 3]
    assert found.samples["conflict_epsilon"].tolist() == [np.inf, np.inf, 0.25, 0.5]


def test_labels_alone():
    """Without losses there is no sweep, and the base is run 0 or the one asked for; tensors give tensors."""
    labels = torch.tensor([[0, 1], [0, 2], [0, 2]])
    found = multiplicity(labels)
    assert found.sweep is None
    assert found.summary["base"] == 0
    assert sorted(found.samples) == ["ambiguous", "conflict_share", "label_stability"]
    assert found.samples["conflict_share"].tolist() == [0, 1]
    assert multiplicity(labels, base=2).samples["conflict_share"].tolist() == [0, 0.5]


def test_a_lone_survivor_is_warned_of():
    """Where one run survives, the sweep is NaN and says so."""
    with pytest.warns(RuntimeWarning, match="fewer than two of 2 runs survive at epsilon"):
        found = multiplicity([[0], [1]], losses=[0, 1], epsilons=[0.5])
    assert found.summary["survivors@0.5"] == 1
    assert np.isnan(found.summary["ambiguity@0.5"])
    assert found.summary["ambiguity"] == 1


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"labels": [[0]]}, "labels has 1 runs along axis 0, fewer than the 2 needed"),
        ({"labels": np.zeros((2, 0), int)}, r"labels must be \[run, sample\] with a sample at least, got \[2, 0\]"),
        ({"probabilities": [[[1.0]]]}, r"probabilities is float64\[1, 1, 1\] but labels are \[2, 1\]; pass the same"),
        ({"losses": [1]}, "losses holds 1 numbers but labels holds 2 runs; pass one for each"),
        ({"base": 2}, r"base=2 is not one of the 2 runs; pass an index in 0..1"),
        ({"targets": [0, 1]}, r"labels of one run is int64\[1\] but targets is int64\[2\]"),
    ],
)
def test_bad_arguments_are_named(options, text):
    """Messages name the argument, show the value and say what to pass."""
    with pytest.raises(InputError, match=text):
        multiplicity(**{"labels": [[0], [1]], **options})


def test_intervals_of_shares_end_at_one():
    """A share that is nearly one has an interval that says nothing above it."""
    labels = np.zeros((3, 50), int)
    labels[0, 0] = 1
    low, high = multiplicity(labels).summary["label_stability_ci95_samples"]
    assert low < high == 1
