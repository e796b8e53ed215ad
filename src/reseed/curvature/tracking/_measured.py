"""What is measured of networks between two steps of their training, whoever drives it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reseed.curvature.operators._hessian import hessian
from reseed.curvature.operators._operator import CurvatureOperator
from reseed.curvature.operators._risk import EmpiricalRisk
from reseed.curvature.spectrum._eigenvalues import eigenvalues
from reseed.curvature.stability._preconditioned_sharpness import as_seen
from reseed.scores import NONE, Column


def _column(about: str, reach: str, unit: str) -> Column:
    return Column(about, NONE, reach, unit, "curvature.CurvatureTracker")


NUMBERS: dict[str, Column] = {
    "learning_rate": _column("rate of the next step; of several groups the largest", "[0, inf]", "rate"),
    "loss": _column("mean loss of the samples measured", "[-inf, inf]", "nats"),
    "gradient_norm": _column("length of the gradient of that loss", "[0, inf]", "nats"),
    "sharpness": _column("largest eigenvalue of the Hessian of that loss", "[-inf, inf]", "nats"),
    "error": _column("how far the sharpness may be off, an estimate", "[0, inf]", "nats"),
    "preconditioned_sharpness": _column(
        "largest eigenvalue as an adaptive optimiser sees it, after its first step", "[-inf, inf]", "nats"
    ),
    "preconditioned_error": _column("how far that may be off, an estimate", "[0, inf]", "nats"),
    "threshold": _column("curvature that the optimiser bears at that rate", "[-inf, inf]", "nats"),
}
"""What is measured, by name."""


@final
@dataclass(frozen=True, eq=False)
class Optimizing:
    """What is known of an optimiser between two steps.

    Attributes:
        rate: The learning rate of the next step.
        threshold: The largest curvature that it bears at that rate; NaN where there is none.
        divisors: What it divides its steps by, [run, parameter]; None where it divides by nothing, or made no step.
        decays: Its L2 term as far as the threshold does not hold it, [parameter], or one number for all.
    """

    rate: float
    threshold: float
    divisors: Tensor | None = None
    decays: Tensor | float = 0.0


def measured(
    risk: EmpiricalRisk, optimizing: Optimizing, *, products: int, seed: int
) -> Mapping[str, NDArray[np.float64]]:
    """Return the numbers of each run, [run], by their names in `NUMBERS`; NaN where there is none.

    Nothing is raised for numbers that are not finite, as those of a training that diverges are. ``loss`` is what it is,
    and what cannot be had of such weights is NaN.

    Args:
        risk: The networks as they are now, and the samples.
        optimizing: What their optimisers are at.
        products: Hessian products of each of both sharpnesses at most.
        seed: Of the first vector.
    """
    found = {name: np.full(risk.runs, math.nan) for name in NUMBERS}
    found["learning_rate"][:], found["threshold"][:] = optimizing.rate, optimizing.threshold
    losses, gradient = risk.losses_and_gradient()
    norms = torch.linalg.vector_norm(gradient, dim=1, dtype=torch.float64)
    found["loss"] = losses.double().cpu().numpy()
    found["gradient_norm"] = norms.where(norms.isfinite(), math.nan).cpu().numpy()
    is_live = losses.isfinite() & norms.isfinite() & risk.weights.isfinite().all(1)
    live = is_live.nonzero()[:, 0].tolist()
    if not live:
        return found
    bent = hessian(risk if len(live) == risk.runs else risk.of_runs(live))
    found["sharpness"][live], found["error"][live] = _largest(bent, products, seed)
    if optimizing.divisors is not None:
        divisors = optimizing.divisors[live].to(bent.device)
        is_known = (divisors.isfinite() & (divisors > 0)).all(1)
        seen = as_seen(bent, divisors.where(is_known[:, None], 1.0), optimizing.decays)
        for name, values in zip(
            ("preconditioned_sharpness", "preconditioned_error"), _largest(seen, products, seed), strict=True
        ):
            found[name][live] = np.where(is_known.cpu().numpy(), values, math.nan)
    return found


def _largest(operator: CurvatureOperator, products: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the largest eigenvalue of each run and its error, [run]; NaN where a product is not finite."""
    is_lost = torch.zeros(operator.runs, dtype=torch.bool, device=operator.device)

    def multiply(vectors: Tensor) -> Tensor:
        product = operator.multiply(vectors)
        is_lost.logical_or_(~product.isfinite().all(1))
        return product.masked_fill(is_lost[:, None], 0.0)

    finite = dataclasses.replace(operator, multiply=multiply)
    found = eigenvalues(finite, max_products=min(products, operator.size), seed=seed)
    value, error = (each[:, 0].masked_fill(is_lost, math.nan).cpu().numpy() for each in (found.values, found.errors))
    return value, error


def probe_rows(count: int, samples: int, seed: int) -> Tensor:
    """Return the rows of the samples of a loss, in rising order, the same ones at every measurement.

    Args:
        count: How many samples there are.
        samples: How many are wanted; all where there are fewer.
        seed: Of the draw.
    """
    order = np.random.default_rng(seed).permutation(count)[:samples]
    return torch.from_numpy(np.sort(order))
