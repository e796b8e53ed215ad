"""The counting kernel under every measure of this package.

All measures on labels are functions of how often each label occurs among one sample's runs. The kernel
numbers the occurrences instead of building a histogram: walking down the runs of a sample, the labels `a b a
a` become the occurrence numbers `1 1 2 3`. Every statistic is then a reduction along the run axis,

    sum over labels of f(count)  =  sum over runs of f(c) - f(c - 1)        for every f with f(0) = 0
    largest count                =  max over runs of c
    number of labels             =  number of runs with c = 1

and no array is larger than [run, block of samples]. Samples on which all runs agree never reach the kernel.
Real-valued functions f are tabulated in fixed point, so that sums are exact: permuting runs or relabelling
classes cannot change even the last bit of a result, and agreement gives exactly zero.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, Integer

_WIDE = 65_536  # samples in one look for disagreement
_BLOCK = 100_000  # labels in one block of the kernel: its working set stays in the processor's cache
_DENSE = 1024  # range of labels up to which a block is counted without ranking its labels first


@dataclass(frozen=True)
class Tally:
    """What the counts of each sample add up to; `n_k` is the number of runs that say k.

    Attributes:
        present: runs that are not masked, N = sum of n_k, [sample].
        top: largest n_k, [sample].
        mode: lowest label whose count is `top`, [sample]; meaningless where `present` is 0.
        distinct: number of labels with n_k > 0, [sample].
        squares: sum of n_k^2, [sample].
        folded: sum of table[n_k] for the table given, [sample].
    """

    present: Int[np.ndarray, " sample"]
    top: Int[np.ndarray, " sample"]
    mode: Integer[np.ndarray, " sample"]
    distinct: Int[np.ndarray, " sample"]
    squares: Int[np.ndarray, " sample"]
    folded: Int[np.ndarray, " sample"]


@dataclass(frozen=True)
class Block:
    """Some samples of a larger array, counted.

    Attributes:
        positions: where the block's samples stand in the whole, [sample].
        labels: their labels, [run, sample].
        codes: the labels as small non-negative integers of the same order, [run, sample].
        width: codes are less than this.
        occurrence: how many of runs 0..r say what run r says, 0 where masked, [run, sample].
        table: counts of all codes of all samples, [place].
        places: where in the table the count of each label stands, [run, sample].
    """

    positions: Int[np.ndarray, " sample"]
    labels: Integer[np.ndarray, "run sample"]
    codes: Int[np.ndarray, "run sample"]
    width: int
    occurrence: Integer[np.ndarray, "run sample"]
    table: Integer[np.ndarray, " place"]
    places: Int[np.ndarray, "run sample"]

    def own(self) -> Integer[np.ndarray, "run sample"]:
        """Returns how many of all runs say what run r says."""
        return self.table.take(self.places)


def tally(
    labels: Integer[np.ndarray, "run sample"],
    table: Int[np.ndarray, " count"],
    present: Bool[np.ndarray, "run sample"] | None = None,
) -> Tally:
    """Counts the labels of every sample in bounded memory; folds `table[n]`, n = 0 .. run, over counts."""
    found = agreement(labels, table, present)
    steps = np.diff(table, prepend=0)
    for block in blocks(labels, present):
        put(found, block, steps, None if present is None else present[:, block.positions])
    return found


def agreement(
    labels: Integer[np.ndarray, "run sample"],
    table: Int[np.ndarray, " count"],
    present: Bool[np.ndarray, "run sample"] | None = None,
) -> Tally:
    """Returns the tally of samples on which all runs agree, for `put` to correct where they do not."""
    runs, samples = labels.shape
    return Tally(
        present=np.full(samples, runs) if present is None else present.sum(axis=0, dtype=np.int64),
        top=np.full(samples, runs, np.int32),
        mode=labels[0].copy(),
        distinct=np.ones(samples, np.int32),
        squares=np.full(samples, runs * runs, np.int64),
        folded=np.full(samples, table[runs], np.int64),
    )


def put(
    found: Tally,
    block: Block,
    steps: Int[np.ndarray, " count"],
    present: Bool[np.ndarray, "run sample"] | None = None,
) -> None:
    """Writes what a block's counts add up to into a tally; `steps` are the differences of the folded table."""
    at, numbers = block.positions, block.occurrence
    found.top[at] = highest = numbers.max(axis=0)
    leads = numbers == highest
    if present is not None:
        leads &= numbers > 0
    lowest = np.where(leads, block.codes, block.width).argmin(axis=0)  # first of the lowest leading codes
    found.mode[at] = np.take_along_axis(block.labels, lowest[None], axis=0)[0]
    found.distinct[at] = np.count_nonzero(numbers == 1, axis=0)
    found.squares[at] = 2 * numbers.sum(axis=0, dtype=np.int64) - found.present[at]
    found.folded[at] = steps.take(numbers).sum(axis=0)


