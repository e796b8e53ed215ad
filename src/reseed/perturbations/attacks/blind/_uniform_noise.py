"""Noise drawn uniformly from the budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from reseed._draws import draw_key
from reseed.perturbations.attacks.core._asked import Model
from reseed.perturbations.attacks.core._attack import AbstractAttack
from reseed.perturbations.attacks.core._attacked import Attacked
from reseed.perturbations.attacks.core._budget import Norm
from reseed.perturbations.attacks.core._given import Bounds, Numbers
from reseed.perturbations.attacks.core._hunt import Hunt
from reseed.perturbations.attacks.core._settings import check_counts


@final
@dataclass(frozen=True)
class UniformNoise(AbstractAttack):
    """Uniform noise; see `uniform_noise`.

    Attributes:
        draws: How often it is tried.
    """

    needs_gradients: ClassVar[bool] = False

    draws: int = 100

    def __post_init__(self) -> None:
        check_counts(draws=self.draws)

    def hunt(self, hunt: Hunt, seed: int) -> None:
        """Try one draw after the other."""
        for draw in range(self.draws):
            hunt.look(hunt.budget.random_start(draw_key(seed, draw, 0), hunt.items.samples))
            hunt.settled()
            if hunt.is_over:
                return


def uniform_noise(
    model: Model,
    inputs: Numbers,
    targets: Numbers,
    *,
    epsilon: float | Numbers,
    norm: Norm = "inf",
    bounds: Bounds = (0.0, 1.0),
    draws: int = 100,
    goal: Numbers | None = None,
    frozen: Numbers | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Attacked:
    """Add noise drawn uniformly from the ball of radius ``epsilon`` until the answer is wrong, or draws are used up.

    For the norm inf points are uniform in what the ball and the box share; for 2 and 1 they are uniform in the ball
    and then put into the box. With one draw ``success`` is how often the answer changes under noise.

    Args:
        model: See `pgd`, as for all others; a function needs no gradients.
        inputs: [sample, ...].
        targets: The right answers, [sample].
        epsilon: How far inputs may be changed; for the norm inf also one for each feature.
        norm: ``"inf"``, ``"2"`` or ``"1"``.
        bounds: The least and the largest value of inputs.
        draws: How often it is tried.
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
        >>> import torch
        >>> inputs, targets = torch.full((1, 2), 0.5), torch.tensor([0])
        >>> model = lambda x: torch.stack([torch.full((len(x),), 0.55), x[:, 0]], dim=1)
        >>> found = uniform_noise(model, inputs, targets, epsilon=0.1)
        >>> found.success, bool(found.inputs[0, 0] > 0.55), bool(found.steps == found.queries - 1)
        (tensor([True]), True, True)
    """
    attack = UniformNoise(draws)
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
