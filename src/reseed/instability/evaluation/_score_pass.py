"""Means and deviations over runs of a study's recorded scores, one run at a time where all do not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from reseed._arrays import check_in_unit
from reseed.instability._blocks import fits, sample_ranges
from reseed.studies import FinalArray

_ROW_VALUES = 8  # of double precision that are held for each sample of a range: sums, a row and its deviations


def mean_and_std(scores: FinalArray, advance: Callable[[int], None]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation over runs of a score [sample]; NaN where a run's is not known.

    What does not fit into a block is read twice, for the mean and for deviations from it, rather than held.

    Args:
        scores: The recorded score, a probability or a difference of two.
        advance: Is told how many scores were done.

    Raises:
        InputError: A score is outside [0, 1].
    """
    runs, samples = scores.shape
    mean, std = np.zeros(samples), np.zeros(samples)
    for some in sample_ranges(samples, _ROW_VALUES * 8, scores.chunk):
        held = scores.block(some) if fits(runs * (some.stop - some.start) * scores.dtype.itemsize) else None
        total, squares = mean[some], std[some]  # views
        for row in _rows(scores, some, held):
            check_in_unit(row, scores.name)  # what is missing passes
            total += row
        total /= runs
        for row in _rows(scores, some, held):
            deviation = row - total
            deviation *= deviation
            squares += deviation
            advance(len(row))
        squares /= runs
        np.sqrt(squares, out=squares)
    return mean, std


def _rows(scores: FinalArray, some: slice, held: NDArray[np.floating] | None) -> Iterator[NDArray[np.floating]]:
    return scores.rows(some) if held is None else iter(held)
