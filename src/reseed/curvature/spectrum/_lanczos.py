"""Lanczos iterations of all runs at once, with full reorthogonalisation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from reseed._draws import draw_key
from reseed._errors import InputError
from reseed._numbers import check_whole
from reseed.curvature.operators._operator import CurvatureOperator

_START = 2  # the place of these draws


@final
@dataclass(frozen=True, eq=False)
class Tridiagonal:
    """What Lanczos iterations found: the operator within a Krylov space, as a tridiagonal matrix T of each run.

        A Q = Q T + (what is left of the last step),   Q'Q = 1

    Attributes:
        alpha: The diagonal of T, [run, step].
        beta: Beside it, and last what is left, [run, step]; 0 where an invariant subspace is complete.
        vectors: Q, [run, step, parameter]; 0 after the end of a run.
        steps: How many each run took, [run]; fewer than asked for where its space was complete.
        products: How many products of the operator were computed.
        seed: Of the first vectors; None where they were given.
    """

    alpha: Float[Tensor, "run step"]
    beta: Float[Tensor, "run step"]
    vectors: Float[Tensor, "run step parameter"]
    steps: Int[Tensor, " run"]
    products: int
    seed: int | None

    def ritz(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return eigenvalues of T, descending, its eigenvectors, and residuals.

        Returns:
            nodes: [run, step], -inf after the end of a run.
            parts: [run, step, node], 0 there; the squares of the first row are the weights of a quadrature.
            residuals: ``|A x - node x|`` of the Ritz vectors, ``beta_m |last component|``, [run, node].
        """
        count = self.alpha.shape[1]
        nodes = self.alpha.new_full(self.alpha.shape, -torch.inf)
        parts = self.alpha.new_zeros(len(nodes), count, count)
        residuals = torch.zeros_like(nodes)
        for run, steps in enumerate(self.steps.tolist()):
            beside = self.beta[run, : steps - 1]
            matrix = self.alpha[run, :steps].diag() + beside.diag(1) + beside.diag(-1)
            values, own = torch.linalg.eigh(matrix)
            nodes[run, :steps], parts[run, :steps, :steps] = values.flip(0), own.flip(1)
            residuals[run, :steps] = self.beta[run, steps - 1] * own[-1].flip(0).abs()
        return nodes, parts, residuals


def lanczos(operator: CurvatureOperator, steps: int, *, start: Tensor | None = None, seed: int = 0) -> Tridiagonal:
    """Return the tridiagonal matrix of each run after some Lanczos steps.

        w = A q_j - beta_(j-1) q_(j-1),   alpha_j = w.q_j,   beta_j = |w - alpha_j q_j|,   q_(j+1) = w / beta_j

    Every new vector is made orthogonal to all before it, twice: without that, rounding makes copies of eigenvalues that
    are found already. A run ends where what is left is rounding: its vectors then span an invariant subspace, in which
    the eigenvalues of T are exact. An eigenvalue that several eigenvectors share is found once.

    Args:
        operator: A.
        steps: How many products; at most as many as there are parameters.
        start: First vectors, [run, parameter], of any length above 0; default: standard normal ones, the same for all.
        seed: Of these.

    Returns:
        See `Tridiagonal`, in float64 but for its vectors.

    Raises:
        InputError: There are more steps than parameters, or a first vector is 0.

    Examples:
        >>> matrix = torch.diag(torch.tensor([-1.0, -1, -1, 0.5, 0.5, 7], dtype=torch.float64))
        >>> found = lanczos(CurvatureOperator.of_matrices(matrix[None]), 6)
        >>> found.steps, found.ritz()[0][0, :3]
        (tensor([3]), tensor([ 7.0000,  0.5000, -1.0000], dtype=torch.float64))

    References:
        Golub, Van Loan, *Matrix Computations*, 10.1 to 10.3.
    """
    if start is not None and start.shape != (operator.runs, operator.size):
        raise InputError(f"start is {tuple(start.shape)}; pass {(operator.runs, operator.size)}, [run, parameter].")
    check_steps(steps, operator.size)
    check_whole("seed", seed, 0)
    first = normal_vectors(operator, seed) if start is None else start.to(operator.device, operator.dtype)
    if not bool((torch.linalg.vector_norm(first, dim=1) > 0).all()):
        raise InputError("start is 0 in one of the runs; pass vectors with a direction.")
    return iterated(operator, steps, first, seed if start is None else None)


