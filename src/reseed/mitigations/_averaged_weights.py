"""Evaluating averaged weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from reseed.mitigations._checks import check_number
from reseed.mitigations._mitigation import AbstractMitigation


@final
@dataclass(frozen=True)
class Swa(AbstractMitigation):
    """Stochastic weight averaging: the mean of the weights after each of the last steps is evaluated.

        a = mean over steps t >= start of w_t

    Use it when: always worth a try: it is free.
    Cost: one training, one network at inference.
    Beware: averaging from too early on drags along weights that were still on their way.

    References:
        Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", UAI 2018.
    """

    name: ClassVar[str] = "swa"

    last: float = 0.4
    """Share of the steps that is averaged, in [0, 1]; zero is the control."""

    def __post_init__(self) -> None:
        check_number(self, "last", 0 <= self.last <= 1, "a share in [0, 1]")

    @property
    def is_active(self) -> bool:
        """Whether anything is averaged."""
        return self.last > 0

    def settings(self, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the average's kind and start."""
        return {"average.name": "swa", "average.start": 1 - self.last}
