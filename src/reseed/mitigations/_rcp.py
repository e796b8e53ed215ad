"""Regress to the corrected prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from reseed.mitigations._anchored import AbstractAnchored, predicted
from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import Batch


@final
@dataclass(frozen=True)
class Rcp(AbstractAnchored):
    """Regress to the corrected prediction: follow an anchor where it is right, and the label where it is wrong.

        q(x) = alpha g(x) + (1 - alpha) q0   where argmax g(x) = y,   q0 elsewhere

    g is the anchor and q0 the one-hot label. That a wrong anchor gives way to the plain label, and that the loss is the
    cross-entropy, is how the idea is put here.

    Use it when: a model is in use, and its successors should keep its right answers only.
    Cost: one training a run, and one anchor for all runs, or none where the anchor is a study that is there.
    Beware: an anchor that fits the training set perfectly is right everywhere: it is `Distill` then.

    References:
        Fard, Cormier, Canini and Gupta, "Launch and Iterate: Reducing Prediction Churn", NeurIPS 2016.
    """

    name: ClassVar[str] = "rcp"
    place: ClassVar[int] = 0

    alpha: float = 0.5
    """Weight of the anchor where it is right; 0 turns the method off."""

    def __post_init__(self) -> None:
        check_option(self, "alpha", 0 <= self.alpha <= 1, "a share in [0, 1]")

    @property
    def is_active(self) -> bool:
        """Whether the anchor has any weight."""
        return self.alpha > 0

    def targets(self, targets: Tensor | None, batch: Batch) -> Tensor:
        """Return the corrected predictions, [run, sample, class]."""
        label = batch.soft(targets)
        is_right = (predicted(batch.taught) == batch.labels)[..., None]
        return torch.where(is_right, self.alpha * batch.taught + (1 - self.alpha) * label, label)
