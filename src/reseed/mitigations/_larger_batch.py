"""Larger batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

from reseed._numbers import is_whole
from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation


@final
@dataclass(frozen=True)
class LargerBatch(AbstractMitigation):
    """Larger batches: gradients are means over more samples, and there are fewer of them.

        batch' = factor batch,   steps' = steps / factor,   lr' = lr, factor lr or sqrt(factor) lr

    Use it when: the order of samples is what makes runs differ, and training is long enough for fewer steps.
    Cost: one training of as many samples, one network at inference.
    Beware: with the learning rate as it was, a short training no longer converges.

    References:
        Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", 2017 (rate times factor, for SGD);
        Malladi et al., "On the SDEs and Scaling Rules for Adaptive Gradient Algorithms", NeurIPS 2022 (rate times the
        square root of the factor, for Adam).
    """

    name: ClassVar[str] = "larger-batch"

    factor: int = 4
    """On the recipe's batch size; 1 is the control."""
    rate: Literal["kept", "linear", "root"] = "kept"
    """The learning rate: as it was, times the factor, or times its square root."""

    def __post_init__(self) -> None:
        check_option(self, "factor", is_whole(self.factor) and self.factor >= 1, "1 or more")
        check_option(self, "rate", self.rate in ("kept", "linear", "root"), "kept, linear or root")

    @property
    def is_active(self) -> bool:
        """Whether batches are larger."""
        return self.factor > 1

    def settings(self, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the batch size, and what goes with it; epochs are as many samples as before."""
        settings = {"batch_size": self.factor * recipe["batch_size"]}
        if recipe["steps"] is not None:
            settings["steps"] = max(1, round(recipe["steps"] / self.factor))
        if self.rate != "kept":
            power = 1.0 if self.rate == "linear" else 0.5
            settings["optimizer.lr"] = recipe["optimizer.lr"] * self.factor**power
        return settings
