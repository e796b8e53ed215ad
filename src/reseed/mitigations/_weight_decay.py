"""Weight decay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation

_DECOUPLED = {"sgd": "sgdw", "adam": "adamw"}
_COUPLED = {decoupled: coupled for coupled, decoupled in _DECOUPLED.items()}


@final
@dataclass(frozen=True)
class WeightDecay(AbstractMitigation):
    """Weight decay: large weights cost something.

        L2 term:    g' = g + k w,               and the optimiser steps along g'
        decoupled:  w' = (1 - lr k) w,          and the optimiser steps from w' along g

    For plain SGD both are the same step. With momentum the L2 term is accumulated like a gradient, so that it acts
    about 1 / (1 - momentum) times as strongly as decoupled decay with the same k, and its effect lags behind a falling
    learning rate. In Adam the L2 term is divided by the gradient's size like the gradient itself, so that weights with
    large gradients decay less than others; decoupled, all decay alike. The option chooses between the optimisers of a
    recipe: ``sgd`` and ``sgdw``, ``adam`` and ``adamw``.

    Use it when: networks train for long on little data.
    Cost: one training, one network at inference.
    Beware: biases and scales of normalisation layers decay like all weights; a recipe's own weight decay is replaced.

    References:
        Krogh and Hertz, "A Simple Weight Decay Can Improve Generalization", NeurIPS 1991;
        Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
    """

    name: ClassVar[str] = "weight-decay"

    strength: float = 1e-3
    """k, zero or more; zero leaves the recipe's own."""
    decoupled: bool = False
    """Whether weights shrink apart from the gradient, in place of an L2 term in it."""

    def __post_init__(self) -> None:
        check_option(self, "strength", 0 <= self.strength < math.inf, "zero or more")

    @property
    def is_active(self) -> bool:
        """Whether weights decay."""
        return self.strength > 0

    def settings(self, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the coefficient, and the optimiser that applies it as the option says."""
        name = recipe["optimizer.name"]
        own = (_DECOUPLED if self.decoupled else _COUPLED).get(name, name)
        return {"optimizer.name": own, "optimizer.weight_decay": self.strength}
