"""Scaling initial weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation


@final
@dataclass(frozen=True)
class InitScale(AbstractMitigation):
    """Initial scale: freshly drawn weights are multiplied by a factor before training.

        w_0' = factor w_0,   for weights of two or more axes; biases and pre-trained weights stay

    Use it when: weights are averaged, or the learning rate decays: smaller weights leave less of the draw in the
    trained network. By itself it kept answers in place where classes overlap (made-up clusters), and was not found to
    change more than chance does on texts and on MNIST.
    Cost: one training, one network at inference.
    Beware: short trainings lose accuracy, and networks of many layers without normalisation start ever more slowly:
    their outputs shrink by the factor once a layer.

    References:
        Gilmer et al., "A Loss Curvature Perspective on Training Instabilities of Deep Learning Models", ICLR 2022.
    """

    name: ClassVar[str] = "init-scale"

    factor: float = 0.3
    """On the recipe's own initial scale; 1 is the control."""

    def __post_init__(self) -> None:
        check_option(self, "factor", 0 < self.factor < math.inf, "a positive number")

    @property
    def is_active(self) -> bool:
        """Whether weights are scaled."""
        return self.factor != 1

    def settings(self, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the model's scale, times the factor."""
        return {"model.init_scale": self.factor * recipe["model.init_scale"]}
