"""The nearest wrong answer that changes few features."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, final

import torch
from torch import Tensor

from reseed._errors import InputError
from reseed.perturbations.attacks.core._asked import Model
from reseed.perturbations.attacks.core._attack import AbstractAttack
from reseed.perturbations.attacks.core._attacked import Attacked
from reseed.perturbations.attacks.core._budget import Budget, Norm, column
from reseed.perturbations.attacks.core._given import Bounds, Numbers
from reseed.perturbations.attacks.core._hunt import Hunt
from reseed.perturbations.attacks.gradients._weighed import Progress, check_weighed, search_weights

Rule = Literal["l1", "en"]


@final
@dataclass(frozen=True)
class Ead(AbstractAttack):
    """Descent on the elastic net and the margin together; see `ead`.

    Attributes:
        steps: Most steps of each round.
        rounds: How many weights of the margin are tried.
        rate: The first step size.
        weight: The first weight of the margin.
        beta: The weight of the norm 1.
        rule: By what the nearest is the nearest.
    """

    norms: ClassVar[tuple[Norm, ...]] = ("1",)
    is_minimal: ClassVar[bool] = True
    steps: int = 100
    rounds: int = 6
    rate: float = 0.01
    weight: float = 0.1
    beta: float = 0.01
    rule: Rule = "l1"

    def __post_init__(self) -> None:
        check_weighed(self.steps, self.rounds, self.rate, self.weight)
        if not 0 <= self.beta < math.inf:
            raise InputError(f"beta must be 0 or more and finite, got {self.beta!r}.")
        if self.rule not in ("l1", "en"):
            raise InputError(f"rule must be 'l1' or 'en', got {self.rule!r}.")

    def measure(self, budget: Budget, points: Tensor) -> Tensor:
        """Return the norm 1 of what was changed, or the elastic net, [item]."""
        if self.rule == "l1":
            return budget.distance(points)
        return self._elastic_net(points.double() - budget.clean.double())

    def hunt(self, hunt: Hunt, seed: int) -> None:
        """Descend with each weight."""
        search_weights(hunt, self.weight, self.rounds, self.steps, self._descend)

    def _elastic_net(self, change: Tensor) -> Tensor:
        flat = change.flatten(1)
        return flat.square().sum(1) + self.beta * flat.abs().sum(1)

    def _descend(self, hunt: Hunt, weights: Tensor, progress: Progress) -> None:
        points = ahead = hunt.clean
        for step in range(self.steps):
            look = hunt.look(ahead, "margin", gradient=True)
            pull = column(weights * (look.value <= 0), ahead)
            slope = 2 * (ahead - hunt.clean) - pull * look.gradient
            rate = self.rate * math.sqrt(1 - step / self.steps)
            change = ahead - rate * slope - hunt.clean
            shrunk = hunt.clean + change.sign() * (change.abs() - self.beta).clamp_min(0)
            there = hunt.budget.project(torch.where(change.abs() > self.beta, shrunk, hunt.clean))
            seen = hunt.look(there, steps=0)
            objective = self._elastic_net(there - hunt.clean) + weights * (-seen.value).clamp_min(0)
            # The point ahead is asked about too, so that it has to be allowed.
            ahead = hunt.budget.project(there + step / (step + 3) * (there - points))
            points = there
            points, ahead, weights = progress.settled(
                step, look.is_wrong | seen.is_wrong, objective, points, ahead, weights
            )
            if hunt.is_over:
                return


def ead(
    model: Model,
    inputs: Numbers,
    targets: Numbers,
    *,
    epsilon: float | Numbers | None = None,
    norm: Norm = "1",
    bounds: Bounds = (0.0, 1.0),
    steps: int = 100,
    rounds: int = 6,
    rate: float = 0.01,
    weight: float = 0.1,
    beta: float = 0.01,
    rule: Rule = "l1",
    goal: Numbers | None = None,
    frozen: Numbers | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Attacked:
    """Look for the nearest wrongly answered point that changes few features (Chen et al. 2018, EAD).

    Minimises ||x' - x||_2^2 + beta ||x' - x||_1 + c max(z_y - max over j != y of z_j, 0) by accelerated steps of which
    each moves what was changed by less than beta back to the input. The weight c is found as in `carlini_wagner`.

    Args:
        model: See `pgd`, as for all others.
        inputs: [sample, ...].
        targets: The right answers, [sample].
        epsilon: How far inputs may be changed, in the norm 1; None: as far as it takes.
        norm: ``"1"``.
        bounds: The least and the largest value of inputs.
        steps: Most steps of each round.
        rounds: How many weights are tried.
        rate: The first step size, which falls to 0 with the square root of what is left.
        weight: The first weight c.
        beta: The weight of the norm 1; changes that a step leaves smaller are undone.
        rule: By what the nearest of all wrong points is the nearest: ``"l1"``, the norm 1, or ``"en"``, the first two
            terms together. ``distance`` is the norm 1 either way.
        goal: The answers wanted, [sample].
        frozen: Where true features stay as they are.
        seed: Without effect.
        batch_size: How many samples are attacked at once.

    Returns:
        What was found of each sample; see `Attacked`.

    Raises:
        InputError: An argument is out of its range or does not fit the others.
        InputTypeError: One is of a wrong type.

    Examples:
        Of two inputs the one with the larger weight is enough:

        >>> network = torch.nn.Linear(2, 2, bias=False).eval()
        >>> _ = network.weight.data.copy_(torch.tensor([[2.0, -1.0], [-2.0, 1.0]]))
        >>> found = ead(network, torch.tensor([[0.575, 0.425]]), torch.tensor([0]))
        >>> (found.inputs != torch.tensor([[0.575, 0.425]])).tolist()
        [[True, False]]
    """
    attack = Ead(steps, rounds, rate, weight, beta, rule)
    return attack(
        model,
        inputs,
        targets,
        epsilon=epsilon,
        norm=norm,
        bounds=bounds,
        goal=goal,
        frozen=frozen,
        seed=seed,
        batch_size=batch_size,
    )
