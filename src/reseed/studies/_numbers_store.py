"""Arrays of numbers in a study's folder besides its predictions, written row by row and checked before reading."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from reseed._errors import InputError, StudyError
from reseed.studies._chunks import check_array
from reseed.studies._store import read

_CHUNK_BYTES = 16 << 20


def create_array(path: Path, rows: Iterable[NDArray[Any]], count: int, axes: tuple[str, ...]) -> None:
    """Write an array as a zarr array of its own, a row in memory at a time.

    Args:
        path: A folder that is not there yet.
        rows: Numbers, or yes and no, each of the same shape; single numbers of an array of one axis.
        count: How many rows there are.
        axes: Names of the axes.

    Raises:
        InputError: They are no numbers.
    """
    import zarr
    from zarr.codecs import ZstdCodec  # named, since `check_array` accepts no other

    array = None
    for place, row in enumerate(rows):
        values = row.astype(np.uint8) if row.dtype.kind == "b" else row
        if values.dtype.kind not in "iuf":
            raise InputError(f"{path.name} holds {values.dtype}; give numbers.")
        if array is None:
            chunk = max(1, min(values.size, _CHUNK_BYTES // values.dtype.itemsize))
            array = zarr.create_array(
                path,
                shape=(count, *values.shape),
                chunks=(1, chunk) if values.ndim else (max(1, count),),
                dtype=values.dtype,
                compressors=ZstdCodec(),
                dimension_names=axes,
            )
        array[place] = values


@final
class StoredRows:
    """A stored array of which a row is read at a time."""

    def __init__(self, array: Any) -> None:
        self._array = array

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the whole array."""
        return tuple(self._array.shape)

    def __getitem__(self, row: int) -> NDArray[Any]:
        """Return the row at a place.

        Raises:
            StudyError: What is stored is damaged.
        """
        return read(self._array, row)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return all of it."""
        return np.asarray(read(self._array, slice(None)), dtype)


def open_numbers(path: Path, shape: tuple[int, ...]) -> StoredRows:
    """Open what `create_array` wrote.

    Raises:
        StudyError: It is missing, damaged, of another shape, or takes more to read than `reseed.max_bytes` allows.
    """
    import zarr

    check_array(path)
    try:
        array = zarr.open_array(path, mode="r", zarr_format=3)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise StudyError(f"cannot read {str(path)!r}: {error}") from error
    if array.shape != shape or array.dtype.kind not in "iuf":
        raise StudyError(f"{str(path)!r} is damaged: it holds {array.dtype} of shape {list(array.shape)}.")
    return StoredRows(array)
