"""Successive halving: how many candidates get how many runs, and which of them go on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reseed._errors import InputError

_FIRST_RUNS = 3  # the fewest whose intervals cover other runs
_CONFIRMED = 0.3  # share of the budget for the confirmation


@dataclass(frozen=True)
class Rung:
    """So many candidates with so many runs each, earlier rungs' runs included."""

    count: int
    runs: int


@dataclass(frozen=True)
class SearchPlan:
    """What a budget is spent on.

    Attributes:
        rungs: the rungs, in order.
        confirmed: runs of control, second control and winner in the confirmation.
        cost: the most that all of it costs, in trainings of the control.
    """

    rungs: tuple[Rung, ...]
    confirmed: int
    cost: float


@dataclass(frozen=True)
class Score:
    """What a rung says of a candidate.

    Attributes:
        label_entropy: mean label entropy in nats.
        accuracy_bound: upper end of the one-sided 95 % interval of accuracy less the control's.
    """

    label_entropy: float
    accuracy_bound: float


def plan_search(budget: float, costs: Sequence[float]) -> SearchPlan:
    """Return the plan with the most candidates that a budget allows, whichever of them go on.

    Every rung keeps the best third, rounded up, and doubles the runs, the control's too, until one is left.

    Args:
        budget: Trainings of the control.
        costs: What a training of each candidate costs, in their order.

    Raises:
        InputError: The budget does not suffice for one candidate.

    Examples:
        >>> plan_search(40, [1.0] * 20).rungs
        (Rung(count=5, runs=3), Rung(count=2, runs=6))
    """
    for count in range(min(len(costs), int(max(budget, 0.0) if math.isfinite(budget) else 0)), 0, -1):
        chosen = sorted(costs[:count], reverse=True)
        each = 2 + chosen[0]
        rungs = _rungs(count)
        search, before = 0.0, 0
        for rung in rungs:
            search += (rung.runs - before) * (1 + sum(chosen[: rung.count]))
            before = rung.runs
        confirmed = max(_FIRST_RUNS, int(_CONFIRMED * budget / each))
        if search + confirmed * each <= budget:
            confirmed = int((budget - search) / each)
            return SearchPlan(rungs, confirmed, search + confirmed * each)
    least = _FIRST_RUNS * (3 + 2 * min(costs))
    raise InputError(f"budget {budget:g} is too small or no number; pass at least {math.ceil(least)} trainings.")


def _rungs(count: int) -> tuple[Rung, ...]:
    rungs, runs = [Rung(count, _FIRST_RUNS)], _FIRST_RUNS
    while (count := math.ceil(count / 3)) > 1:
        runs *= 2
        rungs.append(Rung(count, runs))
    return tuple(rungs)


def choose(scores: Sequence[Score], count: int) -> tuple[int, ...]:
    """Return the places of the ``count`` lowest label entropies among those that lose no accuracy significantly.

    Args:
        scores: One for each candidate; ties go to the first. One whose bound is below 0, or NaN, is left out.
        count: The most that go on.

    Examples:
        >>> choose([Score(0.1, -0.01), Score(0.3, 0.01), Score(0.2, 0.0)], 2)
        (2, 1)
    """
    allowed = [place for place, score in enumerate(scores) if score.accuracy_bound >= 0]
    return tuple(sorted(allowed, key=lambda place: scores[place].label_entropy)[:count])
