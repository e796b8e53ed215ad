"""Noise on features: its distribution in closed form, and what stays."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reseed import InputError
from reseed.perturbations import FEATURE_CORRUPTIONS, corrupt_features

NAMES = pytest.mark.parametrize("name", FEATURE_CORRUPTIONS)
LOW, HIGH = torch.tensor([-3.0, 0.0, 10.0, -1.0]), torch.tensor([3.0, 1.0, 30.0, 1.0])
SCALE = torch.tensor([1.0, 0.25, 5.0, 0.0])
INPUTS = LOW + (HIGH - LOW) * torch.rand(40, 4, generator=torch.Generator().manual_seed(0))
GIVEN = {"scale": SCALE, "bounds": (LOW, HIGH)}


def many(value, name, severity, **options):
    """A value's changed versions, of twenty thousand samples of two features."""
    return corrupt_features(torch.full((20_000, 2), value, dtype=torch.float64), name, severity, **options)


def agrees(found, expected, deviation):
    """Whether a mean is the expected one, to five of its standard errors."""
    return abs(found.mean() - expected) < 5 * deviation / found.numel() ** 0.5


@pytest.mark.parametrize("severity", range(1, 6))
def test_noise_has_the_deviation_that_was_asked_for(severity):
    """Normal and uniform noise have mean 0 and deviation c s; speckle noise c |x|; uniform noise has its ends."""
    for name, deviation in (("gaussian_noise", 3.0), ("uniform_noise", 3.0), ("speckle_noise", 2.0)):
        amount = FEATURE_CORRUPTIONS[name].amounts[severity - 1] * deviation
        noise = many(2.0, name, severity, scale=3.0) - 2.0
        assert agrees(noise, 0.0, amount)
        assert agrees(noise**2, amount**2, 1.5 * amount**2)
        kurtosis = 1.8 if name == "uniform_noise" else 3.0
        assert agrees(noise**4, kurtosis * amount**4, 10 * amount**4)
        if name == "uniform_noise":
            assert 0.999 * 3**0.5 * amount < noise.abs().max() <= 3**0.5 * amount


@pytest.mark.parametrize("severity", range(1, 6))
def test_values_are_replaced_with_their_probability(severity):
    """A share c is replaced: by the fill, by numbers uniform between the bounds, or by values of the columns."""
    for name in ("dropped", "impulse_noise"):
        share = FEATURE_CORRUPTIONS[name].amounts[severity - 1]
        options = {"fill": [7.0, 9.0], "bounds": (0.0, 10.0)}
        found = many(2.0, name, severity, **options)
        replaced = found != 2.0
        assert agrees(replaced.double(), share, (share * (1 - share)) ** 0.5)
        if name == "dropped":
            assert (found[replaced[:, 0], 0] == 7).all()
            assert (found[replaced[:, 1], 1] == 9).all()
        else:
            assert agrees(found[replaced], 5.0, 10 / 12**0.5)
            assert agrees((found[replaced] - 5) ** 2, 100 / 12, 10.0)
            columns = torch.tensor([[3.0, 4.0], [5.0, 6.0], [5.0, 8.0]])
            found = many(2.0, name, severity, columns=columns)
            assert set(found[:, 0].tolist()) == {2.0, 3.0, 5.0}
            assert set(found[:, 1].tolist()) == {2.0, 4.0, 6.0, 8.0}
            assert agrees((found[found[:, 0] != 2, 0] == 5).double(), 2 / 3, 0.5)


def test_rounding_is_to_the_nearest_multiple():
    """No value moves by more than half a step, a second time changes nothing, and a scale of 0 nothing at all."""
    for severity, amount in enumerate(FEATURE_CORRUPTIONS["rounding"].amounts, 1):
        found = corrupt_features(INPUTS, "rounding", severity, scale=SCALE)
        assert ((found - INPUTS).abs() <= amount * SCALE / 2 + 1e-6).all()
        torch.testing.assert_close(corrupt_features(found, "rounding", severity, scale=SCALE), found)
        steps = found[:, :3] / (amount * SCALE[:3])
        torch.testing.assert_close(steps, steps.round())
        assert torch.equal(found[:, 3], INPUTS[:, 3])


@NAMES
@pytest.mark.parametrize("severity", [1, 5])
def test_a_sample_is_changed_alone_as_among_others(name, severity):
    """A sample's noise is that of its seed and number: batch and order change nothing, other seeds and numbers do."""
    found = corrupt_features(INPUTS, name, severity, seed=4, **GIVEN)
    order = torch.randperm(40, generator=torch.Generator().manual_seed(1))
    assert torch.equal(corrupt_features(INPUTS[order], name, severity, seed=4, items=order, **GIVEN), found[order])
    assert torch.equal(corrupt_features(INPUTS[7:8], name, severity, seed=4, items=[7], **GIVEN), found[7:8])
    assert not torch.equal(found, INPUTS)
    if name != "rounding":
        others = corrupt_features(INPUTS, name, severity, seed=5, **GIVEN)
        moved = corrupt_features(INPUTS, name, severity, seed=4, items=torch.arange(40) + 40, **GIVEN)
        assert not torch.equal(found, others)
        assert not torch.equal(found, moved)


