"""The one way in which every attack is asked: arguments are checked, the search runs, what was found is given back.

An attack is a frozen dataclass of its settings that writes `hunt` and nothing else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import ClassVar, final

import torch
from torch import Tensor

from reseed._errors import InputError
from reseed._numbers import check_whole
from reseed.perturbations.attacks.core._asked import Asked, Model
from reseed.perturbations.attacks.core._attacked import Attacked
from reseed.perturbations.attacks.core._budget import NORMS, Budget, Norm, norm_of
from reseed.perturbations.attacks.core._given import Bounds, Given, Numbers, budget_for, given_inputs, labels_of
from reseed.perturbations.attacks.core._hunt import Found, Hunt, Items

_AT_ONCE = 1 << 22  # numbers of the inputs that are attacked together


@dataclass(frozen=True)
class AbstractAttack(ABC):
    """An attack with its settings.

    Subclasses write `hunt`. ``norms`` are those that it can be asked for; ``is_minimal`` says that it looks for the
    nearest wrong answer, so that ``epsilon`` may be None; ``needs_gradients`` that functions without them will not do.
    """

    norms: ClassVar[tuple[Norm, ...]] = NORMS
    is_minimal: ClassVar[bool] = False
    needs_gradients: ClassVar[bool] = True

    @abstractmethod
    def hunt(self, hunt: Hunt, seed: int) -> None:
        """Look for wrong answers until the hunt is over, or the attack has no more to try.

        Args:
            hunt: The items, and what was found of them; not over.
            seed: Of everything that is drawn, a 32-bit word.
        """

    def measure(self, budget: Budget, points: Tensor) -> Tensor:
        """Return how far points are from the clean inputs, which minimal attacks make small, [item]."""
        return budget.distance(points)

    @property
    def name(self) -> str:
        """What tables call it."""
        return type(self).__name__

    @final
    def __call__(
        self,
        model: Model,
        inputs: Numbers,
        targets: Numbers,
        *,
        epsilon: float | Numbers | None,
        norm: Norm = "inf",
        bounds: Bounds = (0.0, 1.0),
        goal: Numbers | None = None,
        frozen: Numbers | None = None,
        seed: int = 0,
        batch_size: int | None = None,
    ) -> Attacked:
        """Change inputs so that their answers become wrong; see `pgd` for the arguments, which all attacks have.

        Raises:
            InputError: An argument is out of its range or does not fit the others; the message names it.
            InputTypeError: One is of a wrong type, such as images of whole numbers.
        """
        self.check(norm, seed)
        check_batch_size(batch_size)
        asked = Asked(model)
        given = given_inputs(inputs, asked)
        budget = budget_for(given, epsilon, norm, bounds, frozen, is_minimal=self.is_minimal)
        right = labels_of(targets, "targets", given, asked.runs)
        wanted = None if goal is None else labels_of(goal, "goal", given, asked.runs)
        samples = torch.arange(len(given.placed), device=given.placed.device)
        runs = asked.runs or 1
        size = batch_size or rows_at_once(given.placed, asked)
        parts = []
        for rows in torch.split(samples, size):
            numbers = torch.arange(runs, device=rows.device).repeat_interleave(len(rows))
            goals = None if wanted is None else wanted[:, rows].flatten()
            items = Items(right[:, rows].flatten(), goals, numbers, rows.repeat(runs))
            found = self.search(asked, budget.of(items.samples), items, seed)
            parts.append({each.name: getattr(found, each.name).unflatten(0, (runs, -1)) for each in fields(found)})
        return _given_back(parts, given, asked, norm)

    def check(self, norm: str, seed: int) -> None:
        """Accept a norm that the attack knows, and a seed.

        Raises:
            InputError: Either is none.
        """
        if norm not in self.norms:
            known = ", ".join(map(repr, self.norms))
            raise InputError(f"norm must be one of {known} for the attack {self.name}, got {norm!r}.")
        check_whole("seed", seed, 0)

    @final
    def search(self, asked: Asked, budget: Budget, items: Items, seed: int) -> Found:
        """Return what the attack finds of items that were checked, each of any run."""
        hunt = Hunt(asked, budget, items, is_minimal=self.is_minimal, measure=self.measure)
        if not hunt.is_over:
            self.hunt(hunt, seed & 0xFFFFFFFF)
        return hunt.close()


def check_batch_size(batch_size: int | None) -> None:
    """Accept a number of samples that are attacked at once, or None.

    Raises:
        InputError: It is none.
    """
    if batch_size is not None:
        check_whole("batch_size", batch_size)


def rows_at_once(inputs: Tensor, asked: Asked) -> int:
    """Return how many samples [sample, ...] of each run to attack at once."""
    return max(1, _AT_ONCE // ((asked.runs or 1) * max(1, inputs[0].numel())))


def _given_back(parts: list[dict[str, Tensor]], given: Given, asked: Asked, norm: Norm) -> Attacked:
    joined = {name: torch.cat([part[name] for part in parts], dim=1) for name in parts[0]}
    joined["inputs"] = given.returned(joined["inputs"], joined["distance"])
    if given.exact.dtype != given.placed.dtype:  # rounding has moved them a little
        moved = (joined["inputs"].double() - given.exact.double()).flatten(0, 1)
        joined["distance"] = norm_of(moved, norm).view_as(joined["distance"])
    if asked.runs is None:
        joined = {name: value[0] for name, value in joined.items()}
    return Attacked(**{name: given.like(value) for name, value in joined.items()})
