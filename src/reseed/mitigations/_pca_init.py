"""Initial weights from principal directions of the training features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation


@final
@dataclass(frozen=True)
class PcaInit(AbstractMitigation):
    """Principal initial weights: the first layer begins at principal directions of the features, all else at 0.

        W_1 = [V, -V],   V the leading principal directions of the training features as rows, signs fixed
        W_last = 0,   biases 0,   layers between: identities (see zero-init)
        w_0' = share W + (1 - share) w_0

    Use it when: a perceptron learns from features (mlp, text-tfidf, a frozen encoder), together with averaged weights:
    these calm what the order of samples does, and then initial weights are what is left.
    Cost: one training, one network at inference; principal directions once for each training sample.
    Beware: by itself it does not change more than chance does. The directions are those of the run's own training
    samples, so they move when the data does. Not for convolutions and fine-tuned encoders.
    """

    name: ClassVar[str] = "pca-init"

    share: float = 1.0
    """Of the initial weights; the rest is drawn. 0 is the control."""

    def __post_init__(self) -> None:
        check_option(self, "share", 0 <= self.share <= 1, "a number in [0, 1]")

    @property
    def is_active(self) -> bool:
        """Whether initial weights are others."""
        return self.share > 0

    def settings(self, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return where the initial weights come from."""
        return {"model.init": "pca", "model.init_share": self.share}
