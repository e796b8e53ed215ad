"""Ranges of probabilities over runs."""

import numpy as np
import pytest
import torch

from reseed._errors import InputError
from reseed.instability import risk_ambiguity, viable_prediction_range


@pytest.fixture
def probabilities():
    """Random distributions over 4 classes of 6 runs."""
    return np.random.default_rng(0).dirichlet(np.ones(4), (6, 50))


def test_the_range_is_numpys(probabilities):
    """Lowest and highest are those of the survivors, for every class or one."""
    found = viable_prediction_range(probabilities)
    np.testing.assert_array_equal(found.low, probabilities.min(axis=0))
    np.testing.assert_array_equal(found.high, probabilities.max(axis=0))
    np.testing.assert_array_equal(found.width, np.ptp(probabilities, axis=0))
    keep = np.array([True, False, True, True, False, False])
    found = viable_prediction_range(probabilities, class_index=2, keep=keep)
    np.testing.assert_array_equal(found.width, np.ptp(probabilities[keep, :, 2], axis=0))


def test_a_width_is_at_least_two_deviations(probabilities):
    """The width is at least twice the standard deviation, and exactly that of two runs."""
    assert (viable_prediction_range(probabilities).width >= 2 * probabilities.std(axis=0)).all()
    two = probabilities[:2]
    np.testing.assert_allclose(viable_prediction_range(two).width, 2 * two.std(axis=0), atol=1e-15)


def test_equal_runs_have_no_width(probabilities):
    """Where runs do not differ, the range is a point."""
    assert (viable_prediction_range(probabilities[[0, 0, 0]]).width == 0).all()


def test_tensors_give_tensors(probabilities):
    """Single-precision tensors give double-precision tensors of the same values."""
    tensor = torch.tensor(probabilities, dtype=torch.float32)
    width = viable_prediction_range(tensor).width
    assert isinstance(width, torch.Tensor)
    np.testing.assert_array_equal(width, np.ptp(tensor.double().numpy(), axis=0))


@pytest.mark.parametrize("delta", [0.1, 0.5, 0.9])
def test_risk_ambiguity_by_brute_force(probabilities, delta):
    """It counts the samples that some survivor moves so far from the base."""
    keep = [True, True, False, True, False, True]
    far = [
        any(abs(probabilities[run, i, k] - probabilities[1, i, k]) >= delta for run in (0, 3, 5) for k in range(4))
        for i in range(50)
    ]
    assert risk_ambiguity(probabilities, delta, base=1, keep=keep) == pytest.approx(np.mean(far))
    one = (np.abs(probabilities[..., 3] - probabilities[0, :, 3]) >= delta).any(axis=0).mean()
    assert risk_ambiguity(probabilities, delta, class_index=3) == pytest.approx(one)


def test_a_move_of_exactly_delta_counts():
    """0.6 - 0.4 is less than 0.2 in floating point, and reaches delta = 0.2 all the same."""
    assert 0.6 - 0.4 < 0.2
    assert risk_ambiguity([[[0.6, 0.4]], [[0.4, 0.6]]], 0.2) == 1


def test_a_lone_survivor_has_no_range(probabilities):
    """One survivor gives NaN with a warning."""
    with pytest.warns(RuntimeWarning, match="keep leaves 1 runs, fewer than the 2 that can differ"):
        assert np.isnan(viable_prediction_range(probabilities[:1]).width).all()
    with pytest.warns(RuntimeWarning, match="1 runs survive, fewer than the 2 needed; the risk ambiguity is NaN"):
        assert np.isnan(risk_ambiguity(probabilities[:1], 0.5))
    with pytest.warns(RuntimeWarning, match="probabilities holds no samples; the risk ambiguity is NaN"):
        assert np.isnan(risk_ambiguity(probabilities[:, :0], 0.5))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda p: viable_prediction_range(p[0]),
            r"probabilities must be \[run, sample, class\], got float64\[50, 4\]",
        ),
        (lambda p: viable_prediction_range(2 * p), r"probabilities sums to 2 at position \(0, 0\), not to 1"),
        (lambda p: viable_prediction_range(p, class_index=4), "class_index=4 is not one of the 4 classes; pass 0..3"),
        (lambda p: risk_ambiguity(p, 0), r"delta=0 is outside \(0, 1\]; pass how far a probability must move"),
        (lambda p: risk_ambiguity(p, 0.1, base=9), "base=9 is not one of the 6 runs; pass an index in 0..5"),
    ],
)
def test_bad_arguments_are_named(probabilities, call, text):
    """Messages name the argument, show the value and say what to pass."""
    with pytest.raises(InputError, match=text):
        call(probabilities)
