"""Evaluating an exponential average of the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation


@final
@dataclass(frozen=True)
class Ema(AbstractMitigation):
    """Exponential averaging: a mean of the weights in which older ones count less and less is evaluated.

        a_t = decay a_{t-1} + (1 - decay) w_t

    with w_t the weights after step t, over the last part of the training, which begins with the weights that are there
    then: a_start = w_start. It remembers about 1 / (1 - decay) steps.

    Use it when: it is not known beforehand when training ends; otherwise `Swa` averages more evenly.
    Cost: one training, one network at inference; refreshed statistics: a forward pass over the training set whenever
    the averaged weights are evaluated, in networks with batch norm.
    Beware: a decay that suits long trainings keeps short ones near the weights at which averaging began: what is left
    of these after t steps is decay^t, 38 % of 96 steps and 5 % of 300 at the default. A study whose average remembers
    more than a quarter of its steps says so when it begins.

    References:
        Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", SIAM Journal on Control and
        Optimization 1992 (of plain means);
        Morales-Brotons, Vogels and Hendrikx, "Exponential Moving Average of Weights in Deep Learning: Dynamics and
        Benefits", TMLR 2024.
    """

    name: ClassVar[str] = "ema"

    decay: float = 0.99
    """Share of the old average that each step keeps, in [0, 1); zero is the control."""
    last: float = 1.0
    """The last part of the training as a share of its steps, in [0, 1]; zero is the control. With 1 it begins with the
    weights after the first step."""
    statistics: Literal["averaged", "refreshed"] = "averaged"
    """Batch-norm statistics: averaged like weights, or recomputed on the training set with the averaged weights."""

    def __post_init__(self) -> None:
        check_option(self, "decay", 0 <= self.decay < 1, "a share in [0, 1)")
        check_option(self, "last", 0 <= self.last <= 1, "a share in [0, 1]")
        check_option(self, "statistics", self.statistics in ("averaged", "refreshed"), "averaged or refreshed")

    @property
    def is_active(self) -> bool:
        """Whether anything is averaged."""
        return self.decay > 0 and self.last > 0

    def settings(self, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the average's kind, start, decay and statistics."""
        return {
            "average.name": "ema",
            "average.start": 1 - self.last,
            "average.decay": self.decay,
            "average.statistics": self.statistics,
        }
