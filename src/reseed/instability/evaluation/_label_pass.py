"""All that `evaluate` needs of a study's final labels, from one pass over the counts of each block of samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
from jaxtyping import Bool, Float, Int, Integer
from numpy.typing import NDArray

from reseed.instability._blocks import sample_ranges
from reseed.instability.intervals._estimate import mean_estimate
from reseed.instability.intervals._leave_one_out import LeftOut, Statistic, SumsWithout
from reseed.instability.labels._accuracy_spread import AccuracySpread, CorrectSums
from reseed.instability.labels._counts import Tally, agreement, blocks, put
from reseed.instability.labels._entropy_table import entropy_table
from reseed.instability.labels._flip_pairs import FlipPairs, PairSums, counted_labels
from reseed.instability.labels._jitter import disagreement
from reseed.instability.labels._mode import share
from reseed.instability.labels._unstable import Rarefaction, rarefaction_curve
from reseed.statistics import Estimate, Method
from reseed.studies import FinalArray

if TYPE_CHECKING:
    import pyarrow as pa

STATISTICS: tuple[Statistic, ...] = ("label_entropy", "jitter", "unstable_fraction")


@final
@dataclass(frozen=True, eq=False)
class LabelPass:
    """What the final labels of a study say; per-sample values are [sample].

    Attributes:
        label_entropy: see `label_entropy`, nats.
        corrected_entropy: the same with the digamma correction.
        jitter: see `jitter`.
        mode_label: see `mode_label`.
        mode_share: see `mode_share`.
        mode_tied: whether another label is as frequent as the mode label.
        right: share of runs that predict the target; 0 where that is unknown.
        answers: distinct labels with their counts, the most frequent first: a list of structures for each sample.
        pairs: see `flip_pairs`.
        rarefaction: see `rarefaction`.
        left_out: the statistics without each run; empty for two runs.
        spread: see `accuracy_spread`; None where fewer than two targets are known.
    """

    label_entropy: Float[np.ndarray, " sample"]
    corrected_entropy: Float[np.ndarray, " sample"]
    jitter: Float[np.ndarray, " sample"]
    mode_label: Integer[np.ndarray, " sample"]
    mode_share: Float[np.ndarray, " sample"]
    mode_tied: Bool[np.ndarray, " sample"]
    right: Float[np.ndarray, " sample"]
    answers: pa.ChunkedArray
    pairs: FlipPairs
    rarefaction: Rarefaction
    left_out: dict[Statistic, LeftOut]
    spread: AccuracySpread | None

    @property
    def unstable(self) -> NDArray[np.bool_]:
        """Which samples received several labels."""
        return np.asarray(self.mode_share < 1.0)

    def estimate(self, statistic: Statistic) -> Estimate:
        """Returns the mean of a statistic with its interval, see `estimate`: over other samples, and other runs too."""
        values = {"label_entropy": self.label_entropy, "jitter": self.jitter, "unstable_fraction": self.unstable}
        method: Method = "two-way" if self.left_out else "samples"
        numbers = np.asarray(values[statistic], np.float64)
        runs = len(self.rarefaction.sizes)
        return mean_estimate(numbers, self.left_out.get(statistic), statistic, method, runs)


def label_pass(
    labels: FinalArray, targets: Int[np.ndarray, " sample"], top: int, advance: Callable[[int], None]
) -> LabelPass:
    """Reads the final labels block by block and counts each block once.

    Args:
        labels: the recorded labels.
        targets: the gold labels, -1 where unknown.
        top: how many pairs of labels are returned.
        advance: is told how many labels were done.
    """
    import pyarrow as pa

    runs, samples = labels.shape
    sums = _Sums(runs, samples, labels.classes, labels.dtype)
    answers = []
    for some in sample_ranges(samples, runs * labels.dtype.itemsize, labels.chunk):
        block = labels.block(some)
        answers.append(sums.add(some, block, targets[some]))
        advance(block.size)
    low, high, shares, together = sums.pairs.shares(runs, samples, top)
    sizes = np.arange(1, runs + 1)
    return LabelPass(
        **sums.columns,
        answers=pa.chunked_array(answers),
        pairs=FlipPairs(low.astype(labels.dtype), high.astype(labels.dtype), shares, together),
        rarefaction=Rarefaction(sizes, rarefaction_curve(sums.frequencies, sizes, samples)),
        left_out={statistic: without.of(samples) for statistic, without in sums.without.items()},
        spread=sums.correct.spread() if np.count_nonzero(targets >= 0) > 1 else None,
    )


class _Sums:
    """Columns that blocks of samples fill, and sums that they are added to."""

    def __init__(self, runs: int, samples: int, classes: int, kind: np.dtype[np.signedinteger]) -> None:
        self._entropies, self._digamma = entropy_table(runs, None), entropy_table(runs, "digamma")
        names = ("label_entropy", "corrected_entropy", "jitter", "mode_share", "right")
        self.columns: dict[str, NDArray[Any]] = {name: np.empty(samples) for name in names}
        self.columns |= {"mode_label": np.empty(samples, kind), "mode_tied": np.empty(samples, np.bool_)}
        self.pairs = PairSums(classes)
        self.correct = CorrectSums(runs)
        self.frequencies = np.zeros(runs + 1, np.int64)  # (sample, label) pairs by count
        self.without = {name: SumsWithout(name, self._entropies, runs) for name in STATISTICS if runs > 2}

    def add(self, some: slice, labels: Integer[np.ndarray, "run sample"], targets: NDArray[np.int64]) -> pa.Array:
        """Takes a block of samples; returns their answers."""
        runs = len(labels)
        found = agreement(labels, self._entropies.table)
        corrected = np.full(labels.shape[1], self._digamma.table[runs])
        steps, digamma_steps = (np.diff(one.table, prepend=0) for one in (self._entropies, self._digamma))
        said, counts = [labels[0, :0]], [np.zeros(0, np.int32)]
        for block in blocks(labels):
            put(found, block, steps)
            corrected[block.positions] = digamma_steps.take(block.occurrence).sum(axis=0)
            for without in self.without.values():
                without.add(block)
            columns, label, count = counted_labels(block)
            self.pairs.add(columns, label.astype(np.int64), count)
            said.append(label)
            counts.append(count.astype(np.int32))
        several = np.concatenate(counts)
        self.frequencies += np.bincount(several, minlength=runs + 1)
        self.frequencies[runs] += np.count_nonzero(found.distinct == 1)
        self._put(some, found, corrected, labels, targets)
        self.columns["mode_tied"][some] = _tied(found.distinct, several)
        return _answers(found.distinct, labels, np.concatenate(said), several)

    def _put(
        self,
        some: slice,
        found: Tally,
        corrected: Int[np.ndarray, " sample"],
        labels: Integer[np.ndarray, "run sample"],
        targets: NDArray[np.int64],
    ) -> None:
        right = labels == targets
        self.correct.add(right[:, targets >= 0])
        values = {
            "label_entropy": self._entropies.of(found),
            "corrected_entropy": self._digamma.entropy(corrected, found.distinct, found.present),
            "jitter": disagreement(found),
            "mode_label": found.mode,
            "mode_share": share(found),
            "right": np.count_nonzero(right, axis=0) / len(labels),
        }
        for name, column in values.items():
            self.columns[name][some] = column


def _tied(distinct: Int[np.ndarray, " sample"], counts: Int[np.ndarray, " answer"]) -> Bool[np.ndarray, " sample"]:
    """Tells where the first two counts are equal; `counts` are those of samples with several labels, largest first."""
    tied = distinct > 1
    lengths = distinct[tied]
    first = np.cumsum(lengths) - lengths
    tied[tied] = counts[first] == counts[first + 1]
    return tied


def _answers(
    distinct: Int[np.ndarray, " sample"],
    labels: Integer[np.ndarray, "run sample"],
    said: Integer[np.ndarray, " answer"],
    counts: Int[np.ndarray, " answer"],
) -> pa.Array:
    """Returns each sample's (label, count) structures; `said` and `counts` are those of samples with several labels."""
    import pyarrow as pa

    offsets = np.zeros(len(distinct) + 1, np.int32)
    np.cumsum(distinct, out=offsets[1:])
    all_labels, all_counts = np.empty(offsets[-1], np.int32), np.empty(offsets[-1], np.int32)
    is_several = np.repeat(distinct > 1, distinct)
    all_labels[is_several], all_counts[is_several] = said, counts
    all_labels[~is_several], all_counts[~is_several] = labels[0, distinct == 1], len(labels)
    pairs = pa.StructArray.from_arrays([pa.array(all_labels), pa.array(all_counts)], names=["label", "count"])
    return pa.ListArray.from_arrays(pa.array(offsets), pairs)
