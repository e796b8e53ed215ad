"""Learning-rate schedules that go through their course several times."""

import math

import pytest
import torch

from reseed import RecipeError
from reseed.training import Recipe, ScheduleConfig, cycle_ends, lr_factor


@pytest.mark.parametrize("warmup", [0.0, 0.15])
@pytest.mark.parametrize(("cycles", "total"), [(1, 20), (3, 20), (4, 40), (7, 20)])
def test_cycles_repeat_the_cosine(cycles, total, warmup):
    """The rate follows (1 + cos(pi frac(c u))) / 2 after the warm-up, and falls until a cycle ends."""
    schedule, first = ScheduleConfig("cosine", warmup, cycles), round(warmup * total)
    rates = [lr_factor(schedule, step, total, 5) for step in range(total)]
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
    for name in ("constant", "cosine", "linear", "exponential"):
        once, plain = ScheduleConfig(name, 0.1, 1), ScheduleConfig(name, 0.1)
        one, other = ([lr_factor(schedule, step, 30, 5) for step in range(30)] for schedule in (once, plain))
        assert one == other
    assert "cycles" not in Recipe().to_toml()
    assert Recipe.from_toml("[schedule]\ncycles = 3").schedule.cycles == 3


@pytest.mark.parametrize(("warmup", "first"), [(0.0, 0), (0.1, 4)])
@pytest.mark.parametrize("gamma", [0.95, 0.5, 1.0])
@pytest.mark.parametrize("epoch", [1, 3, 7])
def test_exponential_is_that_of_torch(gamma, epoch, warmup, first):
    """The rate is that of `ExponentialLR`, stepped after every epoch, a last one that is cut short included."""
    schedule, total = ScheduleConfig("exponential", warmup, gamma=gamma), 40
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    peer = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)
    optimizer.step()
    for step in range(first, total):
        assert lr_factor(schedule, step, total, epoch) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
        if (step - first + 1) % epoch == 0:
            peer.step()
    assert [lr_factor(schedule, step, total, epoch) for step in range(first)] == [0.25, 0.5, 0.75, 1.0][:first]


def test_exponential_with_cycles_and_a_floor():
    """Each cycle begins at the peak, and the rate falls towards the floor."""
    schedule = ScheduleConfig("exponential", cycles=2, floor=0.2, gamma=0.5)
    rates = [lr_factor(schedule, step, 12, 2) for step in range(12)]
    assert rates == pytest.approx([1.0, 1.0, 0.6, 0.6, 0.4, 0.4] * 2)


def test_gamma_is_in_recipes_where_it_is_not_the_default():
    """Recipes from before the field keep their text, and so their digest."""
    assert "gamma" not in Recipe(schedule=ScheduleConfig("exponential")).to_toml()
    recipe = Recipe(schedule=ScheduleConfig("exponential", gamma=0.9))
    assert Recipe.from_toml(recipe.to_toml()) == recipe


def test_cycles_out_of_range_are_refused():
    """Errors name the field and show the value."""
    with pytest.raises(RecipeError, match=r"schedule.cycles must be 1 or more, got 0"):
        ScheduleConfig(cycles=0)
    with pytest.raises(RecipeError, match=r"schedule.cycles must be at most 9, the steps after the warm-up; got 10"):
        cycle_ends(ScheduleConfig(warmup=0.1, cycles=10), 10)
