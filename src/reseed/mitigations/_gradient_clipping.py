"""Clipping gradients."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation


@final
@dataclass(frozen=True)
class GradientClipping(AbstractMitigation):
    """Gradient clipping: a gradient that is longer than a bound is shortened to it.

        g' = g min(1, c / (|g| + 1e-6)),   |g| over all parameters of a run

    Use it when: training is unstable at the recipe's learning rate: early losses jump, or some runs diverge.
    Cost: one training, one network at inference.
    Beware: a bound that most gradients exceed is a lower learning rate under another name; Adam, which divides by the
    gradient's size, feels only how gradients differ from each other.

    References:
        Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", ICML 2013;
        Gilmer et al., "A Loss Curvature Perspective on Training Instabilities of Deep Learning Models", ICLR 2022.
    """

    name: ClassVar[str] = "gradient-clipping"

    norm: float = 1.0
    """c, a positive number; inf leaves the recipe's own."""

    def __post_init__(self) -> None:
        check_option(self, "norm", self.norm > 0, "a positive number")

    @property
    def is_active(self) -> bool:
        """Whether there is a bound."""
        return math.isfinite(self.norm)

    def settings(self, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the bound."""
        return {"optimizer.clip_norm": self.norm}
