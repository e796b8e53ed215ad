"""Diplopia: two labels a sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor, nn

from reseed.mitigations._anchored import AbstractAnchored, predicted
from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import Batch


@final
@dataclass(frozen=True)
class Diplopia(AbstractAnchored):
    """Diplopia: each sample counts twice, with its label and with the class that an anchor predicts.

        L = (1 - alpha) CE(y, p) + alpha CE(argmax g(x), p),   so   q(x) = (1 - alpha) q0 + alpha e[argmax g(x)]

    g is the anchor and q0 the one-hot label. The anchor's class alone counts, not how sure it is.

    Use it when: of the model in use only the labels are known.
    Cost: one training a run, and one anchor for all runs, or none where the anchor is a study that is there.
    Beware: an anchor that fits the training set perfectly says what the labels say, and the method does nothing.

    References:
        Fard, Cormier, Canini and Gupta, "Launch and Iterate: Reducing Prediction Churn", NeurIPS 2016.
    """

    name: ClassVar[str] = "diplopia"
    place: ClassVar[int] = 0

    alpha: float = 0.5
    """Weight of the anchor's class; 0 turns the method off."""

    def __post_init__(self) -> None:
        check_option(self, "alpha", 0 <= self.alpha <= 1, "a share in [0, 1]")

    @property
    def is_active(self) -> bool:
        """Whether the anchor has any weight."""
        return self.alpha > 0

    def targets(self, targets: Tensor | None, batch: Batch) -> Tensor:
        """Return the mixture, [run, sample, class]."""
        seen = nn.functional.one_hot(predicted(batch.taught), batch.num_classes).to(batch.taught.dtype)
        return (1 - self.alpha) * batch.soft(targets) + self.alpha * seen
