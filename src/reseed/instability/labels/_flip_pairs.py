"""Which two labels runs cannot decide between."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int, Integer

from reseed._arrays import ArrayLike, Result, give_back, undefined
from reseed._errors import InputError
from reseed._labels import as_given, encode, run_axis_first
from reseed._numbers import is_whole
from reseed.instability.labels._counts import Block, blocks

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
    offset, names, width = 0, None, 1
    if not samples:
        undefined("labels holds no samples; there are no pairs.")
    else:
        offset, names, flat, width = _columns(flat)
    sums = PairSums(width)
    for block in blocks(flat):
        columns, said, counts = counted_labels(block)
        sums.add(columns, said.astype(np.int64) - offset, counts)
    low, high, share, together = sums.shares(runs, samples, top)
    low, high = low + offset, high + offset
    if names is not None:
        low, high = names[low], names[high]
    kind = array.dtype
    return FlipPairs(
        as_given(decode(low.astype(kind)), labels),
        as_given(decode(high.astype(kind)), labels),
        give_back(share, labels),
        give_back(together, labels),
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


class PairSums:
    """Sums n_a n_b, and 1, over the samples on which labels a and b both occur: with counts C [sample, label], C'C.

    Args:
        width: labels are less than this.
    """

    def __init__(self, width: int) -> None:
        self._products = scipy.sparse.csr_array((width, width), dtype=np.int64)
        self._together = scipy.sparse.csr_array((width, width), dtype=np.int64)
        self._waiting: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._counts = self._samples = 0

    def add(
        self,
        columns: Int[np.ndarray, " pair"],
        labels: Int[np.ndarray, " pair"],
        counts: Int[np.ndarray, " pair"],
    ) -> None:
        """Takes (sample, label, count) of whole samples; samples of each call are numbered from 0 and are new ones."""
        if not len(columns):
            return
        self._waiting.append((columns + self._samples, labels, counts))
        self._samples += int(columns.max()) + 1
        self._counts += len(counts)
        if self._counts >= _TOGETHER:  # so many at a time that a product pays
            self._multiply()

    def _multiply(self) -> None:
        if not self._waiting:
            return
        rows, at, counts = (np.concatenate(some) for some in zip(*self._waiting, strict=True))
        counted = scipy.sparse.csr_array((counts, (rows, at)), shape=(self._samples, self._products.shape[0]))
        self._products = self._products + scipy.sparse.triu(counted.T @ counted, k=1, format="csr")
        counted.data[:] = 1
        self._together = self._together + scipy.sparse.triu(counted.T @ counted, k=1, format="csr")
        self._waiting = []
        self._counts = self._samples = 0

    def shares(
        self, runs: int, samples: int, top: int | None
    ) -> tuple[
        Int[np.ndarray, " pair"], Int[np.ndarray, " pair"], Float[np.ndarray, " pair"], Int[np.ndarray, " pair"]
    ]:
        """Returns lower label, higher label, share and number of samples of the pairs, most confused first."""
        self._multiply()
        found, also = self._products.tocoo(), self._together.tocoo()
        # Both matrices have the same entries, in the same order once their coordinates are sorted.
        order = np.lexsort((found.coords[1], found.coords[0]))
        again = np.lexsort((also.coords[1], also.coords[0]))
        low, high = (axis[order].astype(np.int64) for axis in found.coords)
        products, together = found.data[order], also.data[again]
        first = np.lexsort((high, low, -products))[:top]
        share = products[first] / (runs * (runs - 1) / 2 * max(samples, 1))
        return low[first], high[first], share, together[first]


def counted_labels(
    block: Block,
) -> tuple[Int[np.ndarray, " pair"], Integer[np.ndarray, " pair"], Int[np.ndarray, " pair"]]:
    """Returns (column, label, count) of all labels of a block, by column, then the most frequent, then the lowest."""
    own = block.own()
    runs, columns = np.nonzero(block.occurrence == own)  # the last run that says each label
    counts = own[runs, columns].astype(np.int64)
    rank = (columns * (len(own) + 1) + len(own) - counts) * block.width + block.codes[runs, columns]
    order = rank.argsort()
    runs, columns = runs[order], columns[order]
    return columns, block.labels[runs, columns], counts[order]
