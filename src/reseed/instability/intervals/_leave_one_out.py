"""Data-set means of the measures with each run left out in turn, from one pass over the counts."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float, Integer

from reseed.instability.labels._counts import Block, blocks, tally
from reseed.instability.labels._entropy_table import Correction, EntropyTable, entropy_table
from reseed.instability.labels._jitter import disagreement
from reseed.instability.labels._mode import share

Statistic: TypeAlias = Literal["label_entropy", "jitter", "unstable_fraction", "variation_ratio"]
STATISTICS = ("label_entropy", "jitter", "unstable_fraction", "variation_ratio")


def per_sample(
    labels: Integer[np.ndarray, "run sample"], statistic: str, correction: Correction | None = None
) -> Float[np.ndarray, " sample"]:
    """Returns the measure of each sample; its mean over samples is the statistic."""
    entropies = entropy_table(len(labels), correction)
    counted = tally(labels, entropies.table)
    if statistic == "label_entropy":
        return entropies.of(counted)
    if statistic == "jitter":
        return disagreement(counted)
    if statistic == "unstable_fraction":
        return np.asarray(counted.distinct > 1, np.float64)
    return np.asarray(1.0 - share(counted))


def highest(statistic: str, runs: int, correction: Correction | None = None) -> float:
    """Returns the end of a statistic's range: its value where every run gives another label."""
    return float(per_sample(np.arange(runs)[:, None], statistic, correction)[0])


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What leaving runs out does to the mean over samples.

    Attributes:
        means: the mean without run r, [run].
        own_variance: the part of the jackknife's variance that each sample's own differences between runs make: what
            the variance would be if runs moved every sample independently.
    """

    means: Float[np.ndarray, " run"]
    own_variance: float


def without_each_run(
    labels: Integer[np.ndarray, "run sample"], statistic: str, correction: Correction | None = None
) -> LeftOut:
    """Returns the means over samples when run r is left out, for each r, and what of them is no common effect.

    Leaving out run r lowers one count of each sample, that of r's own label, from m to m - 1. So the kernel's
    own counts are all that is needed, and the work is that of one evaluation instead of one per run. Samples
    on which all runs agree contribute nothing to any of the statistics, with or without a run.
    """
    runs, samples = labels.shape
    sums = SumsWithout(statistic, entropy_table(runs, correction), runs)
    for block in blocks(labels):
        sums.add(block)
    return sums.of(samples)


class SumsWithout:
    """Adds up over blocks of samples what a statistic is when run r is left out, for each r.

    Args:
        statistic: which one.
        entropies: the table of its correction.
        runs: how many there are.
    """

    def __init__(self, statistic: str, entropies: EntropyTable, runs: int) -> None:
        self._statistic, self._entropies, self._runs = statistic, entropies, runs
        self._total, self._own = np.zeros(runs), 0.0

    def add(self, block: Block) -> None:
        """Takes the samples of a block."""
        values = without(block, self._runs, self._statistic, self._entropies)
        self._total += values.sum(axis=1)
        values -= values.mean(axis=0)
        self._own += float(np.vdot(values, values))

    def of(self, samples: int) -> LeftOut:
        """Returns the means over so many samples, those that were in no block included."""
        scale = (self._runs - 1) / self._runs / samples**2
        return LeftOut(self._total / samples, scale * self._own)


def without(block: Block, runs: int, statistic: str, entropies: EntropyTable) -> Float[np.ndarray, "run sample"]:
    """Returns a statistic of a block's samples when run r is left out, for each r."""
    numbers, own = block.occurrence, block.own()
    top = numbers.max(axis=0)
    if statistic == "label_entropy":
        steps = np.diff(entropies.table, prepend=0)
        folded = steps.take(numbers).sum(axis=0) - steps.take(own)
        distinct = np.count_nonzero(numbers == 1, axis=0) - (own == 1)
        left = np.full(own.shape, runs - 1)
        return entropies.entropy(folded, distinct, left)
    if statistic == "jitter":
        squares = 2 * numbers.sum(axis=0, dtype=np.int64) - runs - 2 * own.astype(np.int64) + 1
        pairs = (runs - 1) * (runs - 2)
        return np.asarray(((runs - 1) ** 2 - squares) / pairs)
    if statistic == "unstable_fraction":
        settles = (own == 1) & (top == runs - 1)  # the only run that deviates
        return np.asarray(~settles, np.float64)
    leaders = np.count_nonzero(numbers == top, axis=0)
    highest = top - ((own == top) & (leaders == 1))
    return np.asarray(1.0 - highest / (runs - 1))
