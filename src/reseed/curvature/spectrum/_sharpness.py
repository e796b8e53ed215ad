"""The sharpness of a loss: the largest eigenvalue of its Hessian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from reseed._arrays import ArrayLike
from reseed.curvature.operators._batches import Pairs
from reseed.curvature.operators._function import Chosen, Mode
from reseed.curvature.operators._hessian import hessian
from reseed.curvature.operators._losses import Loss
from reseed.curvature.operators._operator import CurvatureOperator
from reseed.curvature.operators._risk import empirical_risk
from reseed.curvature.spectrum._eigenvalues import eigenvalues
from reseed.models import Networks


@final
@dataclass(frozen=True, eq=False)
class Sharpness:
    """The largest eigenvalue of each run's Hessian, and how it was found.

    Attributes:
        value: [run]; negative where the loss bends down in every direction.
        vector: The direction, of length 1, [run, parameter].
        shares: How much of the direction lies in each parameter, its squared length there, by name, [run].
        residual: ``|H v - value v|``, [run].
        error: How far the eigenvalue is estimated to lie from the value, [run]; see `eigenvalues`.
        converged: Whether that is within the tolerance, [run].
        products: How many Hessian products were computed, each of all runs.
        seed: Of the first vector.
        n_params: How many weights a run has.
        n_examples: How many samples the loss is a mean over.
    """

    value: Float[Tensor, " run"]
    vector: Float[Tensor, "run parameter"]
    shares: dict[str, Tensor]
    residual: Float[Tensor, " run"]
    error: Float[Tensor, " run"]
    converged: Bool[Tensor, " run"]
    products: int
    seed: int
    n_params: int
    n_examples: int


def sharpness(
    model: nn.Module | Networks,
    inputs: ArrayLike | Pairs,
    targets: ArrayLike | None = None,
    *,
    loss: Loss = "cross_entropy",
    tolerance: float = 1e-3,
    max_products: int | None = None,
    start: Tensor | None = None,
    parameters: Chosen | None = None,
    mode: Mode | None = None,
    dtype: torch.dtype | None = None,
    batch_size: int | None = None,
    seed: int = 0,
) -> Sharpness:
    """Return the sharpness of the loss where networks are: the largest eigenvalue of each run's Hessian.

        lambda_1 = max over v of v'Hv / v'v

    Gradient descent with learning rate lr is stable on a fixed quadratic while lambda_1 < 2 / lr; each optimiser has a
    threshold of its own. It is the algebraic maximum, never the largest magnitude: early in training the most negative
    eigenvalue can be the larger one. It depends on the samples: compare values of the same ones.

    Args:
        model: See `empirical_risk`, like ``inputs``, ``targets``, ``loss``, ``parameters``, ``mode``, ``dtype`` and
            ``batch_size``.
        inputs: [sample, ...], or an iterable of batches.
        targets: [sample].
        loss: A name, or a function of outputs and targets.
        tolerance: The relative error that is accepted.
        max_products: After how many Hessian products to give up; default: 110.
        start: First vectors [run, parameter], such as ``vector`` of a moment before.
        parameters: Which weights; default: all that require gradients.
        mode: ``"train"`` or ``"eval"``; default: the model's own.
        dtype: What to compute in.
        batch_size: How many samples are worked through at once.
        seed: Of the first vector, and of dropout in training mode.

    Returns:
        See `Sharpness`.

    Raises:
        InputError: As of `empirical_risk`, `hessian` and `eigenvalues`.

    Examples:
        Of 1/2 sum_j h_j w_j^2 it is the largest h, here 3, although -5 is larger in magnitude:

        >>> model = torch.nn.Linear(2, 1, bias=False)
        >>> bent = lambda outputs, _: (torch.tensor([-5.0, 3.0]) * outputs[:, 0] ** 2).sum() / 2
        >>> found = sharpness(model, torch.eye(2), torch.zeros(2), loss=bent)
        >>> found.value.round(decimals=4), found.converged
        (tensor([3.], dtype=torch.float64), tensor([True]))

    References:
        Gilmer et al., *A Loss Curvature Perspective on Training Instability in Deep Learning*, arXiv 2110.04369.
    """
    risk = empirical_risk(
        model,
        inputs,
        targets,
        loss=loss,
        parameters=parameters,
        mode=mode,
        dtype=dtype,
        batch_size=batch_size,
        seed=seed,
    )
    return largest(hessian(risk), tolerance=tolerance, max_products=max_products, start=start, seed=seed)


def largest(
    operator: CurvatureOperator, *, tolerance: float, max_products: int | None, start: Tensor | None, seed: int
) -> Sharpness:
    """Return the largest eigenvalue of each run's operator; see `sharpness`."""
    found = eigenvalues(operator, tolerance=tolerance, max_products=max_products, start=start, seed=seed)
    return Sharpness(
        found.values[:, 0],
        found.vectors[:, 0],
        {name: share[:, 0] for name, share in found.shares().items()},
        found.residuals[:, 0],
        found.errors[:, 0],
        found.converged[:, 0],
        found.products,
        seed,
        operator.size,
        operator.examples,
    )
