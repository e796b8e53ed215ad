"""Traces, norms and diagonals by random vectors, with standard errors."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, final, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from reseed._draws import draw_bits, draw_key
from reseed._errors import InputError
from reseed._numbers import check_whole
from reseed.curvature.operators._operator import CurvatureOperator

TraceMethod = Literal["hutchinson", "hutch++"]

_PROBE = 1  # the place of these draws


@final
@dataclass(frozen=True, eq=False)
class Estimated:
    """A mean over random probes.

    Attributes:
        value: [run], or [run, parameter] of a diagonal.
        standard_error: Of the value over probes; NaN of a single one.
        products: How many products of the operator were computed.
        seed: Of the probes.
    """

    value: Float[Tensor, "run ..."]
    standard_error: Float[Tensor, "run ..."]
    products: int
    seed: int


def trace(
    operator: CurvatureOperator, probes: int = 30, *, method: TraceMethod = "hutchinson", seed: int = 0
) -> Estimated:
    """Return the trace of each run's operator, the sum of its eigenvalues.

        tr A = mean over probes of z'Az,   z of -1 and 1 at random

    The variance of one probe is 2 sum over i != j of A_ij^2. Hutch++ takes off a part first: a third of the products
    finds a space in which A is large, a third gives the trace there exactly, and the rest is estimated outside of it.
    It is better where few eigenvalues are much larger than the others.

    Args:
        operator: A.
        probes: How many products, of Hutch++ 3 and more.
        method: ``"hutchinson"`` or ``"hutch++"``.
        seed: Of the probes, which are the same for all runs.

    Returns:
        See `Estimated`.

    Raises:
        InputError: An option is out of its range.

    Examples:
        Of a diagonal matrix one probe is exact:

        >>> operator = CurvatureOperator.of_matrices(torch.diag(torch.tensor([1.0, 2.0, 4.0]))[None])
        >>> found = trace(operator, 2)
        >>> found.value, found.standard_error
        (tensor([7.], dtype=torch.float64), tensor([0.], dtype=torch.float64))

    References:
        Hutchinson, 1990; Meyer, Musco, Musco, Woodruff, *Hutch++: Optimal Stochastic Trace Estimation*, 2021,
        arXiv 2010.09649.
    """
    if method not in get_args(TraceMethod):
        raise InputError(f"method must be 'hutchinson' or 'hutch++', got {method!r}.")
    if method == "hutch++":
        return _hutch_plus_plus(operator, probes, seed)
    return _mean([_dot(z, operator.product(z)) for z in _signs(operator, probes, seed)], probes, seed)


def frobenius_norm(operator: CurvatureOperator, probes: int = 30, *, seed: int = 0) -> Estimated:
    """Return the Frobenius norm of each run's operator, the root of the sum of squares of its eigenvalues.

        |A|_F^2 = mean over probes of |A z|^2,   z of -1 and 1 at random

    The standard error of the root is half that of the square over the root.

    Args:
        operator: A.
        probes: How many products.
        seed: Of the probes, which are the same for all runs.

    Returns:
        See `Estimated`.

    Raises:
        InputError: ``probes`` or ``seed`` is out of its range.

    Examples:
        >>> operator = CurvatureOperator.of_matrices(torch.diag(torch.tensor([3.0, 4.0]))[None])
        >>> frobenius_norm(operator).value
        tensor([5.], dtype=torch.float64)
    """
    products = (operator.product(z) for z in _signs(operator, probes, seed))
    square = _mean([_dot(product, product) for product in products], probes, seed)
    root = square.value.sqrt()
    error = torch.where(root > 0, square.standard_error / (2 * root), square.standard_error)
    return Estimated(root, error, probes, seed)


def diagonal(operator: CurvatureOperator, probes: int = 30, *, seed: int = 0) -> Estimated:
    """Return the diagonal of each run's operator.

        diag A = mean over probes of z * Az,   z of -1 and 1 at random

    The variance of entry i is the sum over j != i of A_ij^2 for each probe.

    Args:
        operator: A.
        probes: How many products.
        seed: Of the probes, which are the same for all runs.

    Returns:
        See `Estimated`, [run, parameter].

    Raises:
        InputError: ``probes`` or ``seed`` is out of its range.

    Examples:
        >>> operator = CurvatureOperator.of_matrices(torch.diag(torch.tensor([3.0, -4.0]))[None])
        >>> diagonal(operator).value
        tensor([[ 3., -4.]], dtype=torch.float64)

    References:
        Bekas, Kokiopoulou, Saad, *An Estimator for the Diagonal of a Matrix*, 2007.
    """
    # Two sums instead of all products: of many parameters these would not fit.
    total = torch.zeros(operator.runs, operator.size, dtype=torch.float64, device=operator.device)
    squares = torch.zeros_like(total)
    for number, z in enumerate(_signs(operator, probes, seed), 1):
        one = (z * operator.product(z)).double()
        step = one - total
        total += step / number
        squares += step * (one - total)
    error = squares.div(probes * (probes - 1)).sqrt() if probes > 1 else torch.full_like(total, math.nan)
    return Estimated(total, error, probes, seed)


def _hutch_plus_plus(operator: CurvatureOperator, probes: int, seed: int) -> Estimated:
    check_whole("probes", probes, 3)
    each = min(probes // 3, operator.size)
    drawn = list(_signs(operator, probes - each, seed))
    sketch = torch.stack([operator.product(z) for z in drawn[:each]], 2)
    basis = torch.linalg.qr(sketch)[0]
    inside = sum(_dot(basis[..., one], operator.product(basis[..., one].contiguous())) for one in range(each))
    outside = []
    for z in drawn[each : probes - each]:
        left = z - torch.bmm(basis, torch.bmm(basis.mT, z[..., None]))[..., 0]
        outside.append(_dot(left, operator.product(left)))
    rest = _mean(outside, probes, seed)
    return Estimated(rest.value + inside, rest.standard_error, each + each + len(outside), seed)


def _mean(values: list[Tensor], products: int, seed: int) -> Estimated:
    each = torch.stack(values, 1)
    count = each.shape[1]
    error = each.std(1) / count**0.5 if count > 1 else torch.full_like(each[:, 0], math.nan)
    return Estimated(each.mean(1), error, products, seed)


def _dot(one: Tensor, other: Tensor) -> Tensor:
    return (one.double() * other.double()).sum(1)


def _signs(operator: CurvatureOperator, probes: int, seed: int) -> Iterator[Tensor]:
    """Yield vectors of -1 and 1, [run, parameter], the same for all runs, however many are asked for."""
    check_whole("probes", probes)
    check_whole("seed", seed, 0)
    for probe in range(probes):
        bits = draw_bits(draw_key(seed, probe, _PROBE), (operator.size,), operator.device)
        yield (1 - 2 * (bits & 1)).to(operator.dtype).expand(operator.runs, -1)
