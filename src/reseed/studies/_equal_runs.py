"""Are the runs really different? Those that end with the same answers and scores, whatever their seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from reseed.studies._study import Study

_STEP = 1 << 16  # samples that are compared at a time; hardly ever more than once
_FEW_VALUES = 2  # of scores that are 0 or 1 alone and so say no more than labels
_EXPECTED = 10.0
"""Differences between two runs that chance hardly makes none of: exp(-10)."""

_Rows = Callable[[int, slice], Iterable[NDArray[Any]]]


@final
@dataclass(frozen=True)
class EqualRuns:
    """Runs that end with exactly the same answers, and the same scores where these are known.

    Attributes:
        runs: How many runs were compared.
        groups: Places of runs that are equal, two or more in each group.
        have_scores: Whether scores are known, and are more than 0 and 1.
    """

    runs: int
    groups: tuple[tuple[int, ...], ...]
    have_scores: bool

    @property
    def distinct(self) -> int:
        """How many results there are."""
        return self.runs - sum(len(group) - 1 for group in self.groups)

    def are_telling(self, differing: float) -> bool:
        """Whether this is hardly chance.

        Equal scores are not, nor are equal answers of all runs, or where two runs usually differ in many samples.

        Args:
            differing: In how many samples two runs differ on average.
        """
        return bool(self.groups) and (self.have_scores or self.distinct == 1 or differing >= _EXPECTED)


def equal_runs(study: Study) -> EqualRuns:
    """Return which complete runs of a study are equal at the end of training.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = equal_runs(Study.from_predictions([[0, 1, 1], [0, 1, 0], [0, 1, 1]], folder + "/study"))
        >>> found.groups, found.distinct
        (((0, 2),), 2)
    """
    names = [name for name in ("labels", "confidence") if name in study.recorded_names()]
    arrays = [study.final_array(name) for name in names]
    return _equal(
        len(study.manifests),
        len(study.samples),
        lambda place, some: (array.row(place, some) for array in arrays),
        has_scores="confidence" in names,
    )


def equal_rows(labels: NDArray[Any], confidence: NDArray[Any] | None) -> EqualRuns:
    """Return which runs are equal, of labels and scores [run, sample].

    Examples:
        >>> equal_rows(np.array([[0, 1], [0, 1]]), np.array([[0.9, 0.8], [0.9, 0.7]])).groups
        ()
    """
    arrays = [labels] if confidence is None else [labels, confidence]
    return _equal(
        len(labels),
        labels.shape[1],
        lambda place, some: (array[place, some] for array in arrays),
        has_scores=confidence is not None,
    )


def _equal(runs: int, samples: int, rows: _Rows, *, has_scores: bool) -> EqualRuns:
    groups: list[Sequence[int]] = [range(runs)]
    values: set[float] = set()
    for start, stop in pairwise([*range(0, samples, _STEP), samples]):
        some = slice(start, stop)
        groups = [part for group in groups for part in _parted(group, rows, some)]
        if not groups:
            return EqualRuns(runs, (), has_scores)
        if has_scores and len(values) <= _FEW_VALUES:
            *_, scores = rows(groups[0][0], some)
            values |= set(np.unique(scores).tolist())
    return EqualRuns(runs, tuple(tuple(group) for group in groups), has_scores and len(values) > _FEW_VALUES)


def _parted(group: Sequence[int], rows: _Rows, some: slice) -> list[list[int]]:
    """Return the runs of a group that are equal in a range of samples too."""
    parts: dict[bytes, list[int]] = {}
    for place in group:
        key = b"".join(np.asarray(row, np.float64).tobytes() for row in rows(place, some))
        parts.setdefault(key, []).append(place)
    return [part for part in parts.values() if len(part) > 1]
