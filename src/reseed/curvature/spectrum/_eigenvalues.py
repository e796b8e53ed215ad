"""Eigenvalues at the ends of a spectrum, with bounds on what they are off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, final, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from reseed._errors import InputError
from reseed._numbers import check_whole, is_whole
from reseed.curvature.operators._operator import CurvatureOperator
from reseed.curvature.spectrum._lanczos import Tridiagonal, iterated, normal_vectors

Which = Literal["largest", "smallest", "both"]


@final
@dataclass(frozen=True, eq=False)
class Eigenvalues:
    """Eigenvalues of each run in algebraic order, the largest first, with what they may be off.

    Attributes:
        values: [run, k].
        vectors: Eigenvectors of length 1, [run, k, parameter].
        residuals: ``|A v - value v|``; an eigenvalue lies within as much of the value, [run, k].
        errors: How far it is estimated to lie, [run, k]: the residual, or its square over the distance to the next
            eigenvalue found where that is less.
        converged: Whether the error is within the tolerance, [run, k].
        products: How many products of the operator, with a vector of every run, were computed.
        seed: Of the first vector.
        shapes: Of the parameters by name.
        examples: How many samples the operator is a mean over.
    """

    values: Float[Tensor, "run k"]
    vectors: Float[Tensor, "run k parameter"]
    residuals: Float[Tensor, "run k"]
    errors: Float[Tensor, "run k"]
    converged: Bool[Tensor, "run k"]
    products: int
    seed: int
    shapes: Mapping[str, torch.Size]
    examples: int

    @property
    def n_params(self) -> int:
        """How many rows the operator has."""
        return self.vectors.shape[2]

    def shares(self) -> dict[str, Tensor]:
        """Return how much of each eigenvector lies in each parameter: its squared length there, [run, k].

        The shares of a vector sum to 1. Those of the first one say where in the network the curvature lives.
        """
        squares = self.vectors.double().square()
        parts = torch.split(squares, [shape.numel() for shape in self.shapes.values()], 2)
        return {name: part.sum(2) for name, part in zip(self.shapes, parts, strict=True)}


def eigenvalues(
    operator: CurvatureOperator,
    k: int = 1,
    which: Which = "largest",
    *,
    tolerance: float = 1e-3,
    max_products: int | None = None,
    start: Tensor | None = None,
    seed: int = 0,
) -> Eigenvalues:
    """Return eigenvalues at one end of each run's spectrum, or at both, by Lanczos iterations.

    In algebraic order: the largest is the most positive one, never the one of largest magnitude. All runs take steps
    together until those wanted have converged in every run.

    The error of a value is estimated from its residual r and the gap to the next Ritz value as min(r, r^2 / gap). It
    is a bound if no eigenvalue near the value has been missed, as one to which the first vector is orthogonal would be.
    Of eigenvalues that several eigenvectors share, fewer copies may be found than there are.

    Args:
        operator: See `hessian`, `ggn`, `gradient_covariance` and `preconditioned`.
        k: How many, 1 to the number of parameters; of ``"both"`` so many at each end.
        which: ``"largest"``, ``"smallest"`` or ``"both"``.
        tolerance: The relative error that is accepted.
        max_products: After how many products to give up; default: ten for each value and 100 more. What has not
            converged until then is told in ``converged``.
        start: First vectors [run, parameter], such as eigenvectors of a moment before; they save products. Default:
            standard normal ones, the same for all runs.
        seed: Of these.

    Returns:
        See `Eigenvalues`; of ``"both"`` the k largest, then the k smallest.

    Raises:
        InputError: ``k`` or another option is out of its range.

    Examples:
        >>> operator = CurvatureOperator.of_matrices(torch.diag(torch.tensor([-5.0, 3.0, 1.0]))[None])
        >>> eigenvalues(operator).values.round(decimals=4)
        tensor([[3.]], dtype=torch.float64)
        >>> eigenvalues(operator, 1, "both").values.round(decimals=4)
        tensor([[ 3., -5.]], dtype=torch.float64)

    References:
        Parlett, *The Symmetric Eigenvalue Problem*, 11.7 and 13.2.
    """
    count = _check(operator, k, which, tolerance)
    check_whole("seed", seed, 0)
    steps = min(operator.size, 100 + 10 * count if max_products is None else max_products)
    check_whole("max_products", steps)
    if steps < count:
        raise InputError(f"max_products={max_products} is less than the {count} eigenvalues asked for; allow more.")
    first = normal_vectors(operator, seed) if start is None else start.to(operator.device, operator.dtype)
    if first.shape != (operator.runs, operator.size):
        raise InputError(f"start is {tuple(first.shape)}; pass {(operator.runs, operator.size)}, [run, parameter].")

    def done(found: Tridiagonal) -> bool:
        # Looking costs as much as some tens of thousands of weights in a product; every few steps is enough.
        steps_now = found.alpha.shape[1]
        is_time = steps_now >= min(operator.size, count + 2) and (steps_now < 20 or steps_now % 5 == 0)
        return is_time and bool(_ends(found, k, which, tolerance)[3].all())

    found = iterated(
        operator,
        steps,
        first,
        seed,
        done=done,
        again=lambda step: normal_vectors(operator, seed, step + 1),
    )
    values, parts, residuals, converged, errors = _ends(found, k, which, tolerance)
    vectors = torch.bmm(parts.mT.to(found.vectors.dtype), found.vectors)
    return Eigenvalues(
        values, vectors, residuals, errors, converged, found.products, seed, operator.shapes, operator.examples
    )


def _ends(found: Tridiagonal, k: int, which: Which, tolerance: float) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return values, parts [run, step, k], residuals, whether they have converged, and errors of those wanted."""
    nodes, parts, residuals = found.ritz()
    steps = nodes.shape[1]
    places = {
        "largest": list(range(k)),
        "smallest": list(range(steps - k, steps)),
        "both": [*range(k), *range(steps - k, steps)],
    }[which]
    gaps = torch.full_like(nodes, torch.inf)
    apart = (nodes[:, :-1] - nodes[:, 1:]).clamp_min(0)
    gaps[:, :-1] = apart - residuals[:, 1:]
    gaps[:, 1:] = torch.minimum(gaps[:, 1:], apart - residuals[:, :-1])
    if steps == 1:
        gaps.zero_()
    errors = torch.where(gaps > residuals, torch.minimum(residuals, residuals.square() / gaps), residuals)
    if found.vectors.shape[2] == steps:
        errors = residuals = torch.zeros_like(residuals)
    at = torch.tensor(places, device=nodes.device)
    values, error = nodes[:, at], errors[:, at]
    scale = torch.maximum(values.abs(), torch.finfo(found.vectors.dtype).eps * nodes.abs().amax(1, keepdim=True))
    return values, parts[:, :, at], residuals[:, at], error <= tolerance * scale, error


def _check(operator: CurvatureOperator, k: int, which: Which, tolerance: float) -> int:
    if which not in get_args(Which):
        raise InputError(f"which must be 'largest', 'smallest' or 'both', got {which!r}.")
    count = 2 * k if which == "both" and is_whole(k) else k
    if not is_whole(k) or not 1 <= count <= operator.size:
        most = operator.size // 2 if which == "both" else operator.size
        raise InputError(f"k must be a whole number from 1 to {most}, of {operator.size} eigenvalues, got {k!r}.")
    if not 0 < tolerance < 1:
        raise InputError(f"tolerance must be between 0 and 1, a share of the eigenvalue, got {tolerance!r}.")
    return count
