"""What all decays of the learning rate are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation


@dataclass(frozen=True)
class AbstractDecay(AbstractMitigation):
    """A learning rate that falls, in the shape of one of the recipe's schedules."""

    shape: ClassVar[str]
    """Which schedule."""

    decay: float = 1.0
    """Share of the learning rate that is gone at the end, in [0, 1]; zero leaves the recipe's own schedule."""

    def __post_init__(self) -> None:
        check_option(self, "decay", 0 <= self.decay <= 1, "a share in [0, 1]")

    @property
    def is_active(self) -> bool:
        """Whether the rate falls."""
        return self.decay > 0

    def settings(self, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the schedule's shape and end."""
        return {"schedule.name": self.shape, "schedule.floor": 1 - self.decay}
