"""How well looks at networks rank the samples that the other networks answer differently, and paired differences.

A look has a value of every run and sample, [run, sample], larger is worse; a look at two networks has one of every
pair of runs, [pair, sample]. Of run r the target is whether the runs other than r differ on a sample, of a pair whether
those other than the two do. A figure (AUROC, or lift in the worst tenth) is a mean over runs, or over pairs.

Intervals speak of other runs and other samples, as those of `reseed.scores.foretold` do. Over runs: the jackknife, each
run left out both as one that is looked at and from what the others are asked. Over samples: the sum of squares of what
each sample adds to the mean (DeLong's components of AUROC). What both hold is taken off once; of pairs nothing is,
which makes intervals wider. Student's t with one degree of freedom less than runs. A paired difference is one number
all the way: runs and samples are left out of both looks at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from reseed.scores._figures import auroc_pull, lift_pull
from reseed.scores._ranks import Ranks, auroc_of, lift_of
from reseed.statistics import counted_once, jackknife_variance

Values = NDArray[np.float64]
FIGURES: tuple[Literal["auroc", "lift"], ...] = ("auroc", "lift")


@dataclass(frozen=True, eq=False)
class Found:
    """A figure, or the difference of two.

    Attributes:
        value: The mean.
        left_out: What it is without each run, [run].
        pull: By how much each run's part of it changes with the weight of each sample, [run, sample].
        is_of_pairs: Whether it is a mean over pairs.
    """

    value: float
    left_out: Values
    pull: Values
    is_of_pairs: bool

    def __sub__(self, other: Found) -> Found:
        if self.is_of_pairs != other.is_of_pairs:
            raise ValueError("looks at one network and at two are held against different targets")
        return Found(self.value - other.value, self.left_out - other.left_out, self.pull - other.pull, self.is_of_pairs)

    @property
    def error(self) -> float:
        """The standard error over other runs and other samples."""
        runs, mean = len(self.pull), self.pull.mean(0)
        over_samples, own = float(mean @ mean), 0.0
        if not self.is_of_pairs:
            own = (float((self.pull**2).sum()) - runs * over_samples) / (runs * (runs - 1))
        return float(np.sqrt(counted_once(jackknife_variance(self.left_out), over_samples, own)))

    def half_width(self, level: float) -> float:
        """Return half the width of an interval."""
        return float(student.ppf((1 + level) / 2, len(self.pull) - 1)) * self.error

    @property
    def chance(self) -> float:
        """How likely a difference of at least this size is where there is none: two-sided, by t."""
        error = self.error
        if not error:
            return 1.0 if not self.value else 0.0
        return float(2 * student.sf(abs(self.value) / error, len(self.pull) - 1))

    def tree(self, *, compared: int = 0) -> dict[str, Any]:
        """Return value and 95 % interval; of a difference its p too, and the interval at 0.05 / ``compared``."""
        half = self.half_width(0.95)
        tree: dict[str, Any] = {"value": self.value, "low": self.value - half, "high": self.value + half}
        if compared:
            wide = self.half_width(1 - 0.05 / compared)
            tree |= {"corrected_low": self.value - wide, "corrected_high": self.value + wide, "p": self.chance}
        return tree


class Asked:
    """The final answers of all runs to some samples, and what looks at the runs make of them.

    Args:
        labels: [run, sample].
    """

    def __init__(self, labels: NDArray[Any]) -> None:
        self.labels = labels
        self.runs, self.samples = labels.shape
        self.pairs = tuple(combinations(range(self.runs), 2))
        self.flips = cache(self._flips)

    def _flips(self, without: frozenset[int]) -> NDArray[np.bool_]:
        left = np.delete(self.labels, sorted(without), 0)
        return np.asarray((left != left[0]).any(0))

    def flipping(self) -> float:
        """Return the share of samples that the runs other than one answer differently, averaged over that one."""
        return float(np.mean([self.flips(frozenset({run})).mean() for run in range(self.runs)]))

    def of_runs(self, values: Values) -> dict[str, Found]:
        """Return the figures of a look at one network, [run, sample]."""
        held = [frozenset({run}) for run in range(self.runs)]
        return self._found([Ranks.of(row) for row in values], held, is_of_pairs=False)

    def of_pairs(self, values: Values) -> dict[str, Found]:
        """Return the figures of a look at two networks, [pair, sample]."""
        return self._found(
            [Ranks.of(row) for row in values], [frozenset(pair) for pair in self.pairs], is_of_pairs=True
        )

    def of_either(self, values: Values) -> dict[str, Found]:
        """Return the figures of a look at one network, held against what the others than two answer: of pairs too."""
        ranks = [Ranks.of(row) for row in values]
        held = [frozenset(pair) for pair in self.pairs]
        ways = [self._found([ranks[pair[way]] for pair in self.pairs], held, is_of_pairs=True) for way in (0, 1)]
        return {
            name: Found(*(np.mean([getattr(way[name], part) for way in ways], 0) for part in _PARTS), is_of_pairs=True)
            for name in FIGURES
        }

    def _found(self, ranks: Sequence[Ranks], held: Sequence[frozenset[int]], *, is_of_pairs: bool) -> dict[str, Found]:
        found = {}
        for name in FIGURES:
            values = np.array([_figure(name, one, self.flips(who)) for one, who in zip(ranks, held, strict=True)])
            left_out = np.array([self._without(name, run, ranks, held) for run in range(self.runs)])
            pulls = [_pull(name, *each) for each in zip(ranks, [self.flips(who) for who in held], values, strict=True)]
            mine = [[pull for pull, who in zip(pulls, held, strict=True) if run in who] for run in range(self.runs)]
            found[name] = Found(float(values.mean()), left_out, np.array([np.mean(p, 0) for p in mine]), is_of_pairs)
        return found

    def _without(self, name: str, run: int, ranks: Sequence[Ranks], held: Sequence[frozenset[int]]) -> float:
        others = [(one, who) for one, who in zip(ranks, held, strict=True) if run not in who]
        return float(np.mean([_figure(name, one, self.flips(who | {run})) for one, who in others]))


_PARTS = ("value", "left_out", "pull")


def _figure(name: str, ranks: Ranks, flips: NDArray[np.bool_]) -> float:
    return auroc_of(ranks, flips) if name == "auroc" else lift_of(ranks.top(), flips)


def _pull(name: str, ranks: Ranks, flips: NDArray[np.bool_], value: float) -> Values:
    return np.asarray(auroc_pull(ranks, flips, value) if name == "auroc" else lift_pull(ranks, ranks.top(), flips))


def correct(rows: Sequence[dict[str, Any]]) -> None:
    """Write Holm's p beside the p of every row: the chance of one or more such findings among all, if none is true."""
    order, largest = sorted(rows, key=lambda row: row["p"]), 0.0
    for place, row in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - place) * row["p"]))
        row["p_holm"] = largest
