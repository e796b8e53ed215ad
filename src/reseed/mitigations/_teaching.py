"""Methods whose students learn from teachers' probabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn

from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation, Batch
from reseed.mitigations._tempered import tempered


@dataclass(frozen=True)
class AbstractTeaching(AbstractMitigation):
    """Soft targets made of teachers' tempered probabilities q(x), mixed with the label.

    (1 - hard_weight) q(x) + hard_weight q0
    """

    place: ClassVar[int] = 0

    exponent: float = 1.0
    """Power to which the teachers' probabilities are raised: below 1 flattens, above 1 sharpens."""
    hard_weight: float = 0.0
    """Weight of the label itself; 1 turns the method off."""
    temperature: float | None = field(default=None, kw_only=True)
    """The exponent's inverse, as in distillation; in its place."""

    def __post_init__(self) -> None:
        check_option(self, "exponent", 0 < self.exponent < math.inf, "a positive number")
        if self.temperature is not None:
            check_option(self, "temperature", 0 < self.temperature < math.inf, "a positive number")
            check_option(self, "exponent", self.exponent == 1, "left alone where temperature is given")
        check_option(self, "hard_weight", 0 <= self.hard_weight <= 1, "a share in [0, 1]")

    @property
    def is_active(self) -> bool:
        """Whether teachers have any weight."""
        return self.hard_weight < 1

    def learn(self, output: Tensor, labels: Tensor) -> Tensor:
        """Return tempered probabilities [run, sample, class]; empty where they are the labels, and nothing else.

        Runs then train as the control does, bit for bit.
        """
        by_exponent = self.temperature is None
        soft = tempered(output, exponent=self.exponent if by_exponent else None, temperature=self.temperature)
        one_hot = nn.functional.one_hot(labels, soft.shape[-1]).to(soft.dtype)
        return soft.new_empty(0) if torch.equal(soft, one_hot.expand_as(soft)) else soft

    def targets(self, targets: Tensor | None, batch: Batch) -> Tensor | None:
        """Return the mixture, [run, sample, class]; None if teachers say what the labels say."""
        if not batch.taught.numel():
            return targets
        if self.hard_weight == 0:
            return batch.taught
        return (1 - self.hard_weight) * batch.taught + self.hard_weight * batch.soft(targets)
