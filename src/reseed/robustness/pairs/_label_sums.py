"""What all pairs of runs have in common and what they change, counted a few samples at a time."""

from __future__ import annotations

from typing import final

import numpy as np
from jaxtyping import Bool, Float, Integer


@final
class LabelSums:
    """Adds up, over blocks of samples, what every pair of runs answers alike and otherwise.

    Counts are whole numbers, so that what they are divided into adds up. ``changes`` are pairs of which one is right
    and one is wrong; all other pairs that differ are wrong in two ways.

    Args:
        runs: How many there are.
    """

    def __init__(self, runs: int) -> None:
        self.runs, self.samples = runs, 0
        self.right = np.zeros(runs, np.int64)
        self.both_right = np.zeros((runs, runs), np.int64)
        self.differ = np.zeros((runs, runs), np.int64)
        self._changes: list[Integer[np.ndarray, " sample"]] = []
        self._differing: list[Integer[np.ndarray, " sample"]] = []
        self._spread = np.zeros(3)

    def add(self, labels: Integer[np.ndarray, "run part"], right: Bool[np.ndarray, "run part"]) -> None:
        """Take the labels of a block of samples, and where they are right."""
        runs, samples = right.shape
        self.samples += samples
        ones = right.astype(np.float64)
        self.right += right.sum(axis=1)
        self.both_right += np.rint(ones @ ones.T).astype(np.int64)
        number = right.sum(axis=0)
        of_run = np.where(right, runs - number, number)  # the other runs whose correctness is another
        differing = np.zeros((runs, samples), np.int64)
        where = np.flatnonzero((labels != labels[0]).any(axis=0))
        some = np.ascontiguousarray(labels[:, where])
        counted = np.zeros(some.shape, np.int64)
        for run in range(runs - 1):
            other = some[run + 1 :] != some[run]
            self.differ[run, run + 1 :] += np.count_nonzero(other, axis=1)
            counted[run] += np.count_nonzero(other, axis=0)
            counted[run + 1 :] += other
        differing[:, where] = counted
        self._changes.append(number * (runs - number))
        self._differing.append(differing.sum(axis=0) // 2)
        for place, each in enumerate((of_run, differing - of_run, differing)):
            self._spread[place] += float(((each - each.mean(axis=0)) ** 2).sum())

    @property
    def differ_counts(self) -> Integer[np.ndarray, "run run"]:
        """Samples that both runs of a pair answer with different labels."""
        return self.differ + self.differ.T

    @property
    def change_counts(self) -> Integer[np.ndarray, "run run"]:
        """Samples that one run of a pair gets right and the other wrong."""
        return self.right[:, None] + self.right[None, :] - 2 * self.both_right

    @property
    def sample_changes(self) -> Integer[np.ndarray, " sample"]:
        """Pairs of runs of which one gets a sample right and the other wrong."""
        return np.concatenate([np.zeros(0, np.int64), *self._changes])

    @property
    def sample_differing(self) -> Integer[np.ndarray, " sample"]:
        """Pairs of runs that answer a sample with different labels."""
        return np.concatenate([np.zeros(0, np.int64), *self._differing])

    def own_variances(self) -> Float[np.ndarray, " part"]:
        """Return what of the jackknife's variance each sample's own differences make: changes, among wrong, all.

        Without run r the mean over pairs of sample i is less by 2 d_ir / ((R - 1) (R - 2)), up to what all runs share,
        with d_ir the other runs that differ from r; see `reseed.statistics.counted_once`.
        """
        pairs = (self.runs - 1) * (self.runs - 2) / 2
        return np.asarray((self.runs - 1) / self.runs / self.samples**2 * self._spread / pairs**2)
