"""Warming the learning rate up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation


@final
@dataclass(frozen=True)
class Warmup(AbstractMitigation):
    """Warm-up: the learning rate rises linearly over the first steps.

        lr_t = lr (t + 1) / w  for t < w = share * steps, t from 0;  from then on the recipe's schedule

    Use it when: training is unstable at the recipe's learning rate: early losses jump, or some runs diverge.
    Cost: one training, one network at inference.
    Beware: a share of the steps is made at a lower rate, which short trainings miss.

    References:
        Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", 2017;
        Gilmer et al., "A Loss Curvature Perspective on Training Instabilities of Deep Learning Models", ICLR 2022.
    """

    name: ClassVar[str] = "warmup"

    share: float = 0.1
    """Share of the steps over which the rate rises, in [0, 1); zero leaves the recipe's own."""

    def __post_init__(self) -> None:
        check_option(self, "share", 0 <= self.share < 1, "a share in [0, 1)")

    @property
    def is_active(self) -> bool:
        """Whether the rate rises over any steps."""
        return self.share > 0

    def settings(self, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the schedule's warm-up."""
        return {"schedule.warmup": self.share}