@NAMES
def test_frozen_features_and_bounds_are_kept(name):
    """Frozen features stay bit for bit, and nothing leaves the bounds, whatever the severity."""
    for severity in range(1, 6):
        found = corrupt_features(INPUTS, name, severity, frozen=[False, True, False, True], fill=20.0, **GIVEN)
        assert torch.equal(found[:, [1, 3]], INPUTS[:, [1, 3]])
        assert (found >= LOW).all()
        assert (found <= HIGH).all()


@NAMES
def test_stronger_is_more_of_the_same(name):
    """With draws of one seed what is added grows with the severity, and what is replaced stays replaced."""
    options = {"scale": 1.0, "columns": INPUTS, "fill": 100.0}
    found = [corrupt_features(INPUTS, name, severity, **options) - INPUTS for severity in range(1, 6)]
    for weak, strong in pairwise(found):
        if name in ("impulse_noise", "dropped"):
            assert torch.equal(strong[weak != 0], weak[weak != 0])
        elif name != "rounding":
            assert (strong.abs() >= weak.abs()).all()
            assert (strong * weak >= 0).all()


@NAMES
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_come_back_as_they_came(name, dtype):
    """Numpy gives numpy and torch torch, of the same type and, to rounding, the same numbers; nothing is written."""
    given = INPUTS.numpy().astype(dtype)
    before = given.copy()
    found = corrupt_features(given, name, 3, **GIVEN)
    assert isinstance(found, np.ndarray)
    assert found.dtype == dtype
    same = corrupt_features(torch.from_numpy(given), name, 3, scale=SCALE.tolist(), bounds=(LOW.numpy(), HIGH.numpy()))
    assert np.array_equal(found, same.numpy())
    assert np.array_equal(given, before)
    assert corrupt_features(given[:0], name, 3, **GIVEN).shape == (0, 4)


@given(st.integers(0, 2**31 - 1), st.integers(1, 5), st.sampled_from(sorted(FEATURE_CORRUPTIONS)))
@settings(deadline=None)
def test_results_are_finite(item, severity, name):
    """Any number of an item gives finite values of the shape that was given."""
    found = corrupt_features(INPUTS[:1], name, severity, items=[item], seed=item, **GIVEN)
    assert found.shape == (1, 4)
    assert found.isfinite().all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "gausian_noise"}, "unknown corruption of features 'gausian_noise'. Did you mean 'gaussian_noise'"),
        ({"severity": 7}, "severity must be a whole number from 1 .* got 7"),
        (
            {"inputs": torch.ones(2, 4, dtype=torch.int64)},
            r"floating-point numbers \[sample, feature\], got int64\[2, 4",
        ),
        ({"inputs": torch.rand(2, 1, 8, 8)}, r"got float32\[2, 1, 8, 8\]; of images see corrupt_images"),
        ({"inputs": torch.tensor([[1.0, torch.nan]])}, r"inputs holds nan at position \(0, 1\); fill or drop"),
        ({"scale": None}, r"gaussian_noise needs a scale.* pass scale=train.std\(0\)"),
        ({"name": "rounding", "scale": None}, "rounding needs a scale"),
        (
            {"name": "impulse_noise", "bounds": None},
            r"impulse_noise needs to know .* pass bounds=\(low, high\), or col",
        ),
        ({"scale": [1.0, 2.0]}, r"scale must be one number or one for each of 4 features, got float32\[2\]"),
        ({"scale": -1}, "scale must be 0 or more, got -1"),
        ({"scale": "wide"}, "scale must hold numbers"),
        ({"frozen": [1, 0, 0, 0]}, r"frozen must say true or false of each of 4 features, got int64\[4\]"),
        ({"bounds": 3}, r"bounds must be a pair \(low, high\), got 3"),
        ({"bounds": (1.0, 0.0)}, "bounds are reversed: feature 0 has 1 and 0"),
        ({"bounds": (0.0, 40.0)}, r"inputs lie outside bounds: feature 0 of sample \d+ is -.*, not in \[0, 40\]"),
        ({"columns": torch.rand(3, 2)}, r"columns must be rows of 4 features, one or more, got float32\[3, 2\]"),
        ({"fill": torch.nan, "name": "dropped"}, "fill holds nan"),
        ({"items": [3]}, "items must be 40 whole numbers"),
        ({"seed": 0.5, "name": "rounding"}, "seed must be a whole number of 0 or more, got 0.5"),
    ],
)
def test_bad_arguments_are_named(changes, message):
    """The message names the argument, shows the value and says what to pass."""
    options = {"inputs": INPUTS, "name": "gaussian_noise", "severity": 1, **GIVEN} | changes
    with pytest.raises(InputError, match=message):
        corrupt_features(options.pop("inputs"), options.pop("name"), options.pop("severity"), **options)
