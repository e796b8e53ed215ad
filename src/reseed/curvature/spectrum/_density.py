"""The density of a spectrum by stochastic Lanczos quadrature."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from reseed._errors import InputError
from reseed._numbers import check_whole
from reseed.curvature.operators._operator import CurvatureOperator
from reseed.curvature.spectrum._lanczos import check_steps, lanczos, normal_vectors

_OFFSET = 1e-5  # what is added to magnitudes before their logarithm is taken
_BEYOND = 4.0  # standard deviations of the kernel that the grid reaches beyond the nodes


@final
@dataclass(frozen=True, eq=False)
class SpectralDensity:
    """How the eigenvalues of each run are spread, smoothed; it integrates to 1.

    Attributes:
        grid: Where, [run, place]; eigenvalues, or ``ln(|eigenvalue| + 1e-5)``.
        density: The mean over probes, [run, place].
        standard_error: Of the mean over probes, [run, place]; NaN of a single one.
        nodes: Of the quadratures, [run, probe, step]; NaN after the end of one.
        weights: Of the nodes, [run, probe, step]; those of a probe sum to 1.
        width: Standard deviation of the smoothing kernel, [run].
        products: How many products of the operator were computed.
        seed: Of the probes.
    """

    grid: Float[Tensor, "run place"]
    density: Float[Tensor, "run place"]
    standard_error: Float[Tensor, "run place"]
    nodes: Float[Tensor, "run probe step"]
    weights: Float[Tensor, "run probe step"]
    width: Float[Tensor, " run"]
    products: int
    seed: int

    def moment(self, power: int) -> Tensor:
        """Return the mean of a power of the eigenvalues, [run]: 1 gives the trace over the number of parameters."""
        return (self.weights * self.nodes.nan_to_num().pow(power)).sum(2).mean(1)


def spectral_density(
    operator: CurvatureOperator,
    *,
    probes: int = 10,
    steps: int = 60,
    width: float | None = None,
    places: int = 1000,
    log: bool = False,
    seed: int = 0,
) -> SpectralDensity:
    """Return how each run's eigenvalues are spread, by stochastic Lanczos quadrature.

        phi(t) = mean over probes of sum_i w_i N(t; theta_i, width^2)

    where theta_i are the eigenvalues of a probe's tridiagonal matrix and w_i the squares of the first components of its
    eigenvectors. Integrals of polynomials of degree up to 2 steps - 1 are as exact as the probes are many.

    Args:
        operator: See `hessian`.
        probes: How many random first vectors.
        steps: How many Lanczos steps each takes, at most the number of parameters.
        width: Standard deviation of the kernel, in units of the grid; default: a hundredth of the range of the nodes.
        places: How many places the grid has, over the range of the nodes and four widths beyond.
        log: Whether to spread ``ln(|eigenvalue| + 1e-5)`` instead, which shows a bulk near 0 beside a few large ones.
        seed: Of the probes, which are the same for all runs.

    Returns:
        See `SpectralDensity`.

    Raises:
        InputError: An option is out of its range.

    Examples:
        >>> operator = CurvatureOperator.of_matrices(torch.diag(torch.tensor([1.0, 1.0, 1.0, 5.0]).double())[None])
        >>> found = spectral_density(operator, steps=2, probes=200)
        >>> found.moment(0).round(decimals=4), abs(found.moment(1) - 2) < 0.3
        (tensor([1.], dtype=torch.float64), tensor([True]))

    References:
        Ghorbani, Krishnan, Xiao, *An Investigation into Neural Net Optimization via Hessian Eigenvalue Density*, ICML
        2019, arXiv 1901.10159.
    """
    check_steps(steps, operator.size)
    check_whole("probes", probes)
    check_whole("places", places, 2)
    check_whole("seed", seed, 0)
    if width is not None and not 0 < width < math.inf:
        raise InputError(f"width must be above 0 and finite, got {width!r}.")
    each = [lanczos(operator, steps, start=normal_vectors(operator, seed, probe)) for probe in range(probes)]
    nodes = torch.full((operator.runs, probes, steps), math.nan, dtype=torch.float64, device=operator.device)
    weights = torch.zeros_like(nodes)
    for probe, found in enumerate(each):
        own, parts, _ = found.ritz()
        count = own.shape[1]
        nodes[:, probe, :count] = own.masked_fill(own.isinf(), math.nan)
        weights[:, probe, :count] = parts[:, 0].square()
    at = (nodes.abs() + _OFFSET).log() if log else nodes
    low = at.nan_to_num(nan=math.inf).flatten(1).amin(1)
    high = at.nan_to_num(nan=-math.inf).flatten(1).amax(1)
    span = (high - low).clamp_min(1e-6 * torch.maximum(high.abs(), low.abs()).clamp_min(1e-30))
    wide = span / 100 if width is None else torch.full_like(span, width)
    line = torch.linspace(0, 1, places, dtype=torch.float64, device=operator.device)
    low, high = low - _BEYOND * wide, high + _BEYOND * wide
    grid = low[:, None] + (high - low)[:, None] * line
    density = torch.stack([_smoothed(grid, at[:, one], weights[:, one], wide) for one in range(probes)], 1)
    error = density.std(1) / probes**0.5 if probes > 1 else torch.full_like(grid, math.nan)
    products = sum(found.products for found in each)
    return SpectralDensity(grid, density.mean(1), error, nodes, weights, wide, products, seed)


def _smoothed(grid: Tensor, nodes: Tensor, weights: Tensor, width: Tensor) -> Tensor:
    """Return sums of normal densities [run, place] around nodes [run, step]."""
    apart = (grid[:, :, None] - nodes.nan_to_num()[:, None]) / width[:, None, None]
    kernel = torch.exp(-apart.square() / 2) / (width[:, None, None] * math.sqrt(2 * math.pi))
    return (kernel * weights[:, None]).sum(2)
