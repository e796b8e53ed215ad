"""When samples are fitted, and where accuracy falls and comes back."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from reseed import InputError
from reseed.instability import first_learned
from reseed.memorization import double_descent, fit_order, fit_order_auroc, learning_curves


def made(runs=3, checkpoints=8, samples=60, seed=0):
    """Trajectories in which the first third of the samples are learned late, some of them never."""
    generator = np.random.default_rng(seed)
    mask = np.arange(samples) < samples // 3
    chance = np.linspace(0.2, 0.95, checkpoints)[:, None] - 0.5 * mask
    return generator.random((runs, checkpoints, samples)) < chance, mask


def test_order_by_hand():
    """For good from the start, after a relapse, at the end, never."""
    correct = np.array([[1, 1, 0, 0], [1, 0, 0, 1], [1, 1, 1, 0]])
    with pytest.warns(RuntimeWarning, match="1 of 4 samples are not right at the end; their order is NaN"):
        found = fit_order(correct)
    np.testing.assert_array_equal(found, [0, 2, 2, np.nan])
    with pytest.warns(RuntimeWarning):
        assert isinstance(fit_order(torch.from_numpy(correct)), torch.Tensor)


@pytest.mark.filterwarnings("ignore:.*not right at the end")
def test_order_is_that_of_the_other_lens():
    """`first_learned` has infinity where this has NaN."""
    correct, _ = made()
    found = first_learned(correct)
    np.testing.assert_array_equal(fit_order(correct), np.where(np.isinf(found), np.nan, found))


def test_auroc_is_that_of_scikit_learn():
    """With samples that are never fitted last, all at once; of each run."""
    correct, mask = made()
    found = fit_order_auroc(correct, mask)
    assert found.shape == (3,)
    for run, row in enumerate(first_learned(correct)):
        assert found[run] == pytest.approx(roc_auc_score(mask, np.where(np.isinf(row), 99, row)))
    assert fit_order_auroc(correct[0], mask) == found[0]
    assert (found > 0.6).all()
    with pytest.warns(RuntimeWarning, match="0 of 60 samples are corrupted; there is nothing to tell apart"):
        assert np.isnan(fit_order_auroc(correct, np.zeros(60, bool))).all()


def test_curves_are_means():
    """Of both kinds of samples; of none NaN."""
    correct, mask = made()
    curves = learning_curves(correct, mask)
    np.testing.assert_allclose(curves.clean, correct[..., ~mask].mean(-1))
    np.testing.assert_allclose(curves.corrupted, correct[..., mask].mean(-1))
    with pytest.warns(RuntimeWarning, match="no sample is corrupted; its curve is NaN"):
        assert np.isnan(learning_curves(correct, ~np.ones(60, bool)).corrupted).all()


@pytest.mark.parametrize(
    ("accuracy", "expected"),
    [
        ([0.5, 0.9, 0.7, 0.6, 0.8, 0.95], (True, 1, 3, 5, 0.3)),
        ([0.5, 0.6, 0.7, 0.8], (False, -1, -1, -1, 0)),
        ([0.8, 0.7, 0.6], (False, -1, -1, -1, 0)),
        ([0.8, 0.8, 0.8], (False, -1, -1, -1, 0)),
        ([0.8, 0.79, 0.8], (False, 0, 1, 2, 0.01)),
        ([0.9, 0.5, 0.6, 0.4, 0.8], (True, 0, 3, 4, 0.4)),
        ([0.9], (False, -1, -1, -1, 0)),
        ([0.9, 0.1], (False, -1, -1, -1, 0)),
    ],
)
def test_descents_by_hand(accuracy, expected):
    """A fall and a rise that both exceed the tolerance."""
    found = double_descent(accuracy)
    assert (found.found, found.peak, found.dip, found.recovery) == expected[:4]
    assert found.depth == pytest.approx(expected[4])


def test_descents_of_runs():
    """Each run as alone; the tolerance decides."""
    runs = np.array([[0.5, 0.9, 0.7, 0.6, 0.8, 0.95], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]])
    found = double_descent(runs)
    assert found.found.tolist() == [True, False]
    assert found.dip.tolist() == [3, -1]
    assert double_descent(runs, 0.31).found.tolist() == [False, False]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=12))
def test_descent_is_the_deepest_of_all(values):
    """Of all three checkpoints in order, and a local minimum where there is one."""
    row = np.array(values) / 20
    triples = [min(row[s], row[u]) - row[t] for t in range(len(row)) for s in range(t) for u in range(t + 1, len(row))]
    found = double_descent(row, 0.0)
    assert found.depth == pytest.approx(max([0.0, *triples]))
    if found.found:
        assert found.peak < found.dip < found.recovery
        assert row[found.dip] <= min(row[found.dip - 1], row[found.dip + 1])
        assert found.depth == pytest.approx(min(row[found.peak], row[found.recovery]) - row[found.dip])


def test_bad_input():
    """No trajectory, no booleans, masks of other lengths, a negative tolerance."""
    with pytest.raises(InputError, match=r"correct must be a trajectory, got bool\[2\]; pass \[checkpoint, sample\]"):
        fit_order([True, False])
    with pytest.raises(InputError, match="correct must be a trajectory"):
        fit_order(np.zeros((0, 3), bool))
    with pytest.raises(InputError, match="correct must hold True and False"):
        fit_order([[0.5, 1.0]])
    for function in (fit_order_auroc, learning_curves):
        with pytest.raises(InputError, match=r"corrupted is bool\[1\] but there are 2 samples"):
            function([[1, 0], [1, 1]], [True])
    with pytest.raises(InputError, match=r"accuracy is float64\[1, 1, 1\]; pass \[checkpoint\] or"):
        double_descent([[[0.5]]])
    with pytest.raises(InputError, match="tolerance must be 0 or more, got -1"):
        double_descent([0.5, 0.6], -1)
