"""Focal distillation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, final

import torch
from torch import Tensor

from reseed.mitigations._anchored import AbstractAnchored, predicted
from reseed.mitigations._checks import check_option
from reseed.mitigations._entropy import log_probabilities
from reseed.mitigations._mitigation import Batch, Penalty


@final
@dataclass(frozen=True)
class FocalDistillation(AbstractAnchored):
    """Focal distillation against negative flips: stay near an anchor, most of all where it is right.

        L = CE + (alpha + beta 1[argmax g(x) = y]) KL(g(x) || p(x))

    g is the anchor, KL is in nats. A negative flip is a sample that the anchor has right and its successor wrong.

    Use it when: a model is in use, and what it has right must stay right.
    Cost: one training a run, and one anchor for all runs, or none where the anchor is a study that is there.
    Beware: the weights add to the loss: large ones act like a larger learning rate; lower the rate for them.

    References:
        Yan et al., "Positive-Congruent Training: Towards Regression-Free Model Updates", CVPR 2021;
        Caciolai et al., ACL Industry Track 2023.
    """

    name: ClassVar[str] = "focal-distillation"
    tells_samples_apart: ClassVar[bool] = True

    alpha: float = 0.5
    """Weight of the anchor everywhere, zero or more."""
    beta: float = 0.5
    """Weight of the anchor that comes on top where it is right, zero or more."""

    def __post_init__(self) -> None:
        check_option(self, "alpha", 0 <= self.alpha < math.inf, "zero or more")
        check_option(self, "beta", 0 <= self.beta < math.inf, "zero or more")

    @property
    def is_active(self) -> bool:
        """Whether the anchor has any weight."""
        return self.alpha > 0 or self.beta > 0

    def penalty(self, batch: Batch) -> Penalty:
        """Return the weighted divergence from the anchor."""
        weights = self.alpha + self.beta * (predicted(batch.taught) == batch.labels)
        return partial(_weighted_divergence, anchor=batch.taught, weights=weights)


def _weighted_divergence(logits: Tensor, anchor: Tensor, weights: Tensor) -> Tensor:
    log_p = log_probabilities(logits)
    anchor = anchor.to(log_p.dtype)
    return weights * (torch.xlogy(anchor, anchor) - anchor * log_p).sum(-1)
