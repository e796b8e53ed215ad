"""Which two labels runs cannot decide between."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse
from jaxtyping import Int, Integer

from reseed._errors import InputError
from reseed._numbers import is_whole
from reseed.instability._arrays import ArrayLike, Result, encode, give_back, run_axis_first, undefined
from reseed.instability._counts import blocks

_TOGETHER = 500_000  # (sample, label) counts that are multiplied at a time
_WIDEST = 1 << 20  # range of labels up to which they are columns as they stand


@dataclass(frozen=True)
class FlipPairs:
    """Unordered pairs of labels, most confused first; pairs with equal shares in ascending order of labels.

    Attributes:
        label_a: the lower label, [pair].
        label_b: the higher label, [pair].
        share: mean over samples of the share of run pairs in which one run says a and the other b, [pair].
        samples: number of samples to which some run gives a and another gives b, [pair].
    """

    label_a: Result
    label_b: Result
    share: Result
    samples: Result


def flip_pairs(labels: ArrayLike, *, num_classes: int | None = None, top: int | None = 10) -> FlipPairs:
    """Returns the pairs of labels between which runs flip most.

        share(a, b) = (1 / n) sum_i n_a(i) n_b(i) / (N (N - 1) / 2)

    with `n_a(i)` of N runs giving label a to sample i. Over all pairs (`top=None`) the shares sum to the mean
    jitter, so that they say which confusions local instability consists of.

    Args:
        labels: predicted labels [run, sample], integers or strings.
        num_classes: when given, labels must lie in 0 .. num_classes - 1.
        top: how many pairs to return; None for all that occur.

    Returns:
        The pairs, as arrays [pair]; empty when all runs agree everywhere.

    Raises:
        InputError: fewer than two runs, unusable labels, labels out of range, or a negative `top`.

    Example:
        >>> flip_pairs([["cat", "cow", "dog"], ["dog", "cow", "cat"], ["dog", "cow", "elk"]], top=2)
        FlipPairs(label_a=array(['cat', 'cat'], dtype='<U3'), label_b=array(['dog', 'elk'], dtype='<U3'), \
share=array([0.33333333, 0.11111111]), samples=array([2, 1]))

    References:
        Milani Fard et al., "Launch and Iterate: Reducing Prediction Churn", NeurIPS 2016 (churn, which this
        splits up).
    """
    if top is not None and (not is_whole(top) or top < 0):
        raise InputError(f"top must be a whole number of at least 0, got {top!r}; pass None for all pairs.")
    array, decode = encode(run_axis_first(labels, num_classes=num_classes, least=2))
    runs = len(array)
    flat = array.reshape(runs, int(np.prod(array.shape[1:])))
    samples = flat.shape[1]
    if not samples:
        undefined("labels holds no samples; there are no pairs.")
        low, high, products, together = (np.zeros(0, np.int64) for _ in range(4))
        offset, names = 0, None
    else:
        offset, names, flat, width = _columns(flat)
        low, high, products, together = _pair_sums(flat, offset, width)
    order = np.lexsort((high, low, -products))[:top]
    low, high = low[order] + offset, high[order] + offset
    if names is not None:
        low, high = names[low], names[high]
    kind = array.dtype
    share = products[order] / (runs * (runs - 1) / 2 * max(samples, 1))
    return FlipPairs(
        give_back(decode(low.astype(kind)), labels),
        give_back(decode(high.astype(kind)), labels),
        give_back(share, labels),
        give_back(together[order], labels),
    )


def _columns(
    labels: Integer[np.ndarray, "run sample"],
) -> tuple[int, Integer[np.ndarray, " label"] | None, Integer[np.ndarray, "run sample"], int]:
    """Says how labels become columns of a matrix: minus an offset, or by rank if they range widely."""
    low, high = int(labels.min()), int(labels.max())
    if high - low < _WIDEST:
        return low, None, labels, high - low + 1
    names, codes = np.unique(labels, return_inverse=True)
    return 0, names, codes.reshape(labels.shape), len(names)


def _pair_sums(
    labels: Integer[np.ndarray, "run sample"], offset: int, width: int
) -> tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"], Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]]:
    """Sums n_a n_b, and 1, over the samples on which a and b occur: with counts C [sample, label], C'C."""
    products = scipy.sparse.csr_array((width, width), dtype=np.int64)
    together = scipy.sparse.csr_array((width, width), dtype=np.int64)
    for samples, at, counts in _counted_labels(labels, offset):
        rows = np.unique(samples, return_inverse=True)[1]
        counted = scipy.sparse.csr_array((counts, (rows, at)), shape=(int(rows.max()) + 1, width))
        products = products + scipy.sparse.triu(counted.T @ counted, k=1, format="csr")
        counted.data[:] = 1
        together = together + scipy.sparse.triu(counted.T @ counted, k=1, format="csr")
    found, also = products.tocoo(), together.tocoo()
    # Both matrices have the same entries, in the same order once their coordinates are sorted.
    order = np.lexsort((found.coords[1], found.coords[0]))
    again = np.lexsort((also.coords[1], also.coords[0]))
    return (
        found.coords[0][order].astype(np.int64),
        found.coords[1][order].astype(np.int64),
        found.data[order],
        also.data[again],
    )


def _counted_labels(
    labels: Integer[np.ndarray, "run sample"], offset: int
) -> Iterator[tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]]]:
    """Yields (sample, label, count) of all labels of unstable samples, so many at a time that a product pays."""
    waiting: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for block in blocks(labels):
        own = block.own()
        runs, columns = np.nonzero(block.occurrence == own)  # the last run that says each label
        at = block.labels[runs, columns].astype(np.int64) - offset
        waiting.append((block.positions[columns], at, own[runs, columns].astype(np.int64)))
        if sum(len(counts) for _, _, counts in waiting) >= _TOGETHER:
            yield _joined(waiting)
            waiting = []
    if waiting:
        yield _joined(waiting)


def _joined(parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    samples, at, counts = (np.concatenate(some) for some in zip(*parts, strict=True))
    return samples, at, counts
