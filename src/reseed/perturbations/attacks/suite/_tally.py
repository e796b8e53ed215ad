"""What several attacks found, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reseed.perturbations.attacks.core._attack import AbstractAttack
from reseed.perturbations.attacks.core._attacked import Attacked
from reseed.perturbations.attacks.core._given import Given
from reseed.perturbations.attacks.core._hunt import Found, Hunt
from reseed.perturbations.attacks.core._losses import margin
from reseed.perturbations.attacks.suite._arena import Arena
from reseed.perturbations.attacks.suite._efforts import is_many
from reseed.perturbations.attacks.suite._masking import Masking
from reseed.perturbations.attacks.suite._suite_result import SuiteResult, SuiteStage


class _Nothing(AbstractAttack):
    """What asks about the inputs as they are."""

    def hunt(self, hunt: Hunt, seed: int) -> None:
        """Do nothing."""


@final
class Tally:
    """What a suite found of each item so far; all begin with [item], a run after the other.

    Args:
        arena: Whom it attacks; they are asked about the clean inputs at once.
    """

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        clean = arena.budget.clean
        places = torch.arange(arena.runs * arena.samples, device=clean.device)
        parts = list(arena.search(_Nothing(), places))
        order = torch.cat([batch for batch, _ in parts]).argsort()
        names = [each.name for each in fields(Found) if each.name != "inputs"]
        found = {name: torch.cat([getattr(part, name) for _, part in parts])[order] for name in names}
        self.inputs = clean.repeat(arena.runs, *[1] * (clean.ndim - 1))
        self.was_wrong, self.logits = found["was_wrong"], found["logits"]
        self.steps, self.queries, self.distance = found["steps"], found["queries"], found["distance"]
        self.near = margin(self.logits, arena.targets)
        self.is_fooled = torch.zeros_like(self.was_wrong)
        self.first = torch.full_like(self.steps, -1)
        self.tried: list[Tensor] = []
        self.success: list[Tensor] = []
        self._spent = 0

    def begin(self, places: Tensor) -> None:
        """Begin with an attack on some items."""
        tried = torch.zeros_like(self.is_fooled)
        tried[places] = True
        self.tried.append(tried)
        self.success.append(torch.zeros_like(tried))
        self._spent = 0

    def take(self, number: int, batch: Tensor, found: Found) -> None:
        """Take what an attack found of some items."""
        self.success[-1][batch] = found.success
        self._spent += int(found.queries.sum())
        near = margin(found.logits, self.arena.targets[batch])
        better = ~self.is_fooled[batch] & (found.success | (near > self.near[batch]))
        places = batch[better]
        for name in ("inputs", "logits", "steps", "queries", "distance"):
            getattr(self, name)[places] = getattr(found, name)[better]
        self.near[places] = near[better]
        new = batch[~self.is_fooled[batch] & found.success]
        self.first[new] = number
        self.is_fooled[new] = True

    def fooled_by(self, attacks: Sequence[AbstractAttack], numbers: Sequence[int], places: Tensor) -> Tensor:
        """Return which items at ascending places one of some attacks fools, [item]; where not tried yet, try it."""
        is_fooled = torch.zeros_like(places, dtype=torch.bool)
        for number in numbers:
            is_fooled |= self.success[number][places]
        for number in numbers:
            untried = (~is_fooled & ~self.tried[number][places]).nonzero().flatten()
            if len(untried):
                is_fooled[untried] = self.arena.success(attacks[number], places[untried])
        return is_fooled

    def stage(self, name: str, attack: AbstractAttack, seconds: float) -> SuiteStage:
        """Return what the last attack did."""
        accuracy = self.of_runs(~self.was_wrong & ~self.is_fooled).mean(-1)
        tried, fooled = (self.of_runs(each[-1]).sum(-1) for each in (self.tried, self.success))
        return SuiteStage(name, attack.needs_gradients, is_many(attack), tried, fooled, accuracy, self._spent, seconds)

    def result(
        self, stages: tuple[SuiteStage, ...], masking: Masking, given: Given, *, is_cascade: bool
    ) -> SuiteResult:
        """Return all."""
        shape = (self.arena.runs, self.arena.samples)
        values = {
            "inputs": self.inputs,
            "success": self.was_wrong | self.is_fooled,
            "was_wrong": self.was_wrong,
            "steps": self.steps,
            "queries": self.queries,
            "distance": self.distance,
            "logits": self.logits,
        }
        values = {name: value.view(*shape, *value.shape[1:]) for name, value in values.items()}
        values["inputs"] = given.returned(values["inputs"], values["distance"])
        if self.arena.asked.runs is None:
            values = {name: value[0] for name, value in values.items()}
        budget = self.arena.budget
        return SuiteResult(
            stages=stages,
            worst=Attacked(**{name: given.like(value) for name, value in values.items()}),
            first=self.of_runs(self.first),
            tried=np.stack([self.of_runs(each) for each in self.tried]),
            success=np.stack([self.of_runs(each) for each in self.success]),
            clean_accuracy=self.of_runs(~self.was_wrong).mean(-1),
            accuracy=stages[-1].accuracy,
            masking=masking,
            epsilon=budget.epsilon,
            norm=budget.norm,
            is_cascade=is_cascade,
        )

    def of_runs(self, values: Tensor) -> NDArray[Any]:
        """Return values [item] as [run, sample], without the run axis where no networks are asked."""
        there = values.view(self.arena.runs, self.arena.samples).cpu().numpy()
        return there if self.arena.asked.runs is not None else there[0]
