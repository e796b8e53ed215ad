"""How a strength moves along a training."""

import math

import pytest

from reseed._errors import InputError
from reseed.mitigations import BetaSchedule


@pytest.mark.parametrize(
    ("course", "quarter", "half"),
    [
        ("constant", 2.0, 2.0),
        ("linear", 0.5 + 1.5 / 4, 1.25),
        ("cosine", 0.5 + 1.5 * (1 - math.sqrt(0.5)) / 2, 1.25),
        ("exponential", 0.5 + 1.5 * (math.sqrt(10) - 1) / 99, 0.5 + 1.5 * 9 / 99),
        ("step", 0.5, 0.5),
    ],
)
def test_courses(course, quarter, half):
    """Every course begins at its start, passes its formula's values, ends at beta and stays there."""
    schedule = BetaSchedule(2.0, course, steps=8, start=0.5)
    assert schedule(0) == pytest.approx(2.0 if course == "constant" else 0.5)
    assert schedule(2) == pytest.approx(quarter)
    assert schedule(4) == pytest.approx(half)
    assert [schedule(step) for step in (8, 9, 1000)] == [2.0] * 3
    path = [schedule(step) for step in range(12)]
    assert path == sorted(path)
    assert path == [BetaSchedule(2.0, course, steps=8, start=0.5)(step) for step in range(12)]


def test_a_strength_may_fall():
    """A start above beta gives a course downwards."""
    assert BetaSchedule(0.0, "linear", steps=2, start=1.0)(1) == 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beta": -1.0}, r"beta must be zero or more, got -1.0"),
        ({"beta": 1.0, "start": -0.5}, r"start must be zero or more, got -0.5"),
        ({"beta": 1.0, "course": "sine"}, r"course must be one of constant, linear, .*; got 'sine'"),
        ({"beta": 1.0, "steps": 0}, r"steps must be 1 or more, got 0"),
    ],
)
def test_bad_schedules_are_refused(options, message):
    """Each mistake is named with its value."""
    with pytest.raises(InputError, match=message):
        BetaSchedule(**options)


def test_a_negative_step_is_refused():
    """Steps count from zero."""
    with pytest.raises(InputError, match="step must be zero or more, got -1"):
        BetaSchedule(1.0)(-1)
