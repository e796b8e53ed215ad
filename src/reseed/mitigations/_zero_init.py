"""Initial weights of zeros and ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation


@final
@dataclass(frozen=True)
class ZeroInit(AbstractMitigation):
    """Zeros and ones: layers begin as identities or Hadamard matrices, the last one at 0.

        W = I*                 where a layer has no more outputs than inputs, * the upper left part
        W = 2^(-m/2) (H_m)*    where it has more, m = ceil(log2 outputs)
        last layer, biases, last convolution of a residual block: 0;   of kernels only the middle
        w_0' = share W + (1 - share) w_0

    Use it when: no seed is to decide initial weights, in convolutional networks too, and under the head of a fine-tuned
    encoder.
    Cost: one training, one network at inference.
    Beware: without normalisation and skips, features of images begin as copies of few, and training may be slow.

    References:
        Zhao, Schaefer, Anandkumar, "ZerO Initialization: Initializing Neural Networks with only Zeros and Ones", TMLR
        2022.
    """

    name: ClassVar[str] = "zero-init"

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
        return {"model.init": "zero", "model.init_share": self.share}
