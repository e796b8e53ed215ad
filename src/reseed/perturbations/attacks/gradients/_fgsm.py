"""One step along the gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from reseed.perturbations.attacks.core._asked import Model
from reseed.perturbations.attacks.core._attack import AbstractAttack
from reseed.perturbations.attacks.core._attacked import Attacked
from reseed.perturbations.attacks.core._budget import Norm
from reseed.perturbations.attacks.core._given import Bounds, Numbers
from reseed.perturbations.attacks.core._hunt import Hunt
from reseed.perturbations.attacks.core._losses import Loss, check_loss


@final
@dataclass(frozen=True)
class Fgsm(AbstractAttack):
    """One step of the whole budget; see `fgsm`.

    Attributes:
        loss: What is made large.
    """

    loss: Loss = "cross_entropy"

    def __post_init__(self) -> None:
        check_loss(self.loss)

    def hunt(self, hunt: Hunt, seed: int) -> None:
        """Take the step."""
        gradient = hunt.look(hunt.clean, hunt.usable(self.loss), gradient=True, steps=0).gradient
        step = hunt.budget.epsilon * hunt.budget.ascent(gradient)
        hunt.look(hunt.budget.project(hunt.clean + step))


def fgsm(
    model: Model,
    inputs: Numbers,
    targets: Numbers,
    *,
    epsilon: float | Numbers,
    norm: Norm = "inf",
    bounds: Bounds = (0.0, 1.0),
    loss: Loss = "cross_entropy",
    goal: Numbers | None = None,
    frozen: Numbers | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Attacked:
    """Change inputs by one step of length ``epsilon`` along the gradient (Goodfellow et al. 2015).

    For the norm inf x + epsilon sign(gradient of the loss), put into the box; nothing is drawn.

    Args:
        model: See `pgd`, as for all others.
        inputs: [sample, ...].
        targets: The right answers, [sample].
        epsilon: How far inputs may be changed.
        norm: ``"inf"``, ``"2"`` or ``"1"``.
        bounds: The least and the largest value of inputs.
        loss: What is made large.
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
        >>> import torch
        >>> network = torch.nn.Linear(4, 3).eval()
        >>> found = fgsm(network, torch.rand(8, 4), torch.zeros(8, dtype=torch.int64), epsilon=0.1)
        >>> found.inputs.shape, bool((found.distance <= 0.1).all())
        (torch.Size([8, 4]), True)
    """
    attack = Fgsm(loss)
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
