"""The curvature of one run: everything that its networks are asked."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from reseed.curvature.evaluation._columns import RUNS, SAMPLES
from reseed.curvature.gradients._noise import gradient_noise
from reseed.curvature.gradients._sample_curvature import sample_curvature
from reseed.curvature.operators._hessian import hessian
from reseed.curvature.operators._risk import EmpiricalRisk
from reseed.curvature.spectrum._alignment import alignment
from reseed.curvature.spectrum._density import spectral_density
from reseed.curvature.spectrum._eigenvalues import Eigenvalues, eigenvalues
from reseed.curvature.spectrum._probes import frobenius_norm, trace
from reseed.scores import Part, Told


@final
@dataclass(frozen=True)
class Protocol:
    """What is asked of each run.

    Attributes:
        samples: How many training samples the loss is a mean over, and how many evaluation samples are asked.
        eigenvalues: How many at each end of the spectrum.
        probes: Random vectors of the density, the trace and the norm.
        steps: Lanczos steps of the density and of the alignment.
        seed: Of everything that is drawn.
    """

    samples: int
    eigenvalues: int
    probes: int
    steps: int
    seed: int


def measured(
    trained: EmpiricalRisk, asked: EmpiricalRisk, protocol: Protocol, threshold: float | None, told: Told
) -> Part:
    """Return what one run is found to be: numbers [1], columns [1, sample] and the nodes of its spectrum.

    Args:
        trained: The training loss of one run.
        asked: The loss of that run on the samples whose own curvature is wanted.
        protocol: What is asked.
        threshold: The largest curvature that the optimiser bears; None where it has a preconditioner or is not known.
        told: Takes the share that is done.

    Returns:
        NaN everywhere, with a note, where the loss of the run is not finite.
    """
    began, loss = time.perf_counter(), float(trained.losses()[0])
    if not np.isfinite(loss):
        return _diverged(asked.examples)
    operator, seed = hessian(trained), protocol.seed
    k, steps = min(protocol.eigenvalues, operator.size // 2 or 1), min(protocol.steps, operator.size)
    ends = eigenvalues(operator, k, "both" if operator.size > 1 else "largest", seed=seed)
    told(0.2)
    density = spectral_density(operator, probes=protocol.probes, steps=steps, seed=seed)
    told(0.5)
    total, norm = (estimate(operator, protocol.probes, seed=seed) for estimate in (trace, frobenius_norm))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a gradient of exactly 0; its numbers are NaN
        lies = alignment(operator, trained.gradient(), _largest(ends, k), steps=steps)
        noise = gradient_noise(trained, probes=protocol.probes, seed=seed)
    told(0.7)
    single = sample_curvature(asked)
    sharpness = float(ends.values[0, 0])
    numbers = {
        "sharpness": sharpness,
        "smallest_eigenvalue": float(ends.values[0, -1]),
        "normalised_sharpness": np.nan if threshold is None else sharpness / threshold,
        "hessian_trace": float(total.value[0]),
        "hessian_norm": float(norm.value[0]),
        "loss_asked": loss,
        "gradient_length": float(noise.gradient_norm[0]),
        "curvature_along_gradient": float(lies.curvature[0]),
        "gradient_in_top": float(lies.captured[0, -1]),
        "gradient_noise_scale": float(noise.noise_scale[0]),
    }
    products = ends.products + density.products + total.products + norm.products + lies.products
    return Part(
        cells={
            "gradient_norm": _array(single.gradient_norm),
            "gradient_curvature": _array(single.gradient_curvature),
        },
        of_runs={name: np.array([value]) for name, value in numbers.items()},
        arrays={
            "nodes": _array(density.nodes[0]),
            "weights": _array(density.weights[0]),
            "largest": _array(ends.values[0]),
            "converged": _array(ends.converged[0]),
        },
        cost={"hessian_products": float(products), "wall_s": time.perf_counter() - began},
    )


def _largest(ends: Eigenvalues, k: int) -> Eigenvalues:
    """Return the upper end alone."""
    cut = {name: getattr(ends, name)[:, :k] for name in ("values", "vectors", "residuals", "errors", "converged")}
    return replace(ends, **cut)


def _diverged(samples: int) -> Part:
    return Part(
        cells={name: np.full((1, samples), np.nan) for name in SAMPLES},
        of_runs={name: np.full(1, np.nan) for name in RUNS},
        arrays={
            "nodes": np.zeros((0, 0)),
            "weights": np.zeros((0, 0)),
            "largest": np.zeros(0),
            "converged": np.ones(0),
        },
        notes=("diverged",),
    )


def _array(values: Tensor) -> NDArray[np.float64]:
    return values.double().cpu().numpy()
