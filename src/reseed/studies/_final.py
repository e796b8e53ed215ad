"""A recorded array at the last checkpoint of every run: read in parts, and checked as it is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from reseed._errors import StudyError
from reseed.studies._store import read

_ALL = slice(None)


@final
@dataclass(frozen=True, eq=False)
class FinalArray:
    """One recorded array at the last checkpoint, [run, sample] (and class), of which nothing is in memory yet.

    Attributes:
        name: Which array.
        path: The study's folder.
        runs: Numbers of the runs.
        arrays: Their stored arrays [checkpoint, sample] (and class).
        classes: Labels are below it.
        known: Where values must not be missing, [sample]; None: everywhere.
    """

    name: str
    path: Path
    runs: tuple[int, ...]
    arrays: Sequence[Any]
    classes: int
    known: NDArray[np.bool_] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Runs, samples (and classes)."""
        return (len(self.arrays), *self.arrays[0].shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type that holds the values of all runs."""
        return np.result_type(*(array.dtype for array in self.arrays))

    @property
    def chunk(self) -> int:
        """Samples that are stored together: reading some of them reads them all."""
        return int(self.arrays[0].chunks[1])

    def rows(self, samples: slice = _ALL) -> Iterator[NDArray[Any]]:
        """Yield the values of a range of samples [sample] (and class), one run at a time.

        Raises:
            StudyError: Some are missing or impossible.
        """
        return (self.row(place, samples) for place in range(len(self.runs)))

    def row(self, place: int, samples: slice = _ALL) -> NDArray[Any]:
        """Return the values of a range of samples [sample] (and class) of the run at a place.

        Raises:
            StudyError: Some are missing or impossible.
        """
        row = read(self.arrays[place], (-1, samples))
        values = {"labels": self.classes, "abstains": 2}.get(self.name)
        is_bad = np.isnan(row) if values is None else (row < 0) | (row >= values)
        if self.known is not None:
            is_bad = is_bad[self.known[samples]]
        if is_bad.any():
            raise StudyError(
                f"the recorded {self.name!r} of run {self.runs[place]} of the study {str(self.path)!r} are damaged: "
                "some are missing or impossible. Delete the run's folder; the command that made the study then does it "
                "again."
            )
        return row

    def block(self, samples: slice = _ALL) -> NDArray[Any]:
        """Return the values of a range of samples, [run, sample] (and class).

        Raises:
            StudyError: Some are missing or impossible.
        """
        count = len(range(*samples.indices(self.shape[1])))
        values = np.empty((self.shape[0], count, *self.shape[2:]), self.dtype)
        for place, row in enumerate(self.rows(samples)):
            values[place] = row
        return values
