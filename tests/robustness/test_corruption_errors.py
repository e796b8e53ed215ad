"""Errors under corruption and flips along sequences, alone and relative to a baseline."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from reseed._errors import InputError, InputTypeError
from reseed.robustness import flip_probability, mean_corruption_error, mean_flip_rate, relative_corruption_error

errors_of = arrays.arrays(np.float64, (4, 5), elements=st.floats(0.05, 0.5))


@settings(max_examples=20, deadline=None)
@given(errors_of)
def test_a_baseline_against_itself(errors):
    """mCE, RmCE and mFR are 1; twice the errors give 2."""
    assert mean_corruption_error(errors, errors) == pytest.approx(1, rel=1e-12)
    assert relative_corruption_error(errors, 0.01, errors, 0.01) == pytest.approx(1, rel=1e-12)
    assert mean_corruption_error(2 * errors, errors) == pytest.approx(2, rel=1e-12)
    assert mean_flip_rate(errors[0], errors[0]) == pytest.approx(1, rel=1e-12)


def test_sums_are_divided_and_not_errors():
    """(0.1 + 0.5) / (0.2 + 0.4) = 1, while the mean of the ratios would be 0.875."""
    assert mean_corruption_error([[0.1, 0.5]], [[0.2, 0.4]]) == pytest.approx(1)
    assert relative_corruption_error([[0.1, 0.5]], 0.1, [[0.2, 0.4]], 0.2) == pytest.approx(0.4 / 0.2)


def test_without_a_baseline_it_is_the_mean_error():
    """And what corruption adds to the clean one; of runs, each."""
    errors = np.random.default_rng(0).random((3, 4, 5))
    np.testing.assert_allclose(mean_corruption_error(errors), errors.mean((1, 2)), rtol=1e-13)
    np.testing.assert_allclose(
        mean_corruption_error(torch.from_numpy(errors), reduction="none"), errors.mean(2), rtol=1e-13
    )
    clean = np.array([0.1, 0.2, 0.3])
    np.testing.assert_allclose(relative_corruption_error(errors, clean), errors.mean((1, 2)) - clean, rtol=1e-12)
    against = relative_corruption_error(errors, clean, errors[0], 0.1, reduction="none")
    np.testing.assert_allclose(against[0], 1, rtol=1e-12)
    assert mean_flip_rate([0.1, 0.3]) == pytest.approx(0.2)


def test_a_baseline_without_errors_has_no_ratio():
    """NaN, left out of the mean, and the corruption is named on the caller's line."""
    errors, baseline = [[0.2, 0.2], [0.1, 0.3]], [[0.0, 0.0], [0.2, 0.2]]
    with pytest.warns(RuntimeWarning, match="the baseline makes no error on fog; its ratio is NaN") as told:
        values = mean_corruption_error(errors, baseline, names=["fog", "snow"], reduction="none")
    assert told[0].filename == __file__
    np.testing.assert_allclose(values, [np.nan, 1.0])
    with pytest.warns(RuntimeWarning, match="on 0; its ratio is NaN and left out of the mean"):
        assert mean_corruption_error(errors, baseline) == pytest.approx(1)
    with pytest.warns(RuntimeWarning, match="fog adds nothing to the baseline's error; the ratio is NaN"):
        found = relative_corruption_error(
            errors, 0.1, [[0.1, 0.3], [0.3, 0.3]], 0.2, names=["fog", "snow"], reduction="none"
        )
    np.testing.assert_allclose(found, [np.nan, 1.0])
    with pytest.warns(RuntimeWarning, match="the baseline never flips under tilt, zoom; its ratio is NaN"):
        assert math.isnan(mean_flip_rate([0.1, 0.2], [0.0, 0.0], names=["tilt", "zoom"]))


