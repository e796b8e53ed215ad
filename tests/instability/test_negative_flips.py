"""Negative flips between retrainings."""

import itertools

import numpy as np
import pytest

from reseed._errors import InputError
from reseed.instability import negative_flip_rate, retraining_negative_flip_rate


def _by_pairs(labels, targets):
    """The rate over all ordered pairs of runs, pair by pair."""
    return np.mean([negative_flip_rate(a, b, targets) for a, b in itertools.permutations(labels, 2)])


@pytest.fixture
def drawn():
    """Labels of eight runs, and targets."""
    rng = np.random.default_rng(1)
    targets = rng.integers(0, 3, 80)
    return np.where(rng.random((8, 80)) < np.linspace(0.2, 1, 80), targets, rng.integers(0, 3, (8, 80))), targets


def test_it_is_the_mean_over_ordered_pairs(drawn):
    """The closed form agrees with comparing every run with every other one."""
    assert retraining_negative_flip_rate(*drawn).value == pytest.approx(_by_pairs(*drawn), rel=1e-12)


def test_errors_are_those_of_leaving_runs_out(drawn):
    """The jackknife is made by hand, the samples' part is the variance of each sample's rate."""
    labels, targets = drawn
    left_out = np.array([_by_pairs(np.delete(labels, run, 0), targets) for run in range(8)])
    jackknife = 7 / 8 * np.sum((left_out - left_out.mean()) ** 2)
    each = np.array([_by_pairs(labels[:, [i]], targets[[i]]) for i in range(80)])
    alone = [[_by_pairs(np.delete(labels, run, 0)[:, [i]], targets[[i]]) for i in range(80)] for run in range(8)]
    own = 7 * np.var(alone, axis=0).sum() / 80**2
    parts = jackknife, each.var() / 80
    for method, variance in (
        ("jackknife", parts[0]),
        ("samples", parts[1]),
        ("two-way", max(sum(parts) - own, *parts)),
    ):
        found = retraining_negative_flip_rate(labels, targets, method=method)
        assert found.standard_error == pytest.approx(np.sqrt(variance), rel=1e-9)


def test_flips_between_wrong_labels_do_not_count():
    """Runs that are always wrong never flip negatively, however much they differ."""
    assert retraining_negative_flip_rate([[1], [2], [3]], [0], method="jackknife").value == 0


def test_two_runs_need_the_samples_interval():
    """The jackknife of two runs is refused, and the message says what to take."""
    with pytest.raises(InputError, match="labels has 2 runs; the jackknife leaves one out and needs at least 3"):
        retraining_negative_flip_rate([[0], [1]], [0])
    assert retraining_negative_flip_rate([[0, 1], [1, 1]], [0, 1], method="samples").value == 0.25


def test_no_samples_have_no_rate():
    """Without samples the rate is NaN, with a warning."""
    with pytest.warns(RuntimeWarning, match="holds no samples"):
        assert np.isnan(retraining_negative_flip_rate(np.zeros((3, 0), int), np.zeros(0, int)).value)
