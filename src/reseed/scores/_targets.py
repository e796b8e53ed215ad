"""Which samples the other runs answer differently: what one run is asked to foretell, always without the run itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from jaxtyping import Bool, Int, Integer

from reseed._arrays import ArrayLike, brief
from reseed._errors import InputError
from reseed._labels import encode, label_array

_UNIT = 40  # logarithms are whole numbers of 2^-40, so that sums do not depend on the order of runs
_TIE = 10  # entropies that differ by less than some 2^-30 are the same


@final
@dataclass(frozen=True, eq=False)
class Targets:
    """What runs foretell: the label entropy over the final labels of the other runs, and whether it is above 0.

    Only samples are held whose answers differ at all.

    Attributes:
        samples: How many samples there are.
        contested: Places of those that runs answer differently, [contested].
        labels: Their labels, [run, contested].
        own: How many of all runs give the label that a run gives, [run, contested].
    """

    samples: int
    contested: Int[np.ndarray, " contested"]
    labels: Integer[np.ndarray, "run contested"]
    own: Int[np.ndarray, "run contested"]

    @classmethod
    def of(cls, labels: ArrayLike) -> Targets:
        """Count the final labels [run, sample] of three runs or more.

        Raises:
            InputError: They are no such labels.

        Examples:
            >>> targets = Targets.of([[0, 0, 1], [0, 1, 1], [0, 1, 1]])
            >>> targets.flips(0), targets.flips(1)
            (array([False, False, False]), array([False,  True, False]))
        """
        codes, _ = encode(label_array(labels))
        if codes.ndim != 2 or len(codes) < 3:
            raise InputError(
                f"labels must be [run, sample] of 3 runs or more, so that two others can differ, got {brief(codes)}."
            )
        contested = np.flatnonzero((codes != codes[0]).any(0))
        some = codes[:, contested]
        return cls(codes.shape[1], contested, some, own_counts(some))

    @property
    def runs(self) -> int:
        """How many runs there are."""
        return len(self.labels)

    def flips(self, run: int) -> Bool[np.ndarray, " sample"]:
        """Return whether the runs other than the one at a place differ on a sample, [sample]."""
        found = np.zeros(self.samples, bool)
        found[self.contested] = self._squares(run) < (self.runs - 1) ** 2
        return found

    def dissident(self, run: int) -> Int[np.ndarray, " sample"]:
        """Return the place of the only other run without which the others agree on a sample; -1 where there is none.

        Of three runs there are two such; nothing then is left that could differ.
        """
        found = np.full(self.samples, -1, np.int32)
        differ = self._squares(run) < (self.runs - 1) ** 2
        for other in range(self.runs):
            if other != run:
                alone = self._squares(run) - 2 * self._own_without(other, run) + 1 == (self.runs - 2) ** 2
                found[self.contested[differ & alone]] = other
        return found

    def levels(self, run: int, other: int | None = None) -> Int[np.ndarray, " contested"]:
        """Return whole numbers in the order of the label entropy over the other runs: 0 where it is 0, [contested].

        Args:
            run: The run that foretells.
            other: Another one that is left out as well.
        """
        own = [self.own[run]] if other is None else [self.own[run], self._own_without(other, run)]
        table = n_log_n(self.runs)
        lost = sum(table[count] - table[count - 1] for count in own)
        return _levels(table[self.runs - len(own)] - self._folded + lost)

    @cached_property
    def _folded(self) -> Int[np.ndarray, " contested"]:
        return _sum_of_logarithms(self.own)

    def _squares(self, run: int) -> Int[np.ndarray, " contested"]:
        """Return the sum of the squared counts of labels without a run."""
        return np.asarray(self._all_squares - 2 * self.own[run] + 1)

    @cached_property
    def _all_squares(self) -> Int[np.ndarray, " contested"]:
        return np.asarray(self.own.sum(0, dtype=np.int64))

    def _own_without(self, run: int, left_out: int) -> Int[np.ndarray, " contested"]:
        """Return how many runs but one give the label that another run gives."""
        return np.asarray(self.own[run] - (self.labels[run] == self.labels[left_out]))


def entropy_levels(labels: Integer[np.ndarray, "run sample"]) -> Int[np.ndarray, " sample"]:
    """Return whole numbers in the order of the label entropy over runs: 0 where it is 0, [sample]."""
    return _levels(n_log_n(len(labels))[len(labels)] - _sum_of_logarithms(own_counts(labels)))


def own_counts(labels: Integer[np.ndarray, "run sample"]) -> Int[np.ndarray, "run sample"]:
    """Return how many runs give the label that each run gives, [run, sample]."""
    return np.stack([(labels == row).sum(0, dtype=np.int32) for row in labels])


def n_log_n(most: int) -> Int[np.ndarray, " count"]:
    """Return n ln n of the counts 0 to ``most``, in whole units."""
    return np.asarray(np.arange(most + 1) * _logarithms(most))


def _logarithms(most: int) -> Int[np.ndarray, " count"]:
    return np.rint(np.ldexp(np.log(np.maximum(np.arange(most + 1), 1)), _UNIT)).astype(np.int64)


def _sum_of_logarithms(own: Int[np.ndarray, "run sample"]) -> Int[np.ndarray, " sample"]:
    """Return the sum of n ln n over the labels of each sample: each run adds the logarithm of its label's count."""
    logarithms, found = _logarithms(len(own)), np.zeros(own.shape[1], np.int64)
    for row in own:
        found += logarithms[row]
    return found


def _levels(lacking: Int[np.ndarray, " sample"]) -> Int[np.ndarray, " sample"]:
    return np.asarray((lacking + (1 << (_TIE - 1))) >> _TIE)
