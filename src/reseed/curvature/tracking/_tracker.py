"""Sharpness and threshold of networks along their training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reseed.curvature.operators._hessian import hessian
from reseed.curvature.operators._operator import CurvatureOperator, preconditioned
from reseed.curvature.operators._risk import EmpiricalRisk, empirical_risk
from reseed.curvature.spectrum._eigenvalues import eigenvalues
from reseed.curvature.stability._threshold import StabilityThreshold, stability_threshold
from reseed.models import Networks
from reseed.training import OptimizerConfig, Stand, TrainingSet

_BETA2, _EPS = 0.999, 1e-8  # of Adam and AdamW in recipes, torch's defaults
_NUMBERS = ("loss", "sharpness", "error", "preconditioned_sharpness", "threshold")


@final
@dataclass(frozen=True, eq=False)
class CurvatureTracker:
    """Measures loss, sharpness and threshold of every run along a training; see `tracker`.

    Attributes:
        every: Steps between two measurements.
        samples: Training samples of the loss, the same at every measurement.
        products: Hessian products of a measurement at most.
        seed: Of the samples and of the first vector.
    """

    every: int
    samples: int
    products: int
    seed: int

    def measure(self, stand: Stand) -> Mapping[str, NDArray[Any]]:
        """Return numbers of each run, [run]; NaN of runs whose loss or gradient is not finite.

        ``loss``: on the samples, in evaluation mode; ``sharpness`` and ``error``, how far it may be off;
        ``preconditioned_sharpness`` where the optimiser has a preconditioner and made a step; ``threshold``: what the
        optimiser bears at the rate of the next step, of the preconditioned sharpness where there is one.
        """
        runs = len(stand.networks)
        found = {name: np.full(runs, math.nan) for name in _NUMBERS}
        whole = self._risk(stand.data, stand.networks)
        found["loss"] = whole.losses().double().cpu().numpy()
        live = [run for run in range(runs) if _is_finite(stand.networks[run]) and math.isfinite(found["loss"][run])]
        threshold = _threshold(stand.recipe.optimizer, stand.rate)
        found["threshold"][:] = math.nan if threshold is None else threshold.value
        if not live:
            return found
        operator = hessian(self._risk(stand.data, [stand.networks[run] for run in live]))
        found["sharpness"][live], found["error"][live] = self._largest(operator)
        if threshold is not None and threshold.preconditioned and stand.squares:
            squares = torch.stack([_flat(operator, stand.squares[run]) for run in live])
            divisor = (squares / (1 - _BETA2**stand.step)).sqrt() + _EPS
            found["preconditioned_sharpness"][live], _ = self._largest(preconditioned(operator, divisor))
        return found

    def _largest(self, operator: CurvatureOperator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        found = eigenvalues(operator, max_products=min(self.products, operator.size), seed=self.seed)
        return found.values[:, 0].cpu().numpy(), found.errors[:, 0].cpu().numpy()

    def _risk(self, data: TrainingSet, networks: Sequence[nn.Module]) -> EmpiricalRisk:
        inputs, labels = self._probe(data)
        return empirical_risk(Networks(networks), inputs, labels)

    def _probe(self, data: TrainingSet) -> tuple[Tensor, Tensor]:
        """Return the samples of the loss, the same ones at every measurement."""
        order = np.random.default_rng(self.seed).permutation(len(data.labels))[: self.samples]
        rows = torch.from_numpy(np.sort(order)).to(data.labels.device)
        return data.inputs[rows], data.labels[rows]


def tracker(every: int = 50, samples: int = 512, products: int = 10) -> CurvatureTracker:
    """Return what measures curvature along a training: `reseed measure --curvature every=50`.

    Nothing of the training changes: networks and what the optimiser remembers are copied, and no generator is used.

    Args:
        every: Steps between two measurements; the first is before the first step.
        samples: How many training samples the loss is a mean over, drawn once.
        products: Hessian products of a measurement at most; few leave the sharpness too small while the largest
            eigenvalues lie close together, and ``error`` says by how much.

    Examples:
        >>> tracker(every=100).products
        10

    References:
        Gilmer et al., *A Loss Curvature Perspective on Training Instability in Deep Learning*, arXiv 2110.04369.
    """
    return CurvatureTracker(every, samples, products, 0)


def _threshold(config: OptimizerConfig, rate: float) -> StabilityThreshold | None:
    """Return what the optimiser bears at a rate; nothing where the rate is 0."""
    return None if rate == 0 else stability_threshold(replace(config, lr=rate))


def _flat(operator: CurvatureOperator, tensors: Mapping[str, Tensor]) -> Tensor:
    """Return numbers of each weight in the operator's order, [parameter]."""
    parts = [tensors[name.removeprefix("network.")].flatten() for name in operator.shapes]
    return torch.cat(parts).to(operator.device)


def _is_finite(network: nn.Module) -> bool:
    return all(bool(parameter.isfinite().all()) for parameter in network.parameters())
