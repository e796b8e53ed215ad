"""Ascent along gradients that are estimated from random signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final, get_args

import torch

from reseed._errors import InputError
from reseed.perturbations.attacks.blind._slope import Probes, slope, unit_of
from reseed.perturbations.attacks.core._asked import Model
from reseed.perturbations.attacks.core._attack import AbstractAttack
from reseed.perturbations.attacks.core._attacked import Attacked
from reseed.perturbations.attacks.core._budget import Norm
from reseed.perturbations.attacks.core._given import Bounds, Numbers
from reseed.perturbations.attacks.core._hunt import Hunt
from reseed.perturbations.attacks.core._losses import Loss, check_loss
from reseed.perturbations.attacks.core._settings import check_above_zero, check_counts

Optimiser = Literal["adam", "sign"]


@final
@dataclass(frozen=True)
class Spsa(AbstractAttack):
    """Simultaneous perturbation stochastic approximation; see `spsa`.

    Attributes:
        steps: How many steps are taken.
        probes: How many pairs of probes each gradient is of.
        delta: How far probes lie, as a share of the budget.
        step_size: How long a step is, as a share of the budget.
        optimiser: How steps follow from gradients.
        loss: What is made large.
    """

    norms: ClassVar[tuple[Norm, ...]] = ("inf", "2")
    needs_gradients: ClassVar[bool] = False

    steps: int = 40
    probes: int = 32
    delta: float = 0.3
    step_size: float = 0.3
    optimiser: Optimiser = "adam"
    loss: Loss = "margin"

    def __post_init__(self) -> None:
        check_loss(self.loss)
        check_counts(steps=self.steps, probes=self.probes)
        meanings = dict.fromkeys(("delta", "step_size"), "a share of the budget")
        check_above_zero(meanings, delta=self.delta, step_size=self.step_size)
        if self.optimiser not in get_args(Optimiser):
            raise InputError(f"optimiser must be 'adam' or 'sign', got {self.optimiser!r}.")

    def hunt(self, hunt: Hunt, seed: int) -> None:
        """Climb from the inputs."""
        loss, probes = hunt.usable(self.loss), Probes(self.probes, "signs", self.delta)
        points = hunt.clean
        mean, square = torch.zeros_like(points), torch.zeros_like(points)
        for step in range(self.steps):
            gradient = slope(hunt, points, loss, probes, seed, step)
            points, gradient, mean, square = hunt.settled(points, gradient, mean, square)
            if hunt.is_over:
                return
            if self.optimiser == "adam":  # its step has about the length 1 in each feature, whatever the gradient's
                mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
                rise = mean / (1 - 0.9 ** (step + 1))
                spread = (square / (1 - 0.999 ** (step + 1))).sqrt()
                move = unit_of(hunt.budget) * rise / spread.clamp_min(torch.finfo(spread.dtype).tiny)
            else:
                move = hunt.budget.epsilon * hunt.budget.ascent(gradient, points)
            points = hunt.budget.project(points + self.step_size * move)
            hunt.look(points, loss)
            points, mean, square = hunt.settled(points, mean, square)
            if hunt.is_over:
                return


def spsa(
    model: Model,
    inputs: Numbers,
    targets: Numbers,
    *,
    epsilon: float | Numbers,
    norm: Norm = "inf",
    bounds: Bounds = (0.0, 1.0),
    steps: int = 40,
    probes: int = 32,
    delta: float = 0.3,
    step_size: float = 0.3,
    optimiser: Optimiser = "adam",
    loss: Loss = "margin",
    goal: Numbers | None = None,
    frozen: Numbers | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Attacked:
    """Change inputs along gradients estimated from answers to random signs (Uesato et al. 2018).

    Each step asks about pairs of probes x + r v and x - r v with random signs v, takes the mean of
    (L(x + r v) - L(x - r v)) v / (2 r) for the gradient of the loss, and goes along it as `pgd` does. So it needs
    answers alone, and is not misled by gradients that vanish. A step asks 2 * ``probes`` + 1 times. Probes stay in the
    box, at whose edge the estimate is made up for it; one that is answered wrongly within the budget is an answer, too.

    Args:
        model: See `pgd`, as for all others; a function needs no gradients.
        inputs: [sample, ...].
        targets: The right answers, [sample].
        epsilon: How far inputs may be changed; for the norm inf also one for each feature.
        norm: ``"inf"`` or ``"2"``.
        bounds: The least and the largest value of inputs.
        steps: Most steps.
        probes: How many pairs of probes each gradient is of.
        delta: How far probes lie: for the norm inf r = delta epsilon, for 2 delta epsilon / sqrt(D) in each of D
            features. The published r of 0.01 is 0.3 of the budget of 8 / 255.
        step_size: The length of a step as a share of ``epsilon``; the published one is 0.01 of 8 / 255.
        optimiser: ``"adam"``, or ``"sign"``: steps along the sign of each gradient, for the norm 2 along itself.
        loss: What is made large.
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
        >>> weights = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
        >>> inputs, targets = torch.tensor([[0.575, 0.425]]), torch.tensor([0])
        >>> [spsa(lambda x: x @ weights, inputs, targets, epsilon=each).success.item() for each in (0.074, 0.076)]
        [False, True]
    """
    attack = Spsa(steps, probes, delta, step_size, optimiser, loss)
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