def blocks(
    labels: Integer[np.ndarray, "run sample"],
    present: Bool[np.ndarray, "run sample"] | None = None,
) -> Iterator[Block]:
    """Yields the samples on which runs disagree (all samples under a mask), counted, a block at a time."""
    runs, samples = labels.shape
    step = max(1, _BLOCK // runs)
    for start in range(0, samples, _WIDE):
        piece = labels[:, start : start + _WIDE]
        if present is None:
            columns = np.flatnonzero(piece.min(axis=0) != piece.max(axis=0))
        else:
            columns = np.arange(piece.shape[1])
        for some in np.split(columns, range(step, len(columns), step)):
            if not len(some):
                continue
            part = piece[:, some]
            codes, width = dense_codes(part)
            shown = None if present is None else present[:, start + some]
            yield Block(start + some, part, codes, width, *occurrences(codes, width, shown))


def dense_codes(labels: Integer[np.ndarray, "run sample"]) -> tuple[Int[np.ndarray, "run sample"], int]:
    """Maps labels to small codes of the same order within each sample: minus an offset, or ranks."""
    lowest, highest = int(labels.min()), int(labels.max())
    runs = len(labels)
    if highest - lowest < max(_DENSE, 2 * runs):
        codes = labels.astype(np.int64)
        codes -= lowest
        return codes, highest - lowest + 1
    order = labels.argsort(axis=0, kind="stable")
    ordered = np.take_along_axis(labels, order, axis=0)
    ranks = np.zeros(labels.shape, np.int64)
    np.cumsum(ordered[1:] != ordered[:-1], axis=0, out=ranks[1:])
    codes = np.empty_like(ranks)
    np.put_along_axis(codes, order, ranks, axis=0)
    return codes, int(ranks[-1].max()) + 1


def occurrences(
    codes: Int[np.ndarray, "run sample"],
    width: int,
    present: Bool[np.ndarray, "run sample"] | None = None,
) -> tuple[Integer[np.ndarray, "run sample"], Integer[np.ndarray, " place"], Int[np.ndarray, "run sample"]]:
    """Numbers each label's occurrences down the runs of its sample; also returns final counts and places."""
    runs, samples = codes.shape
    kind = np.min_scalar_type(runs)
    places = codes + np.arange(samples) * width
    table = np.zeros(samples * width, kind)
    numbers = np.empty((runs, samples), kind)
    for run in range(runs):
        place = places[run]
        seen = table.take(place)
        seen += 1 if present is None else present[run].astype(kind)
        table[place] = seen
        numbers[run] = seen if present is None else seen * present[run]
    return numbers, table, places


def counts_of_counts(labels: Integer[np.ndarray, "run sample"]) -> Int[np.ndarray, " count"]:
    """Counts the (sample, label) pairs with n_k = c, for c = 0 .. runs; entry 0 is left at zero."""
    runs, samples = labels.shape
    at_least = np.zeros(runs + 2, np.int64)  # pairs with n_k >= c: each has exactly one occurrence number c
    unstable = 0
    for block in blocks(labels):
        unstable += len(block.positions)
        at_least += np.bincount(block.occurrence.ravel(), minlength=runs + 2)
    exactly = at_least[:-1] - at_least[1:]
    exactly[0] = 0
    exactly[runs] += samples - unstable
    return exactly
