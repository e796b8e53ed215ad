"""What two-way variances take off, against every study that a small population can give."""

import itertools

import numpy as np
import pytest

from reseed.instability import estimate, retraining_negative_flip_rate
from reseed.instability.evaluation._negative_flips import _own_variance
from reseed.instability.intervals._leave_one_out import STATISTICS, without_each_run
from reseed.statistics import two_way

RUNS, SAMPLES = 3, 2
FLIPS = (1 / 8, 1 / 2)
"""How often runs flip on a sample; either kind of sample is as likely, and runs have nothing in common."""
NAMES = (*STATISTICS, "negative_flip_rate")


def _studies():
    """Yields all labels [run, sample] that there can be, each with its probability."""
    for cells in itertools.product((0, 1), repeat=RUNS * SAMPLES):
        labels = np.reshape(cells, (RUNS, SAMPLES))
        of_kinds = [np.prod(np.where(labels, flips, 1 - flips), axis=0) for flips in FLIPS]
        yield labels, float(np.mean(of_kinds, axis=0).prod())


def _measured(labels, name, method):
    if name == "negative_flip_rate":
        return retraining_negative_flip_rate(labels, np.zeros(SAMPLES, int), method=method)
    return estimate(labels, name, method)


def _own(labels, name):
    """Returns the part that both variances hold."""
    if name == "negative_flip_rate":
        return _own_variance((labels == 0).sum(0), RUNS)
    return without_each_run(labels, name).own_variance


@pytest.mark.parametrize("name", NAMES)
def test_variances_counted_once_are_those_of_all_studies(name):
    """Over all studies the mean of A + B - C is the variance of the value, which A + B exceeds by a third and more.

    As everywhere, B is that of the bootstrap, too small by one sample in n.
    """
    value, runs, samples, own, chance = (
        np.array(column)
        for column in zip(
            *(
                (
                    _measured(labels, name, "samples").value,
                    _measured(labels, name, "jackknife").standard_error ** 2,
                    _measured(labels, name, "samples").standard_error ** 2 * SAMPLES / (SAMPLES - 1),
                    _own(labels, name),
                    chance,
                )
                for labels, chance in _studies()
            ),
            strict=True,
        )
    )
    assert chance.sum() == pytest.approx(1, rel=1e-12)
    variance = chance @ value**2 - (chance @ value) ** 2
    assert chance @ (runs + samples - own) == pytest.approx(variance, rel=1e-12)
    assert chance @ (runs + samples) > 4 / 3 * variance


@pytest.mark.parametrize("name", NAMES)
def test_intervals_take_off_what_both_hold(name):
    """The standard error over runs and samples is the root of A + B - C, but not below A or B, in every study."""
    for labels, _ in _studies():
        over_runs, over_samples = (
            _measured(labels, name, method).standard_error ** 2 for method in ("jackknife", "samples")
        )
        expected = max(over_runs + over_samples - _own(labels, name), over_runs, over_samples)
        assert _measured(labels, name, "two-way").standard_error ** 2 == pytest.approx(expected, rel=1e-9, abs=1e-15)


def test_degrees_lie_between_those_of_runs_and_of_samples():
    """Where all is the runs' there is one degree less than runs, where nothing is, one less than samples."""
    assert two_way([(2.0, 4)], 0.0, 0.0, 101) == (2.0, 4.0)
    assert two_way([], 2.0, 0.0, 101) == (2.0, 100.0)
    assert two_way([(0.0, 4)], 2.0, 0.0, 101) == (2.0, 100.0)
    variance, degrees = two_way([(1.0, 4), (1.0, 9)], 1.0, 0.5, 101)
    assert (variance, degrees) == pytest.approx((2.5, 2.5**2 / (1 / 4 + 1 / 9 + 0.5**2 / 100)))
