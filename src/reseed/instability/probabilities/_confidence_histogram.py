"""How predicted probabilities are spread over [0, 1]."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from reseed._arrays import ArrayLike, Result, brief, float_array, give_back
from reseed._errors import InputError
from reseed._numbers import is_whole
from reseed.instability._rounding import ROUNDING, unit_roundoff

_BLOCK = 1_000_000


@dataclass(frozen=True, eq=False)
class ConfidenceHistogram:
    """Counts of predicted probabilities.

    Attributes:
        edges: Edges of the bins, [bin + 1]; a bin holds its lower edge, the last one both. A probability that misses an
            edge by rounding alone, in the type of the logits, is at it.
        every: How many of all probabilities, samples times classes, fall into each bin, [bin].
        highest: How many samples' highest probability falls into each bin, [bin].
    """

    edges: Result
    every: Result
    highest: Result


def confidence_histogram(logits: ArrayLike, bins: int = 20) -> ConfidenceHistogram:
    """Counts the probabilities softmax(logits) in bins of equal width: all of them, and each sample's highest.

    Confident models have nearly all of their mass in the two outer bins; penalties on confidence move it inwards.

    Args:
        logits: Floats of shape [..., class].
        bins: Number of bins.

    Returns:
        Edges and counts, as tensors where logits are one.

    Raises:
        InputError: There are fewer than two classes, logits hold NaN or plus infinity, or bins is no positive number.

    References:
        Pereyra et al., "Regularizing Neural Networks by Penalizing Confident Output Distributions", ICLR workshop
        2017 (figure 1: all probabilities).

    Examples:
        >>> found = confidence_histogram([[0.0, 0.0], [9.0, 0.0]], bins=4)
        >>> found.every.tolist(), found.highest.tolist()
        ([1, 0, 2, 1], [0, 0, 1, 1])
    """
    if not is_whole(bins) or bins < 1:
        raise InputError(f"bins must be 1 or more, got {bins!r}.")
    values = float_array(logits, "logits")
    if values.shape[-1] < 2:
        raise InputError(f"logits must have two classes or more, got {brief(values)}; pass [sample, class].")
    if np.isposinf(values).any() or np.isneginf(values).all(-1).any():
        raise InputError(f"logits are {brief(values)} with rows that are no distribution; find what overflowed.")
    rows = values.reshape(-1, values.shape[-1])
    every, highest = np.zeros(bins, dtype=np.int64), np.zeros(bins, dtype=np.int64)
    size, missed = max(1, _BLOCK // rows.shape[1]), ROUNDING + unit_roundoff(logits)
    for first in range(0, len(rows), size):
        p = _softmax(rows[first : first + size])
        every += _counts(p, bins, missed)
        highest += _counts(p.max(-1), bins, missed)
    edges = np.arange(bins + 1) / bins
    return ConfidenceHistogram(*(give_back(part, logits) for part in (edges, every, highest)))


def _softmax(logits: Float[np.ndarray, "row cls"]) -> Float[np.ndarray, "row cls"]:
    weights = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    return np.asarray(weights / weights.sum(-1, keepdims=True))


def _counts(probabilities: Float[np.ndarray, "..."], bins: int, missed: float) -> Int[np.ndarray, " bin"]:
    places = ((probabilities + missed) * bins).astype(np.int64)
    return np.bincount(np.minimum(places, bins - 1).ravel(), minlength=bins)
