"""Reduction beyond the null, against a brute force."""

import numpy as np
import pytest
import scipy.stats

from reseed._errors import InputError
from reseed.instability import label_entropy_reduction, reduction_beyond_null


def _draw(rng, scale, runs=6, samples=120):
    """Labels of runs that flip with a probability of each sample's own."""
    return (rng.random((runs, samples)) < np.linspace(0, scale, samples)).astype(int)


def _entropy(labels):
    """Each sample's label entropy, by scipy."""
    return scipy.stats.entropy(np.stack([(labels == k).mean(0) for k in range(2)]))


@pytest.fixture
def batches():
    """A method, a second control and the control."""
    rng = np.random.default_rng(3)
    return _draw(rng, 0.2), _draw(rng, 0.5), _draw(rng, 0.5)


@pytest.mark.parametrize("subset", [None, "high"])
def test_value_is_the_difference_of_two_reductions(batches, subset):
    """The method's reduction less the null's, on the same samples."""
    method, null, control = batches
    apart = [label_entropy_reduction(one, control, subset=subset).value for one in (method, null)]
    found = reduction_beyond_null(method, null, control, subset=subset)
    assert found.value == pytest.approx(apart[0] - apart[1], rel=1e-9)


@pytest.mark.parametrize("subset", [None, "high"])
def test_errors_are_those_of_leaving_runs_out(batches, subset):
    """Three jackknives made by hand, the residuals of the ratio over samples, and what is in both."""
    control = batches[2]
    chosen = _entropy(control) > 0.56 if subset else np.ones(control.shape[1], bool)
    batches = [labels[:, chosen] for labels in batches]

    def value(method, null, control):
        m, n, c = (_entropy(labels).sum() for labels in (method, null, control))
        return (n - m) / c

    entropies = [_entropy(labels) for labels in batches]
    total = entropies[2].sum()
    slopes = (1 / total, 1 / total, (entropies[1] - entropies[0]).sum() / total**2)
    over_runs = own = 0.0
    for place in range(3):
        each = np.array([_entropy(np.delete(batches[place], run, 0)) for run in range(6)])
        own += slopes[place] ** 2 * 5 / 6 * np.sum((each - each.mean(0)) ** 2)
        left_out = []
        for run in range(6):
            parts = list(batches)
            parts[place] = np.delete(parts[place], run, 0)
            left_out.append(value(*parts))
        over_runs += 5 / 6 * np.sum((np.array(left_out) - np.mean(left_out)) ** 2)
    m, n, c = (_entropy(labels) for labels in batches)
    over_samples = np.sum((n - m - value(*batches) * c) ** 2) / c.sum() ** 2
    for interval, variance in (
        ("jackknife", over_runs),
        ("samples", over_samples),
        ("two-way", max(over_runs + over_samples - own, over_runs, over_samples)),
    ):
        found = reduction_beyond_null(*batches, interval=interval)
        assert found.standard_error == pytest.approx(100 * np.sqrt(variance), rel=1e-9)


def test_the_null_is_not_beyond_itself(batches):
    """A method that is the null has a difference of 0."""
    _, null, control = batches
    assert reduction_beyond_null(null, null, control).value == 0


def test_a_third_control_is_hardly_ever_told_from_the_second():
    """Of comparisons in which the method is another batch of the control, at most one in twenty excludes 0."""
    rng = np.random.default_rng(5)
    told = 0
    for _ in range(60):
        flips = np.where(rng.random(150) < 0.3, rng.random(150), 0)
        found = reduction_beyond_null(*((rng.random((6, 150)) < flips).astype(int) for _ in range(3)))
        told += found.low > 0 or found.high < 0
    assert told <= 3


def test_without_instability_there_is_nothing_to_reduce():
    """Where the control agrees everywhere the difference is NaN, with a warning."""
    still = np.zeros((3, 5), int)
    for subset, text in (
        (None, "the control's runs agree everywhere"),
        ("high", "no sample's control entropy exceeds"),
    ):
        with pytest.warns(RuntimeWarning, match=text):
            assert np.isnan(reduction_beyond_null(still, still, still, subset=subset).value)


def test_batches_of_other_shapes_are_refused(batches):
    """Unequal numbers of runs are not comparable; the message shows the shapes."""
    method, null, control = batches
    with pytest.raises(InputError, match=r"null \(5, 120\), control \(6, 120\); pass as many runs of the same samples"):
        reduction_beyond_null(method, null[1:], control)
    with pytest.raises(InputError, match="subset='low' is unknown"):
        reduction_beyond_null(method, null, control, subset="low")
