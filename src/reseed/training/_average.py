"""Which weights are evaluated: the last ones, or an average along the training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import final

import torch
from torch import Tensor

from reseed.training._recipe import AverageConfig


@final
class Averages:
    """A running average of tensors, elementwise, so that stacked runs are averaged each by itself.

    From step s0 = round(start * total) on, with the values w_t after step t:

        swa:  a_t = a_{t-1} + (w_t - a_{t-1}) / (t - s0 + 1)
        ema:  a_t = decay * a_{t-1} + (1 - decay) * w_t,   a_{s0} = w_{s0}

    Training never sees the average.

    Args:
        config: Kind, start and decay.
        tensors: Parameters and floating-point buffers (batch statistics are averaged like weights).
        total: Steps of the whole training.

    References:
        Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", UAI 2018.
    """

    def __init__(self, config: AverageConfig, tensors: Sequence[Tensor], total: int) -> None:
        self._config, self._first = config, max(1, round(config.start * total))
        self._tensors = list(tensors) if config.name != "none" else []
        self._averages: list[Tensor] = []

    @torch.no_grad()
    def update(self, number: int) -> None:
        """Take the values after step ``number`` (from 1)."""
        if not self._tensors or number < self._first:
            return
        if not self._averages:
            self._averages = [tensor.detach().clone() for tensor in self._tensors]
            return
        swa = self._config.name == "swa"
        weight = 1.0 / (number - self._first + 1) if swa else 1.0 - self._config.decay
        torch._foreach_lerp_(self._averages, self._tensors, weight)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the averages where the values are, for an evaluation; before the first average nothing happens."""
        kept = [tensor.detach().clone() for tensor in self._tensors] if self._averages else []
        self._copy(self._averages)
        try:
            yield
        finally:
            self._copy(kept)

    @torch.no_grad()
    def _copy(self, values: list[Tensor]) -> None:
        if values:
            torch._foreach_copy_(self._tensors, values)
