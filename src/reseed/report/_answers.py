"""The answers of many samples without an object for each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa


@final
class CountedAnswers(Sequence[tuple[tuple[int, int], ...]]):
    """For each sample its (label, number of runs) pairs, made when a sample is looked at.

    Args:
        lengths: How many pairs each sample has, [sample].
        labels: The labels of all pairs, [pair].
        counts: Their numbers of runs, [pair].
    """

    def __init__(self, lengths: NDArray[np.integer], labels: NDArray[np.integer], counts: NDArray[np.integer]) -> None:
        self._offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        self._labels, self._counts = labels, counts

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> CountedAnswers:
        """Take the column ``answers`` of the table that `reseed.instability.evaluate` makes."""
        pairs = [chunk.flatten() for chunk in column.chunks]
        empty = [np.zeros(0, np.int32)]
        lengths = [chunk.value_lengths().to_numpy() for chunk in column.chunks]
        labels, counts = ([part.field(name).to_numpy() for part in pairs] for name in ("label", "count"))
        return cls(*(np.concatenate(parts or empty) for parts in (lengths, labels, counts)))

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, sample: Any) -> Any:
        if isinstance(sample, slice):
            return [self[place] for place in range(*sample.indices(len(self)))]
        place = range(len(self))[sample]
        some = slice(self._offsets[place], self._offsets[place + 1])
        return tuple(zip(self._labels[some].tolist(), self._counts[some].tolist(), strict=True))

    @cached_property
    def several(self) -> NDArray[np.bool_]:
        """Which samples were given two labels or more."""
        given = np.concatenate([[0], np.cumsum(self._counts > 0)])
        return np.asarray(np.diff(given[self._offsets]) > 1)
