"""Reading the tables that studies keep, which anybody may have written: no more of them than may be read."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reseed._errors import StudyError
from reseed._foreign import check_regular
from reseed._limits import check_size
from reseed._parquet import check_parquet

if TYPE_CHECKING:
    import pyarrow as pa

_OBJECT_BYTES = 64  # of a text or a picture in Python, besides its characters


def read_columns(path: Path, known: Callable[[pa.Schema], list[str]], texts: Collection[str]) -> pa.Table:
    """Return columns of a Parquet file without gaps, texts and pictures as dictionaries, with the file's metadata.

    Args:
        path: The file.
        known: From the schema to the columns that are read, if they are there and of the right types.
        texts: Columns that hold texts or pictures, where they are read.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is damaged, or a column is missing or of another type; of Arrow's own types too.
        StudyError: Reading it takes too much.
    """
    import pyarrow.parquet as pq

    check_regular(path)
    check_size(path.stat().st_size, repr(str(path)), StudyError)
    metadata = pq.read_metadata(path)
    schema = metadata.schema.to_arrow_schema()
    names = known(schema)
    check_parquet(path, metadata, names, StudyError)
    folded = [name for name in names if name in texts]
    with pq.ParquetFile(path, metadata=metadata, read_dictionary=folded) as file:
        table = file.read(columns=names, use_threads=False)  # one column at a time, so that memory holds one unpacked
    for name in names:
        if table.column(name).null_count:
            raise ValueError(f"the column {name!r} lacks values")
    check_size(sum(_unfolded_bytes(table.column(name)) for name in folded), repr(str(path)), StudyError)
    return table.replace_schema_metadata(schema.metadata)


def number_rows(values: NDArray[np.float32]) -> pa.FixedSizeListArray:
    """Return numbers [sample, ...] as the column that `numbers_of` reads."""
    import pyarrow as pa

    rows = np.ascontiguousarray(values, np.float32).reshape(len(values), -1)
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])


def numbers_of(column: pa.ChunkedArray, name: str) -> NDArray[np.float32]:
    """Return the numbers of a column of lists of one length, [sample, number].

    Raises:
        ValueError: One is missing or not finite.
    """
    values = column.combine_chunks().flatten()
    found = np.asarray(values.to_numpy(zero_copy_only=False), np.float32).reshape(len(column), column.type.list_size)
    if values.null_count or not np.isfinite(found).all():
        raise ValueError(f"the column {name!r} lacks values")
    return found


def values_of(column: pa.ChunkedArray) -> tuple[Any, ...]:
    """Return the values of a column of dictionaries."""
    values: list[Any] = []
    for chunk in column.chunks:
        known = chunk.dictionary.to_pylist()
        values.extend(known[index] for index in chunk.indices.to_pylist())
    return tuple(values)


def _unfolded_bytes(column: pa.ChunkedArray) -> int:
    """Return what the values of a column of dictionaries take when each stands by itself."""
    import pyarrow.compute as pc

    total = _OBJECT_BYTES * len(column)
    for chunk in column.chunks:
        lengths = pc.binary_length(chunk.dictionary)
        total += int(np.asarray(lengths, np.int64)[np.asarray(chunk.indices)].sum(dtype=np.int64))
    return total
