"""The numbers of a randomisation test, from closed forms and brute force."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from reseed._errors import InputError
from reseed.memorization import sign_correlation, slow_down, steps_to_fit


def test_steps_to_fit_equal_a_loop():
    """The first checkpoint at the level, whatever comes later; NaN where there is none."""
    random = np.random.default_rng(0)
    accuracy, steps = random.choice([0.5, 0.9, 1.0], (20, 7), p=[0.6, 0.3, 0.1]), np.cumsum(random.integers(1, 9, 7))
    for level in (0.9, 1.0):
        found = steps_to_fit(torch.from_numpy(accuracy), steps, level=level)
        for row, got in zip(accuracy, found, strict=True):
            wanted = next((step for step, value in zip(steps, row, strict=True) if value >= level), math.nan)
            assert got == wanted or (math.isnan(got) and math.isnan(wanted))


def test_slow_down_is_the_geometric_mean_of_pairs():
    """As SciPy has it on logarithms; runs that never fitted are left out and counted."""
    slow, fast = np.array([30.0, 44, math.nan, 21, 90]), np.array([10.0, 11, 10, math.nan, 9])
    found = slow_down(slow, fast)
    logs = np.log([3.0, 4.0, 10.0])
    low, high = stats.t.interval(0.95, 2, logs.mean(), stats.sem(logs))
    assert found.pairs == 3
    assert (found.ratio, found.low, found.high) == pytest.approx((120 ** (1 / 3), math.exp(low), math.exp(high)))
    none = slow_down([math.nan], [3.0])
    assert none.pairs == 0
    assert math.isnan(none.ratio)
    one = slow_down([6.0], [3.0])
    assert one.ratio == pytest.approx(2)
    assert math.isnan(one.low)


@pytest.mark.parametrize("classes", [2, 4, 5, 10])
def test_sign_correlation_is_one_of_a_perfect_fit_and_small_of_a_constant(classes):
    """A function that is right everywhere fits every sign; a constant one fits them as chance does, sqrt(2/(pi n))."""
    random = np.random.default_rng(1)
    draws = [random.integers(0, classes, 400) for _ in range(300)]
    assert all(sign_correlation(labels, labels, num_classes=classes) == 1 for labels in draws)
    constant = np.zeros(400, np.int64)
    found = np.mean([abs(sign_correlation(labels, constant, num_classes=classes)) for labels in draws])
    counted = 400 * (classes - classes % 2) / classes
    assert found == pytest.approx(math.sqrt(2 / (math.pi * counted)), rel=0.15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: steps_to_fit([0.5], [1]), r"accuracy must be \[run, checkpoint\] and steps \[checkpoint\], got \[1\]"),
        (lambda: steps_to_fit([[0.5, 1.0]], [2, 1]), "steps must ascend"),
        (lambda: steps_to_fit([[0.5, 1.5]], [1, 2]), r"accuracy must lie in \[0, 1\]"),
        (lambda: steps_to_fit([[0.5]], [1], level=0.0), r"level must be in \(0, 1\], got 0.0"),
        (lambda: slow_down([1.0], [1.0, 2.0]), "must both be"),
        (lambda: slow_down([0.0], [1.0]), "must be above 0"),
        (
            lambda: sign_correlation([0, 3], [0, 1], num_classes=3),
            "labels must be whole numbers from 0 to 2, got 0",
        ),
        (lambda: sign_correlation([2, 2], [0, 1], num_classes=3), "labels are all 2"),
        (lambda: sign_correlation([0], [0], num_classes=1), "num_classes must be a whole number of 2 or more, got 1"),
    ],
)
def test_what_is_refused(call, message):
    """Each message names what is wrong."""
    with pytest.raises(InputError, match=message):
        call()
