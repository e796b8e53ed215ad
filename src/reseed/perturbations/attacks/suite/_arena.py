"""Items of many runs, attacked in batches of which each holds as many of every run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from reseed._draws import draw_key, item_uniform
from reseed.perturbations.attacks.core._asked import Asked
from reseed.perturbations.attacks.core._attack import AbstractAttack
from reseed.perturbations.attacks.core._budget import Budget
from reseed.perturbations.attacks.core._hunt import Found, Items

_CHOSEN = 0x5EEDED  # the place of the draw by which samples are chosen


@final
@dataclass(frozen=True, eq=False)
class Arena:
    """Whom attacks are let loose on. An item's place is its run times the number of samples plus its sample.

    Attributes:
        asked: The model.
        budget: Of the samples, [sample, ...].
        targets: The right answers, [item].
        rows: Samples of each run in a batch.
        seed: Of all attacks.
    """

    asked: Asked
    budget: Budget
    targets: Tensor
    rows: int
    seed: int

    @property
    def samples(self) -> int:
        """How many samples there are."""
        return len(self.budget.clean)

    @property
    def runs(self) -> int:
        """How many networks are asked."""
        return self.asked.runs or 1

    def within(self, budget: Budget) -> Arena:
        """Return the same with another budget."""
        return replace(self, budget=budget)

    def batches(self, places: Tensor) -> Iterator[Tensor]:
        """Return places in batches, each ascending, with at most ``rows`` of each run."""
        runs = places // self.samples
        counts = runs.bincount(minlength=self.runs)
        numbers = torch.arange(len(places), device=places.device) - (counts.cumsum(0) - counts)[runs]
        for batch in range(-(-int(counts.max()) // self.rows)):
            yield places[(numbers // self.rows) == batch]

    def items(self, places: Tensor) -> Items:
        """Return the items at some places."""
        return Items(self.targets[places], None, places // self.samples, places % self.samples)

    def search(
        self, attack: AbstractAttack, places: Tensor, told: Callable[[int], None] | None = None
    ) -> Iterator[tuple[Tensor, Found]]:
        """Attack items at ascending places, and return batches of them with what was found.

        Args:
            attack: By what.
            places: Whom, [item].
            told: Called with the number of items that are done.
        """
        done = 0
        for batch in self.batches(places):
            yield batch, attack.search(self.asked, self.budget.of(batch % self.samples), self.items(batch), self.seed)
            done += len(batch)
            if told is not None:
                told(done)

    def success(self, attack: AbstractAttack, places: Tensor) -> Tensor:
        """Return which items at ascending places an attack fools, [item]."""
        is_fooled = torch.zeros(self.runs * self.samples, dtype=torch.bool, device=places.device)
        for batch, found in self.search(attack, places):
            is_fooled[batch] = found.success
        return is_fooled[places]

    def some(self, places: Tensor, most: int) -> Tensor:
        """Return at most so many of the places of each run, chosen by the seed, ascending."""
        samples = places % self.samples
        drawn = item_uniform(draw_key(self.seed & 0xFFFFFFFF, 0, _CHOSEN), samples, (1,))[:, 0]
        runs = places // self.samples
        order = torch.argsort(drawn, stable=True)
        order = order[torch.argsort(runs[order], stable=True)]  # by run, then by what was drawn
        counts = runs.bincount(minlength=self.runs)
        numbers = torch.arange(len(places), device=places.device) - (counts.cumsum(0) - counts)[runs[order]]
        return places[order[numbers < most]].sort().values
