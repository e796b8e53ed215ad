"""Ascent along gradients that are estimated by natural evolution strategies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch

from reseed._errors import InputError
from reseed.perturbations.attacks.blind._slope import Probes, slope
from reseed.perturbations.attacks.core._asked import Model
from reseed.perturbations.attacks.core._attack import AbstractAttack
from reseed.perturbations.attacks.core._attacked import Attacked
from reseed.perturbations.attacks.core._budget import Norm
from reseed.perturbations.attacks.core._given import Bounds, Numbers
from reseed.perturbations.attacks.core._hunt import Hunt
from reseed.perturbations.attacks.core._losses import Loss, check_loss
from reseed.perturbations.attacks.core._settings import check_above_zero, check_counts


@final
@dataclass(frozen=True)
class Nes(AbstractAttack):
    """Natural evolution strategies; see `nes`.

    Attributes:
        steps: How many steps are taken.
        probes: How many pairs of probes each gradient is of.
        sigma: The standard deviation of probes, as a share of the budget.
        step_size: How long a step is, as a share of the budget.
        momentum: What share of the gradient before is kept.
        loss: What is made large.
    """

    norms: ClassVar[tuple[Norm, ...]] = ("inf", "2")
    needs_gradients: ClassVar[bool] = False

    steps: int = 40
    probes: int = 32
    sigma: float = 0.3
    step_size: float = 0.2
    momentum: float = 0.9
    loss: Loss = "margin"

    def __post_init__(self) -> None:
        check_loss(self.loss)
        check_counts(steps=self.steps, probes=self.probes)
        meanings = dict.fromkeys(("sigma", "step_size"), "a share of the budget")
        check_above_zero(meanings, sigma=self.sigma, step_size=self.step_size)
        if not 0 <= self.momentum < 1:
            raise InputError(f"momentum must be in [0, 1), got {self.momentum!r}.")

    def hunt(self, hunt: Hunt, seed: int) -> None:
        """Climb from the inputs."""
        loss, probes = hunt.usable(self.loss), Probes(self.probes, "normal", self.sigma)
        length = self.step_size * hunt.budget.epsilon
        points, velocity = hunt.clean, torch.zeros_like(hunt.clean)
        for step in range(self.steps):
            gradient = slope(hunt, points, loss, probes, seed, step)
            points, gradient, velocity = hunt.settled(points, gradient, velocity)
            if hunt.is_over:
                return
            velocity = self.momentum * velocity + (1 - self.momentum) * gradient
            points = hunt.budget.project(points + length * hunt.budget.ascent(velocity, points))
            hunt.look(points, loss)
            points, velocity = hunt.settled(points, velocity)
            if hunt.is_over:
                return


def nes(
    model: Model,
    inputs: Numbers,
    targets: Numbers,
    *,
    epsilon: float | Numbers,
    norm: Norm = "inf",
    bounds: Bounds = (0.0, 1.0),
    steps: int = 40,
    probes: int = 32,
    sigma: float = 0.3,
    step_size: float = 0.2,
    momentum: float = 0.9,
    loss: Loss = "margin",
    goal: Numbers | None = None,
    frozen: Numbers | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Attacked:
    """Change inputs along gradients estimated from answers to normal noise (Ilyas et al. 2018).

    Each step asks about pairs of probes x + s u and x - s u with standard normal u, takes the mean of
    (L(x + s u) - L(x - s u)) u / (2 s) for the gradient of the loss, and goes along its sign (norm inf) or its
    direction (2) as `pgd` does, with momentum. A step asks 2 * ``probes`` + 1 times. Probes stay in the box, at whose
    edge the estimate is made up for it; one that is answered wrongly within the budget is an answer, too.

    Args:
        model: See `pgd`, as for all others; a function needs no gradients.
        inputs: [sample, ...].
        targets: The right answers, [sample].
        epsilon: How far inputs may be changed; for the norm inf also one for each feature.
        norm: ``"inf"`` or ``"2"``.
        bounds: The least and the largest value of inputs.
        steps: Most steps.
        probes: How many pairs of probes each gradient is of.
        sigma: How far probes lie: for the norm inf s = sigma epsilon, for 2 sigma epsilon / sqrt(D) in each of D
            features.
        step_size: The length of a step as a share of ``epsilon``; the published one is 0.01 of 0.05.
        momentum: What share of the gradient before is kept, in [0, 1).
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
        >>> [nes(lambda x: x @ weights, inputs, targets, epsilon=each).success.item() for each in (0.074, 0.076)]
        [False, True]
    """
    attack = Nes(steps, probes, sigma, step_size, momentum, loss)
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
