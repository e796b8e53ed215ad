"""Evaluating averaged weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation


@final
@dataclass(frozen=True)
class Swa(AbstractMitigation):
    """Stochastic weight averaging: the mean of the weights along the last part of the training is evaluated.

        a = mean over t >= start of w_t

    with w_t the weights after step t: those with which the last part begins, and those after each of its steps.

    Use it when: always worth a try: it is free.
    Cost: one training, one network at inference; refreshed statistics: a forward pass over the training set whenever
    the averaged weights are evaluated, in networks with batch norm.
    Beware: averaging from too early on drags along weights that were still on their way. At high learning rates
    averaged batch-norm statistics are those of other weights: have them refreshed.

    References:
        Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", UAI 2018 (which refreshes
        the statistics).
    """

    name: ClassVar[str] = "swa"

    last: float = 0.4
    """The last part of the training as a share of its steps, in [0, 1]; zero is the control. Of 100 steps and 0.4 the
    average is of the weights after steps 60, 61, ..., 100; of 1 after every step."""
    statistics: Literal["averaged", "refreshed"] = "averaged"
    """Batch-norm statistics: averaged like weights, or recomputed on the training set with the averaged weights."""

    def __post_init__(self) -> None:
        check_option(self, "last", 0 <= self.last <= 1, "a share in [0, 1]")
        check_option(self, "statistics", self.statistics in ("averaged", "refreshed"), "averaged or refreshed")

    @property
    def is_active(self) -> bool:
        """Whether anything is averaged."""
        return self.last > 0

    def settings(self, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the average's kind, start and statistics."""
        return {"average.name": "swa", "average.start": 1 - self.last, "average.statistics": self.statistics}
