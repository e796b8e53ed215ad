"""What measures the runs of a study along their training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import torch
from numpy.typing import NDArray
from torch import Tensor

from reseed.curvature.operators._risk import EmpiricalRisk, empirical_risk
from reseed.curvature.stability._threshold import stability_threshold
from reseed.curvature.stability._updates import decays_apart, updates_of
from reseed.curvature.tracking._measured import Optimizing, measured, probe_rows
from reseed.models import Networks
from reseed.training import OptimizerConfig, Stand, arithmetic, usual_threads

_BETA2, _EPS = 0.999, 1e-8  # of Adam and AdamW in recipes, torch's defaults


@final
@dataclass(frozen=True, eq=False)
class RecipeTracker:
    """Measures the runs of a recipe along their training; see `tracker`.

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
        """Return numbers of each run, [run], by the names of `reseed.curvature.CurvatureTracker.tracked`.

        The loss is that of networks in evaluation mode.
        """
        rows = probe_rows(len(stand.data.labels), self.samples, self.seed).to(stand.data.labels.device)
        inputs, labels = stand.data.inputs[rows], stand.data.labels[rows]
        with arithmetic(usual_threads(inputs)):
            risk = empirical_risk(Networks(stand.networks), inputs, labels)
            return measured(risk, _optimizing(stand, risk), products=self.products, seed=self.seed)


def tracker(every: int = 50, samples: int = 512, products: int = 10) -> RecipeTracker:
    """Return what measures curvature along a recipe's trainings: `reseed measure --curvature every=50`.

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
    return RecipeTracker(every, samples, products, 0)


def _optimizing(stand: Stand, risk: EmpiricalRisk) -> Optimizing:
    """Return what is known of the optimisers; at a rate of 0 there is no threshold."""
    if stand.rate == 0:
        return Optimizing(0.0, math.nan)
    config = replace(stand.recipe.optimizer, lr=stand.rate)
    threshold = stability_threshold(config)
    if not (threshold.preconditioned and stand.squares):
        return Optimizing(stand.rate, threshold.value)
    squares = torch.stack([_flat(risk, own) for own in stand.squares])
    divisors = (squares / (1 - _BETA2**stand.step)).sqrt() + _EPS
    return Optimizing(stand.rate, threshold.value, divisors, _l2_decay(config))


def _l2_decay(config: OptimizerConfig) -> float:
    """Return the L2 term that the threshold does not hold."""
    updates = updates_of(config, "optimizer")
    return updates[0].decay if decays_apart(updates) else 0.0


def _flat(risk: EmpiricalRisk, tensors: Mapping[str, Tensor]) -> Tensor:
    """Return numbers of each weight in the risk's order, [parameter]."""
    return torch.cat([tensors[name.removeprefix("network.")].flatten() for name in risk.shapes])
