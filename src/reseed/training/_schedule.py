"""Learning-rate schedules as pure functions of the step."""

from __future__ import annotations

import math

from reseed._arguments import recipe_field
from reseed._errors import RecipeError
from reseed.training._recipe import ScheduleConfig


def lr_factor(schedule: ScheduleConfig, step: int, total: int, epoch: int) -> float:
    """Return the factor on the peak learning rate at ``step`` of ``total``.

    With w = round(warmup * total) warm-up steps the factor is (step + 1) / w before step w. After it, with
    u = (step - w) / (total - w): 1 (constant), or floor + (1 - floor) f(u) with f(u) = (1 + cos(pi u)) / 2 (cosine),
    1 - u (linear), or gamma to the power of the whole epochs since the warm-up (exponential). With c cycles the
    fractional part of c u takes the place of u, and epochs are counted anew in each.

    Args:
        schedule: Name, warm-up share, cycles, floor and gamma.
        step: The step about to be made, 0 <= step < total.
        total: All steps of the training.
        epoch: Steps of an epoch.

    Returns:
        A factor in (0, 1].

    Examples:
        >>> [lr_factor(ScheduleConfig("linear", warmup=0.5), step, 4, 2) for step in range(4)]
        [0.5, 1.0, 1.0, 0.5]
        >>> [lr_factor(ScheduleConfig("linear", cycles=2), step, 4, 2) for step in range(4)]
        [1.0, 0.5, 1.0, 0.5]
        >>> [lr_factor(ScheduleConfig("exponential", gamma=0.5), step, 5, 2) for step in range(5)]
        [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    warmup = round(schedule.warmup * total)
    if step < warmup:
        return (step + 1) / warmup
    cycles = schedule.cycles or 1
    gone = (step - warmup) * cycles % (total - warmup)
    progress = gone / (total - warmup)
    match schedule.name:
        case "constant":
            return 1.0
        case "cosine":
            left = (1.0 + math.cos(math.pi * progress)) / 2.0
        case "linear":
            left = 1.0 - progress
        case "exponential":
            left = schedule.gamma ** (gone // (cycles * epoch))
    return schedule.floor + (1.0 - schedule.floor) * left


def cycle_ends(schedule: ScheduleConfig, total: int) -> tuple[int, ...]:
    """Return the steps, counted from 1, that end a cycle of the learning rate.

        ceil(w + (total - w) m / c)   for m = 1, ..., c,   w = round(warmup * total)

    Args:
        schedule: Warm-up share and cycles c.
        total: All steps of the training.

    Raises:
        RecipeError: There are more cycles than steps for them.

    Examples:
        >>> cycle_ends(ScheduleConfig("cosine", cycles=3), 10)
        (4, 7, 10)
    """
    warmup, cycles = round(schedule.warmup * total), schedule.cycles or 1
    if cycles > total - warmup:
        raise RecipeError(
            f"{recipe_field('schedule.cycles')} must be at most {total - warmup}, the steps after the warm-up; got "
            f"{cycles!r}."
        )
    return tuple(warmup - (warmup - total) * number // cycles for number in range(1, cycles + 1))
