"""Letting the learning rate fall along half a cosine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from reseed.mitigations._checks import check_number
from reseed.mitigations._mitigation import AbstractMitigation


@final
@dataclass(frozen=True)
class CosineDecay(AbstractMitigation):
    """Cosine decay: the learning rate falls along half a cosine.

        lr_t = lr (1 - decay + decay f(u)),   f(u) = (1 + cos(pi u)) / 2,   u from 0, after warm-up, to 1 at the end

    Use it when: always worth a try: it is free, and the last steps no longer move predictions.
    Cost: one training, one network at inference.
    Beware: trainings that were too short get shorter still: raise the learning rate or train for longer.

    References:
        Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.
    """

    name: ClassVar[str] = "cosine-decay"

    decay: float = 1.0
    """Share of the learning rate that is gone at the end, in [0, 1]; zero leaves the recipe's own schedule."""

    def __post_init__(self) -> None:
        check_number(self, "decay", 0 <= self.decay <= 1, "a share in [0, 1]")

    @property
    def is_active(self) -> bool:
        """Whether the rate falls."""
        return self.decay > 0

    def settings(self, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the schedule's shape and end."""
        return {"schedule.name": "cosine", "schedule.floor": 1 - self.decay}
