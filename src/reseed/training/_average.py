"""Which weights are evaluated: the last ones, or an average along the training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import final

import torch
from torch import Tensor

from reseed.training._recipe import AverageConfig
from reseed.training._snapshot import fill, numbered

_FAR = 0.25
"""Share of the steps that an average may remember before that is worth a word."""


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
        refresh: Recomputes batch statistics with the weights that are in place; called where the config says so.

    References:
        Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", UAI 2018.
    """

    def __init__(
        self, config: AverageConfig, tensors: Sequence[Tensor], total: int, refresh: Callable[[], None]
    ) -> None:
        self._config, self._first = config, first_averaged(config, total)
        self._tensors = list(tensors) if config.name != "none" else []
        self._averages: list[Tensor] = []
        self._refresh = refresh if config.statistics == "refreshed" else None
        self._refreshed: list[Tensor] = []

    @torch.no_grad()
    def update(self, number: int) -> None:
        """Take the values after step ``number`` (from 1)."""
        self._refreshed = []
        if not self._tensors or number < self._first:
            return
        if not self._averages:
            self._averages = [tensor.detach().clone() for tensor in self._tensors]
            return
        swa = self._config.name == "swa"
        weight = 1.0 / (number - self._first + 1) if swa else 1.0 - self._config.decay
        torch._foreach_lerp_(self._averages, self._tensors, weight)

    def state(self) -> dict[str, Tensor]:
        """Return the averages so far by name; no copies, and nothing before the first."""
        return numbered("", self._averages)

    @torch.no_grad()
    def resume(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` returned, which stays as it is."""
        if state:
            self._averages = [torch.empty_like(tensor) for tensor in self._tensors]
            fill(self._averages, state)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the averages where the values are, for an evaluation; before the first average nothing happens."""
        if not self._averages:
            yield
            return
        with lent(self._tensors, self._refreshed or self._averages):
            if self._refresh is not None and not self._refreshed:
                self._refresh()
                self._refreshed = [tensor.detach().clone() for tensor in self._tensors]
            yield


@contextmanager
@torch.no_grad()
def lent(tensors: Sequence[Tensor], values: Sequence[Tensor]) -> Iterator[None]:
    """Have tensors hold other values inside, bit for bit what they held outside."""
    held: list[Tensor] = [tensor.detach() for tensor in tensors]
    kept = [tensor.clone() for tensor in held]
    try:
        torch._foreach_copy_(held, list(values))
        yield
    finally:
        torch._foreach_copy_(held, kept)


def first_averaged(config: AverageConfig, total: int) -> int:
    """Return the step, from 1, after which averaging begins.

    Examples:
        >>> first_averaged(AverageConfig("swa", start=0.5), total=10)
        5
    """
    return max(1, round(config.start * total))


def average_notes(config: AverageConfig, total: int) -> tuple[str, ...]:
    """Return what to say of an exponential average that reaches far back in its training, if it does.

    Args:
        config: Kind, start and decay.
        total: Steps of the whole training.

    Examples:
        >>> average_notes(AverageConfig("ema", start=0.0, decay=0.99), total=1000)
        ()
        >>> average_notes(AverageConfig("ema", start=0.0, decay=0.99), total=200)[0].partition(":")[0]
        'The average of the weights remembers about 100 of 200 steps'
    """
    memory = min(1 / (1 - config.decay), total)
    if config.name != "ema" or memory <= max(1, _FAR * total):
        return ()
    shorter = 1 - 10 / total
    remedy = f"Lower average.decay to {shorter:.2g} (ema:decay={shorter:.2g}), or train longer."
    return (
        f"The average of the weights remembers about {memory:.0f} of {total:,} steps: it lags behind what was learned, "
        f"which may cost accuracy and stability. {remedy if shorter > 0 else 'Train longer.'}",
    )
