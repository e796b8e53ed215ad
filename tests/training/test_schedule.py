"""Learning-rate schedules that go through their course several times."""

import math

import pytest

from reseed import RecipeError
from reseed.training import Recipe, ScheduleConfig, cycle_ends, lr_factor


@pytest.mark.parametrize("warmup", [0.0, 0.15])
@pytest.mark.parametrize(("cycles", "total"), [(1, 20), (3, 20), (4, 40), (7, 20)])
def test_cycles_repeat_the_cosine(cycles, total, warmup):
    """The rate follows (1 + cos(pi frac(c u))) / 2 after the warm-up, and falls until a cycle ends."""
    schedule, first = ScheduleConfig("cosine", warmup, cycles), round(warmup * total)
    rates = [lr_factor(schedule, step, total) for step in range(total)]
    ends = cycle_ends(schedule, total)
    assert len(ends) == cycles
    assert ends[-1] == total
    for step in range(first, total):
        place = cycles * (step - first) / (total - first)
        expected = (1 + math.cos(math.pi * (place - math.floor(place + 1e-12)))) / 2
        assert rates[step] == pytest.approx(expected, abs=1e-9)
        if step > first:
            assert (rates[step] > rates[step - 1]) == (step in ends)


def test_one_cycle_is_no_cycle():
    """Recipes without cycles keep their rates bit for bit, and their digest, which does not know the field."""
    for name in ("constant", "cosine", "linear"):
        once, plain = ScheduleConfig(name, 0.1, 1), ScheduleConfig(name, 0.1)
        assert [lr_factor(once, step, 30) for step in range(30)] == [lr_factor(plain, step, 30) for step in range(30)]
    assert "cycles" not in Recipe().to_toml()
    assert Recipe.from_toml("[schedule]\ncycles = 3").schedule.cycles == 3


def test_cycles_out_of_range_are_refused():
    """Errors name the field and show the value."""
    with pytest.raises(RecipeError, match=r"schedule.cycles must be 1 or more, got 0"):
        ScheduleConfig(cycles=0)
    with pytest.raises(RecipeError, match=r"schedule.cycles must be at most 9, the steps after the warm-up; got 10"):
        cycle_ends(ScheduleConfig(warmup=0.1, cycles=10), 10)
