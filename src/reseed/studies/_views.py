"""Lazy labelled views over many runs: `run` is concatenated by the reader, never on disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reseed.studies._store import read

if TYPE_CHECKING:
    import xarray as xr

_AXES = ("run", "checkpoint", "sample", "class")


def stacked_view(arrays: Sequence[Any], coordinates: dict[str, Any], name: str) -> xr.DataArray:
    """Return a lazy array [run, checkpoint, sample(, class)] over one stored array for each run.

    Nothing is read until values are asked for, and then only the runs and chunks that the selection needs.

    Args:
        arrays: Stored arrays [checkpoint, sample(, class)] of equal shape, one a run.
        coordinates: Coordinate values by axis name.
        name: The variable's name.
    """
    import xarray as xr
    from xarray.backends import BackendArray
    from xarray.core import indexing

    class Stacked(BackendArray):
        """Indexes the outermost axis by choosing stored arrays, the others inside each."""

        def __init__(self) -> None:
            self.shape = (len(arrays), *arrays[0].shape)
            self.dtype = arrays[0].dtype

        def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
            return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)

        def _read(self, key: tuple[Any, ...]) -> Any:
            runs, inner = key[0], key[1:]
            if isinstance(runs, int | np.integer):
                return read(arrays[int(runs)], inner)
            chosen = range(len(arrays))[runs] if isinstance(runs, slice) else runs
            parts = [read(arrays[run], inner) for run in chosen]
            return np.stack(parts) if parts else np.empty((0, *read(arrays[0], inner).shape), self.dtype)

    axes = _AXES[: 1 + arrays[0].ndim]
    variable = xr.Variable(axes, indexing.LazilyIndexedArray(Stacked()))
    return xr.DataArray(variable, coords={axis: coordinates[axis] for axis in axes if axis in coordinates}, name=name)
