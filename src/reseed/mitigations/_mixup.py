"""Mixup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from reseed._draws import draw_key, draw_uniform
from reseed.mitigations._checks import check_number
from reseed.mitigations._mitigation import AbstractMitigation, Batch

_PLACE = 101


@final
@dataclass(frozen=True)
class Mixup(AbstractMitigation):
    """Mixup: each sample is blended with another of its batch, and so is its label.

        x' = lam x_i + (1 - lam) x_j,   q' = lam q_i + (1 - lam) q_j,   lam = max(u, 1 - u) with u ~ U(0, strength)

    Sample j is the one ``i`` is paired with by a cyclic shift, drawn for each step and run; one lam for a batch. The
    draws come from the run's ``augment`` stream.

    Use it when: inputs are vectors or images and data is scarce.
    Cost: one training, one network at inference.
    Beware: token ids cannot be blended; it is refused for texts that are read by a fine-tuned encoder.

    References:
        Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018 (which draws lam from a Beta distribution).
    """

    name: ClassVar[str] = "mixup"
    place: ClassVar[int] = 2

    strength: float = 0.4
    """The most that a sample's partner weighs, in [0, 0.5]; zero is the control."""

    def __post_init__(self) -> None:
        check_number(self, "strength", 0 <= self.strength <= 0.5, "a share in [0, 0.5]")

    @property
    def is_active(self) -> bool:
        """Whether partners weigh anything."""
        return self.strength > 0

    def inputs(self, inputs: Tensor, batch: Batch) -> Tensor:
        """Return blended inputs [run, sample, ...]."""
        return self._blend(inputs, batch)

    def targets(self, targets: Tensor | None, batch: Batch) -> Tensor:
        """Return targets blended alike, [run, sample, class]."""
        return self._blend(batch.soft(targets), batch)

    def _blend(self, values: Tensor, batch: Batch) -> Tensor:
        draws = [draw_uniform(draw_key(word, batch.step, _PLACE), (2,), values.device) for word in batch.words]
        share, place = torch.stack(draws).to(values.dtype).unbind(1)
        samples = values.shape[1]
        shift = 1 + (place * (samples - 1)).long().clamp(max=max(0, samples - 2))
        partner = (torch.arange(samples, device=values.device) + shift[:, None]) % samples
        index = partner.view(*partner.shape, *(1,) * (values.ndim - 2)).expand_as(values)
        weight = (self.strength * share).view(-1, *(1,) * (values.ndim - 1))
        return (1 - weight) * values + weight * values.gather(1, index)
