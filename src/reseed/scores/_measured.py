"""Columns of runs that are measured when a run is asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, final

from numpy.typing import NDArray

from reseed.scores._scores import RunRows


def measured_rows(
    measure: Callable[[int], Mapping[str, NDArray[Any]]], names: Collection[str], shape: tuple[int, int]
) -> dict[str, RunRows]:
    """Return columns [run, sample] of which nothing is measured yet.

    What was measured of a run is kept until another one is asked for, so that to go through all columns of a run before
    those of the next measures each run once.

    Args:
        measure: Returns the columns of the run at a place, each [sample].
        names: Their names.
        shape: Runs and samples.

    Examples:
        >>> import numpy as np
        >>> rows = measured_rows(lambda run: {"square": np.array([run**2])}, ["square"], (3, 1))
        >>> rows["square"][2]
        array([4])
    """
    last = _Last(measure)
    return {name: _Rows(last, name, shape) for name in names}


@final
class _Last:
    """What was measured of the run that was asked for last."""

    def __init__(self, measure: Callable[[int], Mapping[str, NDArray[Any]]]) -> None:
        self._measure, self._run, self._found = measure, -1, dict[str, NDArray[Any]]()

    def of(self, run: int) -> Mapping[str, NDArray[Any]]:
        """Return the columns of a run."""
        if run != self._run:
            self._found, self._run = dict(self._measure(run)), run
        return self._found


@final
class _Rows:
    """One of the columns."""

    def __init__(self, last: _Last, name: str, shape: tuple[int, int]) -> None:
        self._last, self._name, self._shape = last, name, shape

    @property
    def shape(self) -> tuple[int, ...]:
        """Runs and samples."""
        return self._shape

    def __getitem__(self, run: int) -> NDArray[Any]:
        """Return the values of a run, [sample]."""
        if not 0 <= run < self._shape[0]:
            raise IndexError(f"there is no run {run}; there are {self._shape[0]}, counted from 0.")
        return self._last.of(run)[self._name]
