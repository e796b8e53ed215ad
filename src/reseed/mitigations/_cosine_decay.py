"""Letting the learning rate fall along half a cosine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from reseed.mitigations._decay import AbstractDecay


@final
@dataclass(frozen=True)
class CosineDecay(AbstractDecay):
    """Cosine decay: the learning rate falls along half a cosine.

        lr_t = lr (1 - decay + decay f(u)),   f(u) = (1 + cos(pi u)) / 2,   u from 0, after warm-up, to 1 at the end

    Use it when: a training is long enough to converge: it costs nothing more, and the last steps no longer move
    predictions.
    Cost: one training, one network at inference.
    Beware: trainings that were too short get shorter still, and lose accuracy: raise the learning rate
    (`LearningRate`) or train for longer.

    References:
        Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.
    """

    name: ClassVar[str] = "cosine-decay"
    shape: ClassVar[str] = "cosine"
