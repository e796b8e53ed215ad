"""Scaling the learning rate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation


@final
@dataclass(frozen=True)
class LearningRate(AbstractMitigation):
    """Learning rate: the peak rate is multiplied by a factor.

        lr' = factor lr

    Use it when: a learning rate that decays, or smaller initial weights, leave a network short of training: both keep
    answers in place, and a higher peak gives back most of the accuracy that they cost.
    Cost: one training, one network at inference.
    Beware: on its own a higher rate ends further from any minimum, and more answers may change; with one that is too
    high, trainings diverge.

    References:
        Gilmer et al., "A Loss Curvature Perspective on Training Instabilities of Deep Learning Models", ICLR 2022
        (which rates a training survives).
    """

    name: ClassVar[str] = "learning-rate"

    factor: float = 3.0
    """On the recipe's own peak rate; 1 is the control."""

    def __post_init__(self) -> None:
        check_option(self, "factor", 0 < self.factor < math.inf, "a positive number")

    @property
    def is_active(self) -> bool:
        """Whether the rate is another."""
        return self.factor != 1

    def settings(self, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the recipe's rate, times the factor."""
        return {"optimizer.lr": self.factor * recipe["optimizer.lr"]}
