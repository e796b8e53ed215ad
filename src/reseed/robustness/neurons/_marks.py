"""Which parts of its neurons' ranges a layer has been in, and which of its neurons are the highest."""

from __future__ import annotations

from typing import final

import numpy as np

from reseed.robustness.neurons._passes import Array


@final
class LayerMarks:
    """What was seen of a layer's neurons."""

    def __init__(self, low: Array, high: Array, sections: int, slack: float) -> None:
        self.low, self.high, self.slack = low, high, slack
        self.has_width = high > low
        self.width = np.where(self.has_width, high - low, 1.0)
        self.hit = np.zeros((len(low), sections), bool)
        self.upper, self.lower, self.top, self.active = (np.zeros(len(low), bool) for _ in range(4))

    def mark(self, values: Array) -> Array:
        """Mark where activations [sample, neuron] fall; return how many of a sample's are out of range, [sample]."""
        sections = self.hit.shape[1]
        beyond = np.where(self.has_width, self.slack * self.width, 0.0)
        above, below = values > self.high + beyond, values < self.low - beyond
        self.upper |= above.any(0)
        self.lower |= below.any(0)
        outside = above | below
        # The factor before the division, so that edges that are whole numbers stay exact.
        place = (np.clip(values, self.low, self.high) - self.low) * sections / self.width
        place = np.minimum(place, sections - 1).astype(np.int64)
        place += np.arange(len(self.low)) * sections
        self.hit.reshape(-1)[place[~outside & self.has_width]] = True
        return np.asarray(np.count_nonzero(outside, axis=1))

    def is_like(self, other: LayerMarks) -> bool:
        """Tell whether the ranges are the same."""
        return np.array_equal(self.low, other.low) and np.array_equal(self.high, other.high)

    def merged(self, other: LayerMarks) -> LayerMarks:
        """Return the marks of both."""
        both = LayerMarks(self.low, self.high, self.hit.shape[1], self.slack)
        for name in ("hit", "upper", "lower", "top", "active"):
            setattr(both, name, getattr(self, name) | getattr(other, name))
        return both


def highest(values: Array, count: int) -> Array:
    """Return where the highest values of each row are, bool [sample, neuron]; the lower number wins a tie."""
    width = values.shape[1]
    if count >= width:
        return np.ones(values.shape, bool)
    least = np.partition(values, width - count, axis=1)[:, width - count, None]
    chosen = values >= least
    ties = np.flatnonzero(np.count_nonzero(chosen, axis=1) > count)
    if len(ties):
        some, edge = values[ties], least[ties]
        free = count - np.count_nonzero(some > edge, axis=1, keepdims=True)
        tied = some == edge
        chosen[ties] = (some > edge) | (tied & (np.cumsum(tied, axis=1) <= free))
    return np.asarray(chosen)


def numbers_of(chosen: Array) -> Array:
    """Return the numbers of the chosen neurons of each sample, ascending, [sample, chosen]."""
    numbers: Array = np.asarray(np.nonzero(chosen)[1], np.int32)
    return numbers.reshape(len(chosen), -1 if len(chosen) else 0)


def scaled(values: Array) -> Array:
    """Return activations [sample, neuron] scaled in each sample to [0, 1]; zeros where all are equal."""
    low = values.min(1, keepdims=True)
    span = values.max(1, keepdims=True) - low
    return np.asarray((values - low) / np.where(span > 0, span, 1.0))
