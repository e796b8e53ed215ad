"""Letting the learning rate fall along a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from reseed.mitigations._decay import AbstractDecay


@final
@dataclass(frozen=True)
class LinearDecay(AbstractDecay):
    """Linear decay: the learning rate falls along a line.

        lr_t = lr (1 - decay + decay f(u)),   f(u) = 1 - u,   u from 0, after warm-up, to 1 at the end

    Use it when: a training is long enough to converge: it costs nothing more, and the last steps no longer move
    predictions.
    Cost: one training, one network at inference.
    Beware: trainings that were too short get shorter still, and lose accuracy: raise the learning rate
    (`LearningRate`) or train for longer.

    References:
        Defazio et al., "Optimal Linear Decay Learning Rate Schedules and Further Refinements", 2023.
    """

    name: ClassVar[str] = "linear-decay"
    shape: ClassVar[str] = "linear"
