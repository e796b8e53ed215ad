"""Distillation from an anchor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor

from reseed.mitigations._anchored import AbstractAnchored
from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import Batch
from reseed.mitigations._tempered import tempered


@final
@dataclass(frozen=True)
class Distill(AbstractAnchored):
    """Churn reduction by distillation: every run learns the labels and what one anchor says.

        q(x) = (1 - weight) q0 + weight r(x),   r(x)[c] = g(x)[c]^T / sum_j g(x)[j]^T

    g is the anchor, T the exponent and q0 the one-hot label. With T = 1, training under a bound on the churn from g is
    equivalent to such targets, with a weight that grows as the bound tightens; an exponent above 1 teaches what the
    anchor answers more than how sure it is (self-distillation at a low temperature, 1 / T).

    Use it when: a model is in use, and its successors must not change its answers without reason.
    Cost: one training a run, and one anchor for all runs, or none where the anchor is a study that is there.
    Beware: runs inherit the anchor's errors, and agree because of what they share: another anchor, another answer.

    References:
        Jiang, Narasimhan, Bahri, Cotter and Rostamizadeh, "Churn Reduction via Distillation", ICLR 2022.
    """

    name: ClassVar[str] = "distill"
    place: ClassVar[int] = 0

    weight: float = 0.5
    """Weight of the anchor, lambda; 0 turns the method off."""
    exponent: float = 1.0
    """Power of the anchor's probabilities: the inverse of a temperature."""

    def __post_init__(self) -> None:
        check_option(self, "weight", 0 <= self.weight <= 1, "a share in [0, 1]")
        check_option(self, "exponent", 0 < self.exponent < math.inf, "a positive number")

    @property
    def is_active(self) -> bool:
        """Whether the anchor has any weight."""
        return self.weight > 0

    def targets(self, targets: Tensor | None, batch: Batch) -> Tensor:
        """Return the mixture, [run, sample, class]."""
        said = batch.taught if self.exponent == 1 else tempered(batch.taught, exponent=self.exponent)
        return (1 - self.weight) * batch.soft(targets) + self.weight * said
