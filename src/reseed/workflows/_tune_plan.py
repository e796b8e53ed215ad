"""Successive halving: how many candidates get how many runs, and which of them go on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reseed._arguments import argument
from reseed._bounds import check_bound
from reseed._errors import InputError

_FIRST_RUNS = 2  # the fewest that can disagree
_FEWEST_CONFIRMED = 5  # with fewer, effects of a third of the entropy go unnoticed
_HELD_BACK = 0.5  # share of what is left that the confirmation gets: few runs there and no effect is distinguishable


@dataclass(frozen=True)
class Trial:
    """A candidate on a rung.

    Attributes:
        name: its methods.
        recipe: digest of its recipe in the search.
        runs: runs that are compared.
        label_entropy: mean label entropy in nats; this and the next three are NaN where runs diverged.
        reduction: by how many percent that is lower than the control's.
        accuracy_difference: accuracy less the control's, a share.
        accuracy_bound: upper end of its one-sided 95 % interval over samples, paired.
        cost: samples that a training sees, relative to the control's.
        goes_on: whether it is on the next rung, or won.
    """

    name: str
    recipe: str
    runs: int
    label_entropy: float
    reduction: float
    accuracy_difference: float
    accuracy_bound: float
    cost: float
    goes_on: bool = False

    @property
    def diverged(self) -> bool:
        """Whether runs diverged, so that there is nothing to compare."""
        return math.isnan(self.label_entropy)

    @property
    def loses_accuracy(self) -> bool:
        """Whether accuracy is significantly lower than the control's."""
        return self.accuracy_bound < 0

    @property
    def outcome(self) -> str:
        """What became of it, in words."""
        if self.diverged:
            return "diverged"
        if self.loses_accuracy:
            return "loses accuracy"
        if not self.reduction > 0:
            return "not more stable"
        return "goes on" if self.goes_on else "others are better"


@dataclass(frozen=True)
class Rung:
    """So many candidates with so many runs each, earlier rungs' runs included."""

    count: int
    runs: int


def check_budget(budget: float, costs: Sequence[float], ways: int = 1) -> None:
    """Accept a budget that suffices for one candidate and its confirmation.

    Args:
        budget: Trainings of the control.
        costs: What a training of each candidate costs.
        ways: In how many ways the winner is confirmed: two, where the training data changes as well.

    Raises:
        InputError: It does not, or is no finite number, or more than a study can have runs.
    """
    least = _FIRST_RUNS * (1 + min(costs)) + ways * _FEWEST_CONFIRMED * (2 + min(costs))
    if not least <= budget < math.inf:
        raise InputError(
            f"{argument('budget')} {budget:g} is too small or no number; pass at least {math.ceil(least)} trainings."
        )
    check_bound("runs", budget, argument("budget"))


def plan_rungs(budget: float, costs: Sequence[float], done: int = 0, ways: int = 1) -> tuple[Rung, ...]:
    """Return the rungs with the most candidates that a budget allows, whichever go on; none if it allows no candidate.

    Half of the budget is held back for the confirmation, and five runs of each study at least. Every rung keeps the
    best third, rounded up, and doubles the runs, the control's too, until one is left.

    Args:
        budget: Trainings of the control, the confirmation included.
        costs: What a training of each candidate costs, in their order.
        done: Runs of the control that are there.
        ways: In how many ways the winner is confirmed, each with five runs of each study at least.

    Examples:
        >>> plan_rungs(40, [1.0] * 20)
        (Rung(count=6, runs=2), Rung(count=2, runs=4))
        >>> plan_rungs(12, [1.0] * 20)
        ()
    """
    for count in range(len(costs), 0, -1):
        dearest = sorted(costs[:count], reverse=True)
        rungs = _rungs(count)
        held = max(_HELD_BACK * budget, ways * _FEWEST_CONFIRMED * (2 + dearest[0]))
        before, most = 0, max(rungs[-1].runs - done, 0.0)
        for rung in rungs:
            most += (rung.runs - before) * sum(dearest[: rung.count])
            before = rung.runs
        if held + most <= budget:
            return rungs
    return ()


def _rungs(count: int) -> tuple[Rung, ...]:
    rungs, runs = [Rung(count, _FIRST_RUNS)], _FIRST_RUNS
    while (count := math.ceil(count / 3)) > 1:
        runs *= 2
        rungs.append(Rung(count, runs))
    return tuple(rungs)


def choose(trials: Sequence[Trial], count: int) -> tuple[int, ...]:
    """Return the places of the ``count`` lowest label entropies among those that may go on.

    Those that diverged, lose accuracy significantly or are no more stable than the control may not.

    Args:
        trials: The candidates of a rung; ties go to the first.
        count: The most that go on.
    """
    allowed = [
        place
        for place, trial in enumerate(trials)
        if not (trial.diverged or trial.loses_accuracy) and trial.reduction > 0
    ]
    return tuple(sorted(allowed, key=lambda place: trials[place].label_entropy)[:count])
