"""Distillation from an anchor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor

from reseed.mitigations._anchored import AbstractAnchored
from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import Batch


@final
@dataclass(frozen=True)
class Distill(AbstractAnchored):
    """Churn reduction by distillation: every run learns the labels and what one anchor says.

        q(x) = (1 - weight) q0 + weight g(x)

    g is the anchor and q0 the one-hot label. Training under a bound on the churn from g is equivalent to such
    targets, with a weight that grows as the bound tightens.

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

    def __post_init__(self) -> None:
        check_option(self, "weight", 0 <= self.weight <= 1, "a share in [0, 1]")

    @property
    def is_active(self) -> bool:
        """Whether the anchor has any weight."""
        return self.weight > 0

    def targets(self, targets: Tensor | None, batch: Batch) -> Tensor:
        """Return the mixture, [run, sample, class]."""
        return (1 - self.weight) * batch.soft(targets) + self.weight * batch.taught
