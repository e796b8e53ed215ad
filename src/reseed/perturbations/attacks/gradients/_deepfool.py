"""The nearest wrong answer of a network that is taken for linear, again and again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from reseed._errors import InputError
from reseed.perturbations.attacks.core._asked import Model
from reseed.perturbations.attacks.core._attack import AbstractAttack
from reseed.perturbations.attacks.core._attacked import Attacked
from reseed.perturbations.attacks.core._budget import Norm, column, norm_of
from reseed.perturbations.attacks.core._given import Bounds, Numbers
from reseed.perturbations.attacks.core._hunt import Hunt
from reseed.perturbations.attacks.core._settings import check_counts
from reseed.perturbations.attacks.gradients._line import bisected, check_bisections


@final
@dataclass(frozen=True)
class DeepFool(AbstractAttack):
    """Steps to the nearest boundary of the linearised network; see `deepfool`.

    Attributes:
        steps: Most steps.
        overshoot: By what share each step goes further than to the boundary.
        candidates: How many other classes are looked at.
        bisections: How often the way from the input to what was found is halved.
    """

    norms: ClassVar[tuple[Norm, ...]] = ("2", "inf")
    is_minimal: ClassVar[bool] = True
    steps: int = 50
    overshoot: float = 0.02
    candidates: int = 9
    bisections: int = 0

    def __post_init__(self) -> None:
        check_counts(steps=self.steps, candidates=self.candidates)
        check_bisections(self.bisections)
        if not 0 <= self.overshoot < math.inf:
            raise InputError(f"overshoot must be 0 or more and finite, got {self.overshoot!r}.")

    def hunt(self, hunt: Hunt, seed: int) -> None:
        """Step until the answer is wrong, then go back along the line."""
        points, others = hunt.clean, self._others(hunt)
        for step in range(self.steps):
            gaps, slopes = _gaps(hunt, points, others, steps=int(step > 0))
            there, is_stuck = self._stepped(hunt, points, gaps, slopes)
            points, others = hunt.settled(there, others, given_up=hunt.is_found | is_stuck)
            if hunt.is_over:
                break
        if not hunt.is_over:
            hunt.look(points)
        hunt.rejoin()
        bisected(hunt, self.bisections)

    def _others(self, hunt: Hunt) -> Tensor:
        """Return the classes that are most likely at the inputs, without the targets, [item, class]."""
        rest = hunt.best_logits.scatter(1, hunt.items.targets[:, None], -torch.inf)
        return rest.topk(min(self.candidates, hunt.classes - 1), dim=1).indices

    def _stepped(self, hunt: Hunt, points: Tensor, gaps: Tensor, slopes: Tensor) -> tuple[Tensor, Tensor]:
        """Return points behind the nearest boundary, and who finds none."""
        nearest = torch.full_like(gaps[:, 0], torch.inf)
        towards = torch.zeros_like(points)
        for gap, slope in zip(gaps.unbind(1), slopes, strict=True):
            step = hunt.budget.ascent(slope, points)
            growth = (step * slope).flatten(1).sum(1)
            length = torch.where(growth > 0, -gap / growth, torch.inf)
            closer = length < nearest
            nearest = torch.where(closer, length, nearest)
            towards = torch.where(column(closer, step), step, towards)
        # Steps that rounding would swallow are made as long as it takes to be one.
        least = (4 * torch.finfo(points.dtype).eps * norm_of(points, hunt.budget.norm)).to(points.dtype)
        length = (1 + self.overshoot) * torch.maximum(nearest, least)
        is_stuck = ~length.isfinite()
        moved = points + column(length.masked_fill(is_stuck, 0), points) * towards
        return hunt.budget.project(moved), is_stuck


def _gaps(hunt: Hunt, points: Tensor, others: Tensor, *, steps: int) -> tuple[Tensor, Tensor]:
    """Return how far other answers are ahead of the right one, [item, other], and the gradients, [other, item, ...].

    With a goal there is one other: the goal, against whichever class is then the strongest.
    """
    if hunt.items.goal is None:
        return hunt.look_at_gaps(points, others, steps=steps)
    look = hunt.look(points, "margin", gradient=True, steps=steps)
    return look.value[:, None], look.gradient[None]


def deepfool(
    model: Model,
    inputs: Numbers,
    targets: Numbers,
    *,
    epsilon: float | Numbers | None = None,
    norm: Norm = "2",
    bounds: Bounds = (0.0, 1.0),
    steps: int = 50,
    overshoot: float = 0.02,
    candidates: int = 9,
    bisections: int = 0,
    goal: Numbers | None = None,
    frozen: Numbers | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Attacked:
    """Look for the nearest wrongly answered point, step by step as if the network were linear (Moosavi-Dezfooli 2016).

    Each step goes to the nearest of the boundaries z_c = z_y of the network's linear approximation, a distance of
    (z_y - z_c) / ||grad (z_y - z_c)||_q for the norm's dual q, and ``overshoot`` beyond; features that the bounds stop
    have no part in it. On a linear network without bounds the first step finds the exact distance. Otherwise
    ``distance`` is an upper bound of it.

    Args:
        model: See `pgd`, as for all others.
        inputs: [sample, ...].
        targets: The right answers, [sample].
        epsilon: How far inputs may be changed; None: as far as it takes.
        norm: ``"2"`` or ``"inf"``.
        bounds: The least and the largest value of inputs.
        steps: Most steps.
        overshoot: By what share each step goes further than to the boundary, 0 or more.
        candidates: How many other classes are looked at, those most likely at the input; each costs a gradient.
        bisections: How often the way from the input to the point found is halved, which brings ``distance`` down to
            the boundary's on this line: each costs a query.
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
        A margin of 0.3 and weights that differ by 2 in each of two inputs: 0.3 / sqrt(8).

        >>> network = torch.nn.Linear(2, 2, bias=False).eval()
        >>> _ = network.weight.data.copy_(torch.tensor([[1.0, -1.0], [-1.0, 1.0]]))
        >>> inputs, targets = torch.tensor([[0.575, 0.425]]), torch.tensor([0])
        >>> round(deepfool(network, inputs, targets, bisections=20).distance.item(), 4)
        0.1061
    """
    attack = DeepFool(steps, overshoot, candidates, bisections)
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
