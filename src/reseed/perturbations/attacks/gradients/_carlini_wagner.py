"""The nearest wrong answer by descent on distance and margin together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from reseed.perturbations.attacks.core._asked import Model
from reseed.perturbations.attacks.core._attack import AbstractAttack
from reseed.perturbations.attacks.core._attacked import Attacked
from reseed.perturbations.attacks.core._budget import Budget, Norm, column
from reseed.perturbations.attacks.core._given import Bounds, Numbers
from reseed.perturbations.attacks.core._hunt import Hunt
from reseed.perturbations.attacks.gradients._line import bisected, check_bisections
from reseed.perturbations.attacks.gradients._weighed import Progress, check_weighed, search_weights


@final
@dataclass(frozen=True)
class CarliniWagner(AbstractAttack):
    """Descent on distance and margin together; see `carlini_wagner`.

    Attributes:
        steps: Most steps of each round.
        rounds: How many weights of the margin are tried.
        rate: The step size of Adam, as a share of the bounds' width, or without bounds of 1.
        weight: The first weight of the margin.
        bisections: How often the way from the input to what was found is halved.
    """

    norms: ClassVar[tuple[Norm, ...]] = ("2",)
    is_minimal: ClassVar[bool] = True
    steps: int = 100
    rounds: int = 6
    rate: float = 0.01
    weight: float = 0.1
    bisections: int = 8

    def __post_init__(self) -> None:
        check_weighed(self.steps, self.rounds, self.rate, self.weight)
        check_bisections(self.bisections)

    def hunt(self, hunt: Hunt, seed: int) -> None:
        """Descend with each weight, then go back along the line."""
        search_weights(hunt, self.weight, self.rounds, self.steps, self._descend)
        bisected(hunt, self.bisections)

    def _descend(self, hunt: Hunt, weights: Tensor, progress: Progress) -> None:
        points = hunt.clean
        first, second = torch.zeros_like(points), torch.zeros_like(points)
        for step in range(self.steps):
            look = hunt.look(points, "margin", gradient=True)
            change = points - hunt.clean
            objective = change.square().flatten(1).sum(1) + weights * (-look.value).clamp_min(0)
            slope = 2 * change - column(weights * ~look.is_wrong, points) * look.gradient
            first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope.square()
            moved = first / (1 - 0.9 ** (step + 1)) / ((second / (1 - 0.999 ** (step + 1))).sqrt() + 1e-8)
            # Steps become shorter, or points would go on swinging about the boundary in each feature.
            rate = self.rate * (1 - step / self.steps)
            points = hunt.budget.project(points - rate * _width(hunt.budget) * hunt.budget.masked(moved))
            points, first, second, weights = progress.settled(
                step, look.is_wrong, objective, points, first, second, weights
            )
            if hunt.is_over:
                return


def _width(budget: Budget) -> Tensor:
    """Return how wide the box is at each feature, or 1 where it has no end, [item, ...]."""
    width = budget.upper - budget.lower
    return torch.where(width.isfinite(), width, 1.0)


def carlini_wagner(
    model: Model,
    inputs: Numbers,
    targets: Numbers,
    *,
    epsilon: float | Numbers | None = None,
    norm: Norm = "2",
    bounds: Bounds = (0.0, 1.0),
    steps: int = 100,
    rounds: int = 6,
    rate: float = 0.01,
    weight: float = 0.1,
    bisections: int = 8,
    goal: Numbers | None = None,
    frozen: Numbers | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Attacked:
    """Look for the nearest wrongly answered point by descent on distance and margin together (Carlini, Wagner 2017).

    Adam minimises ||x' - x||_2^2 + c max(z_y - max over j != y of z_j, 0) from the input, with steps that become
    shorter; points are moved back into the bounds after each, where the paper writes them as a hyperbolic tangent,
    which hardly moves features that lie on a bound. Each sample has a weight c of its own: 10 times as large after a
    round without a wrong answer, else halved towards the least that had one. A sample leaves a round when its
    objective no longer falls. The nearest wrong point of all rounds is returned.

    Args:
        model: See `pgd`, as for all others.
        inputs: [sample, ...].
        targets: The right answers, [sample].
        epsilon: How far inputs may be changed; None: as far as it takes.
        norm: ``"2"``.
        bounds: The least and the largest value of inputs.
        steps: Most steps of each round.
        rounds: How many weights are tried.
        rate: Adam's first step size, as a share of the width of the bounds, without bounds of 1: a feature changes by
            at most half of rate times steps.
        weight: The first weight c.
        bisections: How often the way from the input to the point found is halved.
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
        >>> network = torch.nn.Linear(2, 2, bias=False).eval()
        >>> _ = network.weight.data.copy_(torch.tensor([[1.0, -1.0], [-1.0, 1.0]]))
        >>> inputs, targets = torch.tensor([[0.575, 0.425]]), torch.tensor([0])
        >>> round(carlini_wagner(network, inputs, targets).distance.item(), 2)
        0.11
    """
    attack = CarliniWagner(steps, rounds, rate, weight, bisections)
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
