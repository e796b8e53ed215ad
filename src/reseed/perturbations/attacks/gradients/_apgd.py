"""Projected gradient descent that finds its own step size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, final

import torch
from torch import Tensor

from reseed._draws import draw_key
from reseed.perturbations.attacks.core._asked import Model
from reseed.perturbations.attacks.core._attack import AbstractAttack
from reseed.perturbations.attacks.core._attacked import Attacked
from reseed.perturbations.attacks.core._budget import Norm, column
from reseed.perturbations.attacks.core._given import Bounds, Numbers
from reseed.perturbations.attacks.core._hunt import Hunt
from reseed.perturbations.attacks.core._losses import Loss, check_loss
from reseed.perturbations.attacks.core._settings import check_counts

_KEPT = 0.75  # what share of the new step is taken, the rest is the step before
_RISING = 0.75  # what share of steps must have risen for the step size to stay


@final
@dataclass(frozen=True)
class Apgd(AbstractAttack):
    """Projected gradient descent that finds its own step size; see `apgd`.

    Attributes:
        steps: How many steps each restart takes.
        restarts: How often to begin anew with those that are left.
        random_start: Whether to begin at a point drawn from the ball, rather than at the input.
        loss: What is made large.
    """

    steps: int = 100
    restarts: int = 1
    random_start: bool = True
    loss: Loss = "cross_entropy"

    def __post_init__(self) -> None:
        check_loss(self.loss)
        check_counts(steps=self.steps, restarts=self.restarts)

    def hunt(self, hunt: Hunt, seed: int) -> None:
        """Climb from each start."""
        loss = hunt.usable(self.loss)
        for restart in range(self.restarts):
            key = draw_key(seed, restart, 0)
            begins = self.random_start or restart > 0
            self._climb(hunt, hunt.budget.random_start(key, hunt.items.samples) if begins else hunt.clean, loss)
            if hunt.is_over:
                return

    def _climb(self, hunt: Hunt, points: Tensor, loss: Loss) -> None:
        checks, last = _checkpoints(self.steps), 0
        climb = _begun(points, hunt.budget.epsilon * (1 if hunt.budget.norm == "1" else 2))
        for step in range(self.steps):
            look = hunt.look(climb.points, loss, gradient=True, steps=int(step > 0))
            climb = _Climb(*hunt.settled(*_seen(climb, look.value, look.gradient)))
            if hunt.is_over:
                return
            if step in checks:
                climb = _checked(climb, step - last)
                last = step
            length = column(climb.length, climb.points)
            towards = hunt.budget.ascent(climb.gradient, climb.points)
            there = hunt.budget.project(climb.points + length * towards)
            # Where there is no step before, at the start and back at the best point, the whole new one is taken.
            moved = (climb.points != climb.before).flatten(1).any(1)
            kept = column(torch.where(moved, _KEPT, 1.0).to(there.dtype), there)
            there = climb.points + kept * (there - climb.points) + (1 - kept) * (climb.points - climb.before)
            climb = climb._replace(points=hunt.budget.project(there), before=climb.points)
        hunt.look(climb.points, loss)
        hunt.settled()


class _Climb(NamedTuple):
    """Where each item is on its way; all begin with [item]."""

    points: Tensor
    before: Tensor
    gradient: Tensor
    value: Tensor
    length: Tensor
    best: Tensor
    best_gradient: Tensor
    best_value: Tensor
    rises: Tensor
    best_at_check: Tensor
    was_halved: Tensor


def _begun(points: Tensor, length: float) -> _Climb:
    none = torch.full_like(points.flatten(1)[:, 0], -torch.inf)
    zeros = torch.zeros_like(none)
    return _Climb(
        points=points,
        before=points,
        gradient=torch.zeros_like(points),
        value=none,
        length=torch.full_like(none, length),
        best=points,
        best_gradient=torch.zeros_like(points),
        best_value=none,
        rises=zeros,
        best_at_check=none,
        was_halved=torch.ones_like(none, dtype=torch.bool),  # so that the first check asks about the rises alone
    )


def _seen(climb: _Climb, value: Tensor, gradient: Tensor) -> _Climb:
    """Return what is known after a look."""
    is_best = value > climb.best_value
    rows = column(is_best, gradient)
    return climb._replace(
        gradient=gradient,
        value=value,
        rises=climb.rises + (value > climb.value),
        best=torch.where(rows, climb.points, climb.best),
        best_gradient=torch.where(rows, gradient, climb.best_gradient),
        best_value=torch.where(is_best, value, climb.best_value),
    )


def _checked(climb: _Climb, steps: int) -> _Climb:
    """Halve the steps of those that rise too rarely, or not above their best, and take them back to it."""
    rarely = climb.rises < _RISING * steps
    stuck = ~climb.was_halved & (climb.best_value <= climb.best_at_check)
    halved = rarely | stuck
    rows = column(halved, climb.points)
    points = torch.where(rows, climb.best, climb.points)
    return climb._replace(
        points=points,
        before=torch.where(rows, climb.best, climb.before),
        gradient=torch.where(rows, climb.best_gradient, climb.gradient),
        value=torch.where(halved, climb.best_value, climb.value),
        length=torch.where(halved, climb.length / 2, climb.length),
        rises=torch.zeros_like(climb.rises),
        best_at_check=climb.best_value,
        was_halved=halved,
    )


def _checkpoints(steps: int) -> set[int]:
    """Return the steps at which the step size is looked at; they come closer to each other, down to 6 % of all.

    Examples:
        >>> sorted(_checkpoints(100))
        [22, 41, 57, 70, 80, 87, 93, 99]
    """
    found, share, width = set(), 0.22, 0.22
    while share < 1:
        found.add(math.ceil(round(share * steps, 6)))
        width = max(width - 0.03, 0.06)
        share += width
    return found


def apgd(
    model: Model,
    inputs: Numbers,
    targets: Numbers,
    *,
    epsilon: float | Numbers,
    norm: Norm = "inf",
    bounds: Bounds = (0.0, 1.0),
    steps: int = 100,
    restarts: int = 1,
    random_start: bool = True,
    loss: Loss = "cross_entropy",
    goal: Numbers | None = None,
    frozen: Numbers | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Attacked:
    """Change inputs by projected gradient descent without a step size to choose (Croce and Hein 2020).

    The step begins at 2 ``epsilon`` (for the norm 1 at ``epsilon``) with a momentum of one quarter of the step before.
    At checkpoints, which come closer to each other, it is halved, each sample for itself, where the loss has risen in
    fewer than 3 of 4 steps, or its best value has not risen at all; the sample then goes back to its best point.

    Args:
        model: See `pgd`, as for all others.
        inputs: [sample, ...].
        targets: The right answers, [sample].
        epsilon: How far inputs may be changed.
        norm: ``"inf"``, ``"2"`` or ``"1"``.
        bounds: The least and the largest value of inputs.
        steps: Most steps of each restart.
        restarts: How often those that are left are tried again from other points.
        random_start: Whether to begin at a point of the ball rather than at the input.
        loss: ``"cross_entropy"``, ``"margin"`` or ``"dlr"``.
        goal: The answers wanted, [sample].
        frozen: Where true features stay as they are.
        seed: Of what is drawn.
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
        >>> [apgd(network, inputs, targets, epsilon=each).success.item() for each in (0.074, 0.076)]
        [False, True]
    """
    attack = Apgd(steps, restarts, random_start, loss)
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
