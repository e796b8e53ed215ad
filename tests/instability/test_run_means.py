"""Accuracy differences between batches of runs."""

import numpy as np
import pytest
import scipy.stats

from reseed._errors import InputError
from reseed.instability import accuracy_difference


@pytest.fixture
def batches():
    """Labels of a method and of a control, and the targets."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 4, 150)

    def draw(share, runs):
        return np.where(rng.random((runs, 150)) < share, targets, (targets + 1) % 4)

    return draw(0.9, 7), draw(0.8, 7), targets


@pytest.mark.parametrize("covers", ["jackknife", "samples", "two-way"])
def test_value_and_error_follow_from_welch_and_paired_samples(batches, covers):
    """Over runs the error is Welch's, over samples that of paired differences; both less what both hold."""
    method, control, targets = batches
    hits = [labels == targets for labels in (method, control)]
    found = accuracy_difference(method, control, targets, interval=covers)
    assert found.value == pytest.approx(hits[0].mean() - hits[1].mean(), abs=1e-12)
    welch = sum(scipy.stats.sem(each.mean(1)) ** 2 for each in hits)
    paired = np.var(hits[0].mean(0) - hits[1].mean(0)) / 150
    own = sum(np.sum(scipy.stats.sem(each) ** 2) for each in hits) / 150**2
    both = max(welch + paired - own, welch, paired)
    variance = {"jackknife": welch, "samples": paired, "two-way": both}[covers]
    assert found.standard_error == pytest.approx(np.sqrt(variance), rel=1e-9)
    rest = variance - welch if covers == "two-way" else 0.0
    degrees = variance**2 / (sum(scipy.stats.sem(each.mean(1)) ** 4 for each in hits) / 6 + rest**2 / 149)
    quantile = scipy.stats.norm.ppf(0.975) if covers == "samples" else scipy.stats.t.ppf(0.975, degrees)
    assert found.high - found.value == pytest.approx(quantile * np.sqrt(variance), rel=1e-9)


def test_a_batch_does_not_differ_from_itself(batches):
    """A method that is the control changes nothing, with an interval around 0."""
    method, _, targets = batches
    found = accuracy_difference(method, method, targets)
    assert found.value == 0
    assert found.low < 0 < found.high


def test_strings_are_labels_too():
    """Names do as well as numbers."""
    found = accuracy_difference([["a", "b"], ["a", "b"]], [["b", "b"], ["a", "b"]], ["a", "b"], interval="samples")
    assert found.value == 0.25


def test_no_samples_have_no_difference():
    """Without samples the difference is NaN, with a warning."""
    with pytest.warns(RuntimeWarning, match="holds no samples"):
        found = accuracy_difference(np.zeros((2, 0), int), np.zeros((2, 0), int), np.zeros(0, int))
    assert np.isnan(found.value)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ([[0, 1]], [[0, 1], [0, 1]], [0, 1]),
            r"method must be \[run, sample\] of two or more runs, got int64\[1, 2\]",
        ),
        (([[0, 1], [0, 1]], [[0], [1]], [0, 1]), r"each run of control is int64\[1\] but targets is int64\[2\]"),
    ],
)
def test_batches_that_do_not_fit_are_refused(arguments, text):
    """The message names the argument and shows its shape."""
    with pytest.raises(InputError, match=text):
        accuracy_difference(*arguments)


def test_unknown_options_are_refused():
    """The interval's name and level are checked."""
    with pytest.raises(InputError, match="interval='runs' is unknown"):
        accuracy_difference([[0], [0]], [[0], [0]], [0], interval="runs")
