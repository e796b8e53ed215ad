"""Dropout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation


@final
@dataclass(frozen=True)
class Dropout(AbstractMitigation):
    """Dropout: in training, each hidden unit is zero with some probability.

        h' = h m / (1 - p),   m = 0 with probability p, else 1;  h at inference

    Use it when: networks are large for their data.
    Cost: one training, one network at inference.
    Beware: masks are one more thing that seeds decide; it acts where the recipe's model has dropout layers, after
    hidden layers, and a user's own model must read ``model.dropout``.

    References:
        Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 2014.
    """

    name: ClassVar[str] = "dropout"

    p: float = 0.1
    """Probability of zero, in [0, 1); zero leaves the recipe's own."""

    def __post_init__(self) -> None:
        check_option(self, "p", 0 <= self.p < 1, "a probability in [0, 1)")

    @property
    def is_active(self) -> bool:
        """Whether anything is dropped."""
        return self.p > 0

    def settings(self, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the model's dropout."""
        return {"model.dropout": self.p}
