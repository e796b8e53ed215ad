"""Mixup."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, final

import torch
from torch import Tensor

from reseed._draws import draw_key, draw_uniform
from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation, Batch

_PLACE = 101


@final
@dataclass(frozen=True)
class Mixup(AbstractMitigation):
    """Mixup: each sample is blended with another of its batch, and so is its label.

        x' = lam x_i + (1 - lam) x_j,   q' = lam q_i + (1 - lam) q_j,   lam ~ Beta(alpha, alpha)

    Sample j is the one ``i`` is paired with by a cyclic shift, which is as good as a permutation since batches are
    shuffled; shift and lam are drawn for each step and run from the run's ``augment`` stream, one of each for a batch.

    Use it when: inputs are vectors or images and data is scarce.
    Cost: one training, one network at inference.
    Beware: token ids cannot be blended; it is refused for texts that are read by a fine-tuned encoder.

    References:
        Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018.
    """

    name: ClassVar[str] = "mixup"
    place: ClassVar[int] = 2
    blends: ClassVar[bool] = True

    alpha: float = 0.2
    """Of the Beta distribution: near zero hardly any sample is blended, at 1 lam is uniform; zero is the control."""

    def __post_init__(self) -> None:
        check_option(self, "alpha", 0 <= self.alpha < float("inf"), "a number, zero or more")

    @property
    def is_active(self) -> bool:
        """Whether anything is blended."""
        return self.alpha > 0

    def inputs(self, inputs: Tensor, batch: Batch) -> Tensor:
        """Return blended inputs [run, sample, ...]."""
        return self._blend(inputs, batch)

    def targets(self, targets: Tensor | None, batch: Batch) -> Tensor:
        """Return targets blended alike, [run, sample, class]."""
        return self._blend(batch.soft(targets), batch)

    def _blend(self, values: Tensor, batch: Batch) -> Tensor:
        samples = values.shape[1]
        draws = [_drawn(self.alpha, word, batch.step) for word in batch.words]
        lam = torch.tensor([own for own, _ in draws], dtype=values.dtype, device=values.device)
        # From 1 to samples - 1, so that no sample is its own partner; in a batch of one it is.
        shifts = torch.tensor([1 + int(place * (samples - 1)) for _, place in draws], device=values.device)
        partner = (torch.arange(samples, device=values.device) + shifts[:, None]) % samples
        index = partner.view(*partner.shape, *(1,) * (values.ndim - 2)).expand_as(values)
        weight = lam.view(-1, *(1,) * (values.ndim - 1))
        return weight * values + (1 - weight) * values.gather(1, index)


@lru_cache(maxsize=256)
def _drawn(alpha: float, word: int, step: int) -> tuple[float, float]:
    """Return a run's lam at a step, by the inverse of its distribution function, and what its shift is drawn from."""
    from scipy.special import betaincinv

    share, place = draw_uniform(draw_key(word, step, _PLACE), (2,), torch.device("cpu")).tolist()
    return float(betaincinv(alpha, alpha, share)), place
