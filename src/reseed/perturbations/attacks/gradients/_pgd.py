"""Projected gradient descent, and its first step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from reseed._draws import draw_key
from reseed._errors import InputError
from reseed.perturbations.attacks.core._asked import Model
from reseed.perturbations.attacks.core._attack import AbstractAttack
from reseed.perturbations.attacks.core._attacked import Attacked
from reseed.perturbations.attacks.core._budget import Norm, column
from reseed.perturbations.attacks.core._given import Bounds, Numbers
from reseed.perturbations.attacks.core._hunt import Hunt
from reseed.perturbations.attacks.core._losses import Loss, check_loss
from reseed.perturbations.attacks.core._settings import check_counts

_APART = 7  # of the features that are compared first


@final
@dataclass(frozen=True)
class Pgd(AbstractAttack):
    """Projected gradient descent; see `pgd`.

    Attributes:
        steps: How many steps each restart takes.
        step_size: How long one is, as a share of the budget; None: 2.5 / steps.
        restarts: How often to begin anew with those that are left.
        random_start: Whether to begin at a point drawn from the ball, rather than at the input.
        loss: What is made large.
        momentum: What share of the direction before is kept.
        plateau: Give up after so many steps without a better margin; None: never. What it gains is not free: some
            samples that later steps would have fooled are missed.
    """

    steps: int = 40
    step_size: float | None = None
    restarts: int = 1
    random_start: bool = True
    loss: Loss = "cross_entropy"
    momentum: float = 0.0
    plateau: int | None = None

    def __post_init__(self) -> None:
        check_loss(self.loss)
        check_counts(steps=self.steps, restarts=self.restarts)
        if self.plateau is not None:
            check_counts(plateau=self.plateau)
        if self.step_size is not None and not self.step_size > 0:
            raise InputError(f"step_size must be above 0, a share of the budget, got {self.step_size!r}.")
        if not 0 <= self.momentum < 1:
            raise InputError(f"momentum must be in [0, 1), got {self.momentum!r}.")

    def hunt(self, hunt: Hunt, seed: int) -> None:
        """Climb from each start."""
        loss = hunt.usable(self.loss)
        for restart in range(self.restarts):
            key = draw_key(seed, restart, 0)
            begins = self.random_start or restart > 0
            self._climb(hunt, hunt.budget.random_start(key, hunt.items.samples) if begins else hunt.clean, loss)
            if restart + 1 < self.restarts:
                hunt.rejoin()
            if hunt.is_over:
                return

    def _climb(self, hunt: Hunt, points: Tensor, loss: Loss) -> None:
        share = 2.5 / self.steps if self.step_size is None else self.step_size
        length = share * hunt.budget.epsilon
        velocity = torch.zeros_like(points) if self.momentum else points[:, :0]
        before = points
        best = torch.full_like(points.flatten(1)[:, 0], -torch.inf)
        since = torch.zeros_like(best)
        for step in range(self.steps):
            look = hunt.look(points, loss, gradient=True, steps=int(step > 0))
            direction, given_up = look.gradient, None
            if self.plateau is not None:
                since = torch.where(look.value > best, 0.0, since + 1)
                best = torch.maximum(best, look.value)
                given_up = since >= self.plateau
            if self.momentum:
                size = column(direction.flatten(1).abs().sum(1), direction)
                velocity = self.momentum * velocity + direction / size.clamp_min(torch.finfo(size.dtype).tiny)
                direction = velocity
            at = None if hunt.budget.norm == "inf" else points  # of which the box stops each feature by itself
            there = hunt.budget.project(torch.add(points, hunt.budget.ascent(direction, at), alpha=length))
            if not self.momentum:
                # Who comes back to a point where he was goes in a circle, and finds nothing there.
                circles = _same(there, points) | _same(there, before)
                given_up = circles if given_up is None else given_up | circles
                if step & (step - 1) == 0:  # powers of two, so that circles of every length are seen
                    before = points
            points, velocity, before, best, since = hunt.settled(
                there, velocity, before, best, since, given_up=given_up
            )
            if hunt.is_over:
                return
        hunt.look(points, loss)
        hunt.settled()


def _same(points: Tensor, others: Tensor) -> Tensor:
    """Return which points [item, ...] are the same as others, [item]; those that differ are seen by a few features."""
    first, second = points.flatten(1), others.flatten(1)
    near = (first[:, ::_APART] - second[:, ::_APART]).abs_().amax(1) == 0  # several times as fast as to compare
    rows = near.nonzero().flatten()
    if not len(rows):
        return near
    difference = first.index_select(0, rows) - second.index_select(0, rows)
    return near.index_copy(0, rows, difference.abs_().amax(1) == 0)


def pgd(
    model: Model,
    inputs: Numbers,
    targets: Numbers,
    *,
    epsilon: float | Numbers,
    norm: Norm = "inf",
    bounds: Bounds = (0.0, 1.0),
    steps: int = 40,
    step_size: float | None = None,
    restarts: int = 1,
    random_start: bool = True,
    loss: Loss = "cross_entropy",
    momentum: float = 0.0,
    plateau: int | None = None,
    goal: Numbers | None = None,
    frozen: Numbers | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Attacked:
    """Change inputs by projected gradient descent until their answers are wrong (Madry et al. 2018).

    Each step goes along the gradient of a loss, x <- P(x + a d), where d is its sign (norm inf), its direction (2) or
    its largest coordinates (1), and P puts x back into the ball of radius ``epsilon`` around the input, and into the
    box. A sample leaves as soon as an iterate is answered wrongly; others in circles leave too, since their later
    iterates are known. So a sample counts as fooled at any iterate, not only at the last.

    Args:
        model: Whom to fool: `reseed.models.Networks`, of which each run has inputs of its own, a module in evaluation
            mode, or a function of inputs to logits [sample, class].
        inputs: [sample, ...], of any shape, in single or double precision.
        targets: The right answers, [sample]; with `Networks` also [run, sample], such as what each run answers.
        epsilon: How far inputs may be changed, in their own units and the norm; for the norm inf also one for each
            feature.
        norm: ``"inf"``, ``"2"`` or ``"1"``.
        bounds: The least and the largest value of inputs, numbers or one for each feature; None: no bounds.
        steps: Most steps of each restart.
        step_size: The length of a step as a share of ``epsilon``; default 2.5 / steps.
        restarts: How often those that are left are tried again from other points.
        random_start: Whether to begin at a point of the ball rather than at the input.
        loss: ``"cross_entropy"``, ``"margin"`` (the largest other logit less that of the target) or ``"dlr"`` (the
            same over the difference of the first and the third logit); below three classes DLR is the margin.
        momentum: What share of the last direction is kept, in [0, 1) (Dong et al. 2018).
        plateau: Give up samples after so many steps without a better loss; inexact, so not by default.
        goal: The answers wanted, [sample], where it is not any wrong one that counts.
        frozen: Where true features stay as they are, of the shape of a sample.
        seed: Of what is drawn. A sample's draws depend on its place among the inputs alone.
        batch_size: How many samples are attacked at once; default: as many as memory allows.

    Returns:
        What was found of each sample; see `Attacked`.

    Raises:
        InputError: An argument is out of its range or does not fit the others; the message names it.
        InputTypeError: One is of a wrong type, such as images of whole numbers.

    Examples:
        A linear network whose margin is 0.3 and whose weights differ by 2 in each of two inputs is fooled by steps of
        0.075 and more:

        >>> network = torch.nn.Linear(2, 2, bias=False).eval()
        >>> _ = network.weight.data.copy_(torch.tensor([[1.0, -1.0], [-1.0, 1.0]]))
        >>> inputs, targets = torch.tensor([[0.575, 0.425]]), torch.tensor([0])
        >>> [pgd(network, inputs, targets, epsilon=each).success.item() for each in (0.074, 0.076)]
        [False, True]
    """
    attack = Pgd(steps, step_size, restarts, random_start, loss, momentum, plateau)
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
