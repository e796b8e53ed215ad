"""Label smoothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor

from reseed.mitigations._checks import check_number
from reseed.mitigations._mitigation import AbstractMitigation, Batch


@final
@dataclass(frozen=True)
class LabelSmoothing(AbstractMitigation):
    """Label smoothing: every class gets a little of each label's mass.

        q = (1 - epsilon) q0 + epsilon / K

    q0 is the one-hot label, or what other methods made of it; K counts classes. The true class gets
    1 - epsilon + epsilon / K, as in `torch.nn.CrossEntropyLoss`.

    Use it when: probabilities are over-confident and calibration matters more than stability.
    Cost: one training, one network at inference.
    Beware: it caps the logit gap that training can reach, so that differences between seeds weigh more; measured
    label entropy often goes up.

    References:
        Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016.
    """

    name: ClassVar[str] = "label-smoothing"

    epsilon: float = 0.1
    """Mass that is spread over all classes, in [0, 1)."""

    def __post_init__(self) -> None:
        check_number(self, "epsilon", 0 <= self.epsilon < 1, "a share in [0, 1)")

    @property
    def is_active(self) -> bool:
        """Whether any mass is spread."""
        return self.epsilon > 0

    def targets(self, targets: Tensor | None, batch: Batch) -> Tensor:
        """Return smoothed targets [run, sample, class]."""
        return (1 - self.epsilon) * batch.soft(targets) + self.epsilon / batch.num_classes
