"""How a gradient lies to the directions in which the loss bends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from reseed._arrays import undefined
from reseed._errors import InputError
from reseed.curvature.operators._operator import CurvatureOperator
from reseed.curvature.spectrum._eigenvalues import Eigenvalues
from reseed.curvature.spectrum._lanczos import lanczos


@final
@dataclass(frozen=True, eq=False)
class Alignment:
    """How each run's gradient lies to the eigenvectors of an operator.

    Attributes:
        curvature: Along the gradient, ``g'Ag / |g|^2``, [run]; between the smallest and the largest eigenvalue.
        captured: The share of ``|g|^2`` that lies in the span of the first 1, 2, ... k eigenvectors, [run, k].
        nodes: Eigenvalues as the gradient weighs them, descending, [run, step]; NaN after the end of a run.
        weights: Which share of ``|g|^2`` belongs to each node, [run, step]; they sum to 1.
        steps: How many nodes each run has, [run].
        products: How many products of the operator were computed.
    """

    curvature: Float[Tensor, " run"]
    captured: Float[Tensor, "run k"]
    nodes: Float[Tensor, "run step"]
    weights: Float[Tensor, "run step"]
    steps: Int[Tensor, " run"]
    products: int


def alignment(
    operator: CurvatureOperator, gradient: Tensor, top: Eigenvalues | None = None, *, steps: int = 30
) -> Alignment:
    """Return how a gradient lies to the curvature.

        a_k = sum over i <= k of (v_i . g)^2 / |g|^2,   curvature = g'Ag / |g|^2

    Lanczos iterations that begin at the gradient give the whole spectrum as the gradient weighs it. In networks
    without normalisation the gradient concentrates on few large eigenvalues early in training. A gradient of 0 has no
    direction: everything of that run is NaN, with a warning.

    Args:
        operator: A, as of `hessian`.
        gradient: [run, parameter], as of `EmpiricalRisk.gradient`.
        top: Eigenvectors, as of `eigenvalues` of the same operator, for ``captured``; default: none.
        steps: How many Lanczos steps; at most the number of parameters.

    Returns:
        See `Alignment`.

    Raises:
        InputError: The gradient has another shape, or is not finite; ``steps`` is out of its range.

    Examples:
        >>> operator = CurvatureOperator.of_matrices(torch.diag(torch.tensor([1.0, 2.0, 7.0]))[None])
        >>> found = alignment(operator, torch.tensor([[3.0, 0.0, 4.0]]), steps=3)
        >>> found.curvature.round(decimals=3), found.weights.round(decimals=3)
        (tensor([4.8400], dtype=torch.float64), tensor([[0.6400, 0.3600]], dtype=torch.float64))

    References:
        Ghorbani, Krishnan, Xiao, ICML 2019, arXiv 1901.10159; Gilmer et al., arXiv 2110.04369.
    """
    if gradient.shape != (operator.runs, operator.size):
        raise InputError(
            f"gradient is {tuple(gradient.shape)}; pass {(operator.runs, operator.size)}, [run, parameter]."
        )
    if not bool(gradient.isfinite().all()):
        raise InputError("gradient holds numbers that are not finite; leave out runs that have diverged.")
    size = torch.linalg.vector_norm(gradient, dim=1, dtype=torch.float64)
    is_zero = size == 0
    if bool(is_zero.any()):
        undefined(f"the gradient of {int(is_zero.sum())} runs is 0 and has no direction; their alignment is NaN.")
    start = torch.where(is_zero[:, None], torch.ones_like(gradient), gradient)
    found = lanczos(operator, steps, start=start)
    nodes, parts, _ = found.ritz()
    weights = parts[:, 0].square()
    nodes = nodes.masked_fill(nodes.isinf(), math.nan)
    vectors = gradient.new_zeros(operator.runs, 0, operator.size) if top is None else top.vectors
    along = torch.bmm(vectors.double(), gradient.double()[..., None])[..., 0]
    captured = (along / size[:, None]).square().cumsum(1)
    return Alignment(
        found.alpha[:, 0].masked_fill(is_zero, math.nan),
        captured.masked_fill(is_zero[:, None], math.nan),
        nodes.masked_fill(is_zero[:, None], math.nan),
        weights.masked_fill(is_zero[:, None], math.nan),
        found.steps,
        found.products,
    )