def test_tables_are_checked():
    """Shapes, percents, and half a baseline."""
    with pytest.raises(
        InputError, match=r"errors is float64\[2\]; pass shares of wrong answers \[corruption, severity\]"
    ):
        mean_corruption_error([0.1, 0.2])
    with pytest.raises(InputError, match=r"errors holds 20 at position \(0, 0\), outside \[0, 1\]; .* divide percents"):
        mean_corruption_error([[20.0, 30.0]])
    with pytest.raises(InputError, match=r"baseline is float64\[1, 2\], but the model's numbers are \[2, 2\]"):
        mean_corruption_error([[0.1, 0.2]] * 2, [[0.1, 0.2]])
    with pytest.raises(InputError, match="baseline_clean is missing; pass the baseline's errors with and without"):
        relative_corruption_error([[0.1]], 0.1, [[0.1]])
    with pytest.raises(InputError, match="names are 1, but there are 2"):
        mean_corruption_error([[0.1, 0.2]] * 2, [[0.1, 0.2]] * 2, names=["fog"])
    with pytest.raises(InputError, match=r"clean is float64\[2\] but errors is float64\[1, 1\]"):
        relative_corruption_error([[0.1]], [0.1, 0.2])
    with pytest.raises(InputError, match=r"flips holds 1.5 at position \(0,\)"):
        mean_flip_rate([1.5])


@pytest.mark.parametrize(
    ("frames", "sequential", "noise"),
    [([0, 1, 0, 1], 1, 2 / 3), ([0, 0, 1, 1], 1 / 3, 2 / 3), ([3, 3, 3, 3], 0, 0)],
)
def test_flips_of_known_sequences(frames, sequential, noise):
    """Against the frame before, and against the first one."""
    labels = np.array(frames)[:, None]
    assert flip_probability(labels, noise=False) == pytest.approx(sequential)
    assert flip_probability(labels, noise=True) == pytest.approx(noise)
    names = np.array([f"class {each}" for each in frames])[:, None]
    assert flip_probability(names, noise=True) == pytest.approx(noise)


def test_stride_compares_what_is_further_apart():
    """Frames i and i + d for every i: 0, 1, 0, 1 never flips at 2; all offsets count."""
    assert flip_probability([[0], [1], [0], [1]], noise=False, stride=2) == 0
    labels = np.random.default_rng(0).integers(0, 3, (9, 20))
    offsets = [labels[offset::3] for offset in range(3)]
    changed = np.concatenate([each[1:] != each[:-1] for each in offsets])
    found = flip_probability(labels, noise=False, stride=3, reduction="none")
    np.testing.assert_allclose(found, changed.mean(axis=0), rtol=1e-14)


labels_of = arrays.arrays(np.int64, st.tuples(st.integers(2, 7), st.integers(1, 5)), elements=st.integers(0, 3))


@settings(max_examples=40, deadline=None)
@given(labels_of, st.permutations(range(4)), st.booleans())
def test_flips_do_not_depend_on_names_of_classes(labels, renamed, noise):
    """Nor on the order of samples; and they are written out."""
    found = flip_probability(labels, noise=noise, reduction="none")
    np.testing.assert_array_equal(flip_probability(np.array(renamed)[labels], noise=noise, reduction="none"), found)
    np.testing.assert_array_equal(flip_probability(labels[:, ::-1], noise=noise, reduction="none"), found[::-1])
    for sample, sequence in enumerate(labels.T):
        reference = [sequence[0] if noise else sequence[frame - 1] for frame in range(1, len(sequence))]
        assert found[sample] == pytest.approx(np.mean(sequence[1:] != reference), rel=1e-14)
    assert flip_probability(labels, noise=noise) == pytest.approx(found.mean(), rel=1e-12, abs=1e-15)


def test_flips_of_runs_and_bad_arguments():
    """A value for each run; a single frame cannot flip."""
    labels = torch.from_numpy(np.random.default_rng(0).integers(0, 3, (4, 6, 10)))
    found = flip_probability(labels, noise=False)
    assert found.shape == (4,)
    assert found[2] == pytest.approx(flip_probability(labels[2], noise=False))
    with pytest.raises(InputError, match=r"labels is int64\[1, 3\], in which no two frames are 1 apart"):
        flip_probability([[0, 1, 2]], noise=False)
    with pytest.raises(InputError, match="stride=2 has no meaning under noise"):
        flip_probability(labels, noise=True, stride=2)
    with pytest.raises(InputError, match="stride=0 must be a whole number from 1 on"):
        flip_probability(labels, noise=False, stride=0)
    with pytest.raises(InputTypeError, match="noise='yes' does not say what frames are compared with"):
        flip_probability(labels, noise="yes")
