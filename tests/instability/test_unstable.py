"""Unstable fraction, rarefaction and the bound for samples without a flip."""

import itertools

import numpy as np
import pytest

from reseed._errors import InputError
from reseed.instability import flip_probability_upper_bound, jitter, rarefaction, unstable_fraction


@pytest.fixture
def labels():
    """Labels of 6 runs, some samples stable."""
    rng = np.random.default_rng(0)
    return np.where(rng.random((6, 50)) < 0.15, rng.integers(0, 4, (6, 50)), 2)


def test_unstable_fraction_counts_samples_with_more_than_one_label(labels):
    """The share of samples that are not given one label by all runs."""
    expected = np.mean([len(set(column)) > 1 for column in labels.T.tolist()])
    assert 0 < unstable_fraction(labels) < 1
    assert unstable_fraction(labels) == expected


def test_rarefaction_is_the_mean_over_all_subsets(labels):
    """The hypergeometric curve equals the mean unstable fraction over every subset of each size."""
    found = rarefaction(labels)
    assert found.sizes.tolist() == [1, 2, 3, 4, 5, 6]
    for size, value in zip(found.sizes, found.unstable_fraction, strict=True):
        subsets = [labels[list(rows)] for rows in itertools.combinations(range(6), int(size))]
        brute = np.mean([(some != some[0]).any(axis=0).mean() for some in subsets])
        assert value == pytest.approx(brute, abs=1e-13)


def test_rarefaction_ends_at_the_unstable_fraction(labels):
    """One run never disagrees; all runs give the unstable fraction; the curve never falls."""
    curve = rarefaction(labels).unstable_fraction
    assert curve[0] == 0
    assert curve[-1] == pytest.approx(unstable_fraction(labels), abs=1e-14)
    assert (np.diff(curve) >= 0).all()


def test_rarefaction_of_two_runs_is_the_mean_jitter(labels):
    """A random pair of runs disagrees as often as the mean pair."""
    found = rarefaction(labels, sizes=[2]).unstable_fraction
    np.testing.assert_allclose(found, [jitter(labels).mean()], rtol=1e-13)


def test_rarefaction_of_a_thousand_runs_is_exact():
    """Binomials far beyond floating point do no harm: one deviating run of 1000 is in a subset of m with m/1000."""
    labels = np.zeros((1000, 1), int)
    labels[17] = 1
    sizes = np.array([2, 10, 500, 999, 1000])
    np.testing.assert_allclose(rarefaction(labels, sizes).unstable_fraction, sizes / 1000, rtol=1e-11)
    half = np.arange(1000)[:, None] % 2
    curve = rarefaction(half, sizes).unstable_fraction
    assert curve[0] == pytest.approx(500 / 999, rel=1e-12)
    assert curve[1] == pytest.approx(1 - 2 * np.prod((500 - np.arange(10)) / (1000 - np.arange(10))), rel=1e-12)
    assert curve[3:].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("sizes", [[0], [7], [1.5], [[1]]])
def test_sizes_out_of_range_raise(labels, sizes):
    """Subsets have between one and all runs."""
    with pytest.raises(InputError, match="sizes must be whole numbers between 1 and the 6 runs, got"):
        rarefaction(labels, sizes)


def test_no_samples_give_nan():
    """A share of nothing is NaN, with a warning."""
    empty = np.zeros((3, 0), int)
    with pytest.warns(RuntimeWarning, match="labels holds no samples; the unstable fraction is NaN"):
        assert np.isnan(unstable_fraction(empty))
    with pytest.warns(RuntimeWarning, match="labels holds no samples"):
        assert np.isnan(rarefaction(empty).unstable_fraction).all()


def test_one_run_raises():
    """A single run cannot disagree with itself."""
    with pytest.raises(InputError, match="labels has 1 runs along axis 0, fewer than the 2 needed"):
        unstable_fraction([[0, 1]])


@pytest.mark.parametrize(("runs", "bound"), [(5, 0.451), (10, 0.259), (20, 0.139), (50, 0.058)])
def test_no_flip_leaves_room_for_flips(runs, bound):
    """The 95 % bounds for 5, 10, 20 and 50 runs without a flip."""
    found = flip_probability_upper_bound(runs)
    assert found == pytest.approx(bound, abs=5e-4)
    assert (1 - found) ** runs == pytest.approx(0.05, rel=1e-12)


@pytest.mark.parametrize("runs", [0, 2.0, True])
def test_bound_needs_a_number_of_runs(runs):
    """Runs are a whole number of at least one."""
    with pytest.raises(InputError, match="runs must be a whole number of at least 1, got"):
        flip_probability_upper_bound(runs)


def test_bound_needs_a_confidence_between_zero_and_one():
    """Confidence 1 would bound nothing."""
    with pytest.raises(InputError, match="confidence must be strictly between 0 and 1, got 1; pass for example"):
        flip_probability_upper_bound(5, confidence=1)
