"""Normal noise, within the budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from reseed._draws import draw_key, item_normal
from reseed.perturbations.attacks.blind._slope import unit_of
from reseed.perturbations.attacks.core._asked import Model
from reseed.perturbations.attacks.core._attack import AbstractAttack
from reseed.perturbations.attacks.core._attacked import Attacked
from reseed.perturbations.attacks.core._budget import Norm
from reseed.perturbations.attacks.core._given import Bounds, Numbers
from reseed.perturbations.attacks.core._hunt import Hunt
from reseed.perturbations.attacks.core._settings import check_above_zero, check_counts


@final
@dataclass(frozen=True)
class GaussianNoise(AbstractAttack):
    """Normal noise; see `gaussian_noise`.

    Attributes:
        draws: How often it is tried.
        std: The standard deviation, as a share of the budget.
    """

    needs_gradients: ClassVar[bool] = False

    draws: int = 100
    std: float = 1.0

    def __post_init__(self) -> None:
        check_counts(draws=self.draws)
        check_above_zero({"std": "a share of the budget"}, std=self.std)

    def hunt(self, hunt: Hunt, seed: int) -> None:
        """Try one draw after the other."""
        for draw in range(self.draws):
            clean, budget = hunt.clean, hunt.budget
            drawn = item_normal(draw_key(seed, draw, 0), hunt.items.samples, clean.shape[1:]).to(clean.dtype)
            hunt.look(budget.project(clean + self.std * unit_of(budget) * drawn))
            hunt.settled()
            if hunt.is_over:
                return


def gaussian_noise(
    model: Model,
    inputs: Numbers,
    targets: Numbers,
    *,
    epsilon: float | Numbers,
    norm: Norm = "inf",
    bounds: Bounds = (0.0, 1.0),
    draws: int = 100,
    std: float = 1.0,
    goal: Numbers | None = None,
    frozen: Numbers | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Attacked:
    """Add normal noise until the answer is wrong, or draws are used up; what leaves the budget is put back into it.

    The standard deviation is, in the units of inputs, std epsilon for the norm inf, std epsilon / sqrt(D) for 2 and
    std epsilon / D for 1, of D features that may change: with ``std`` 1 noise is about as large as the budget. Noise
    that is all but never put back needs a small one; then an input whose answer a linear network gives with the margin
    m is answered otherwise with probability Phi(-m / (s w)), where s is the standard deviation and w the norm 2 of
    the difference of the two classes' weights.

    Args:
        model: See `pgd`, as for all others; a function needs no gradients.
        inputs: [sample, ...].
        targets: The right answers, [sample].
        epsilon: How far inputs may be changed; for the norm inf also one for each feature.
        norm: ``"inf"``, ``"2"`` or ``"1"``.
        bounds: The least and the largest value of inputs.
        draws: How often it is tried.
        std: The standard deviation of the noise, as a share of the budget.
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
        >>> found = gaussian_noise(model, inputs, targets, epsilon=0.1, std=0.5)
        >>> found.success, bool(found.inputs[0, 0] > 0.55), bool(found.distance <= 0.1)
        (tensor([True]), True, True)
    """
    attack = GaussianNoise(draws, std)
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