def iterated(
    operator: CurvatureOperator,
    steps: int,
    first: Tensor,
    seed: int | None,
    *,
    done: Callable[[Tridiagonal], bool] | None = None,
    again: Callable[[int], Tensor] | None = None,
) -> Tridiagonal:
    """Return the same, with a say in when it ends.

    Args:
        operator: A.
        steps: How many at most.
        first: First vectors, [run, parameter].
        seed: Theirs.
        done: Asked from time to time whether what there is suffices.
        again: New vectors [run, parameter] at a step, with which a run goes on whose subspace is complete; default: it
            ends there.
    """
    runs, size = first.shape
    basis = first.new_zeros(runs, steps, size)
    alpha, beta = (torch.zeros(runs, steps, dtype=torch.float64, device=first.device) for _ in range(2))
    counts = torch.zeros(runs, dtype=torch.int64, device=first.device)
    vector, _ = _unit(first)
    alive = torch.ones(runs, dtype=torch.bool, device=first.device)
    scale = torch.zeros(runs, dtype=torch.float64, device=first.device)
    tolerance = 10 * torch.finfo(first.dtype).eps * size**0.5

    def so_far(count: int) -> Tridiagonal:
        return Tridiagonal(alpha[:, :count], beta[:, :count], basis[:, :count], counts.clone(), count, seed)

    for step in range(steps):
        basis[:, step] = vector
        counts += alive
        product = operator.product(vector)
        own = (product.double() * vector.double()).sum(1)
        alpha[:, step] = own * alive
        scale = torch.maximum(scale, torch.linalg.vector_norm(product.double(), dim=1))
        left = _orthogonal(product, basis[:, : step + 1])
        vector, length = _unit(left)
        ended = length <= tolerance * scale
        beta[:, step] = torch.where(ended | ~alive, 0.0, length)
        if step + 1 == steps:
            break
        if again is None:
            alive = alive & ~ended
        elif bool(ended.any()):
            fresh, _ = _unit(_orthogonal(again(step), basis[:, : step + 1]))
            vector = torch.where(ended[:, None], fresh, vector)
        vector = vector * alive[:, None]
        if not bool(alive.any()) or (done is not None and done(so_far(step + 1))):
            return so_far(step + 1)
    return so_far(steps)


def normal_vectors(operator: CurvatureOperator, seed: int, number: int = 0) -> Tensor:
    """Return standard normal vectors [run, parameter], the same for all runs and in every precision and place.

    They are not those of `torch.manual_seed` with the same seed, from which weights or data may have been drawn.
    """
    draw = torch.Generator().manual_seed(draw_key(seed, number, _START) & 0xFFFFFFFF)
    one = torch.randn(operator.size, generator=draw, dtype=torch.float64)
    return one.to(operator.device, operator.dtype).expand(operator.runs, -1)


def check_steps(steps: int, size: int) -> None:
    """Accept a number of steps.

    Raises:
        InputError: It is below 1, or above the number of parameters.
    """
    check_whole("steps", steps)
    if steps > size:
        raise InputError(f"steps is {steps}, but the operator has {size} rows; take at most as many steps.")


def _unit(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Return vectors of length 1, and their lengths in double precision; one of length 0 stays 0."""
    lengths = torch.linalg.vector_norm(vectors, dim=1, dtype=torch.float64)
    return vectors / lengths.clamp_min(torch.finfo(torch.float32).tiny).to(vectors.dtype)[:, None], lengths


def _orthogonal(vectors: Tensor, basis: Tensor) -> Tensor:
    """Return vectors [run, parameter] without what they have in bases [run, step, parameter]; twice is enough."""
    for _ in range(2):
        along = torch.bmm(basis, vectors[..., None])
        vectors = vectors - torch.bmm(basis.mT, along)[..., 0]
    return vectors
