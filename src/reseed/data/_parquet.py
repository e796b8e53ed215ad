"""Parquet files as Arrow tables, without letting a small file unpack to more than may be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reseed._limits import bytes_left, check_size
from reseed._parquet import check_parquet
from reseed.data._opened import opened

if TYPE_CHECKING:
    import pyarrow as pa

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 12, "BYTE_ARRAY": 4}
_ROWS = 1 << 16


def read_parquet(path: Path) -> pa.Table:
    """Reads a Parquet file.

    A text that occurs often is stored once and repeated by reference. It is read so as well, so that what the texts
    would take in full is known before they are written out.

    Raises:
        DataError: the file takes more memory than it may.
        pyarrow.ArrowException: it is damaged.
    """
    import pyarrow as pa
    from pyarrow import parquet

    with opened(path) as file:
        with parquet.ParquetFile(file) as outline:
            outline_of = outline.metadata
            schema = outline.schema_arrow
            columns = [
                outline_of.row_group(group).column(place)
                for group in range(outline_of.num_row_groups)
                for place in range(outline_of.num_columns)
            ]
            lengths = {
                outline_of.schema.column(place).path: max(0, outline_of.schema.column(place).length)
                for place in range(outline_of.num_columns)
            }
        _check_declared(columns, lengths, path.name)
        shared = {column.path_in_schema for column in columns if column.physical_type == "BYTE_ARRAY"}
        grown = {column.path_in_schema: column for column in columns if "DELTA_BYTE_ARRAY" in column.encodings}
        check_parquet(path, outline_of, {name.partition(".")[0] for name in lengths.keys() - grown.keys()})
        file.seek(0)
        with parquet.ParquetFile(file, read_dictionary=sorted(shared - grown.keys())) as reader:
            longest = max((column.total_uncompressed_size for column in grown.values()), default=0)
            parts = []
            taken = 0
            for part in _parts(reader, longest):
                taken += part.nbytes
                check_size(taken, path.name)
                parts.append(part)
        table = pa.concat_tables(parts) if parts else schema.empty_table()
    check_size(sum(_written_out(chunk) for column in table.columns for chunk in column.chunks), path.name)
    table = table.cast(schema)
    table.validate(full=True)  # texts may be no UTF-8
    return table


def _parts(reader: Any, longest: int) -> Iterator[pa.Table]:
    """The file in parts.

    Args:
        reader: of the file.
        longest: bytes that a text may have whose beginning is that of the one before, and so takes no room in the file;
            0 where there are none such.
    """
    import pyarrow as pa

    if not longest:
        yield from (reader.read_row_group(group, use_threads=False) for group in range(reader.num_row_groups))
        return
    rows = min(max(1, bytes_left() // longest), _ROWS)
    for batch in reader.iter_batches(rows, use_threads=False):
        yield pa.Table.from_batches([batch])


def _check_declared(columns: list[Any], lengths: dict[str, int], where: str) -> None:
    """Holds what a file says of itself against the limit."""
    check_size(sum(max(0, column.total_uncompressed_size) for column in columns), where)
    check_size(
        sum(
            max(0, column.num_values) * _WIDTHS.get(column.physical_type, lengths.get(column.path_in_schema, 0))
            for column in columns
        ),
        where,
    )


def _written_out(array: Any) -> int:
    """Bytes of an array with each repeated text written out."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_dictionary(kind):
        uses = np.bincount(array.indices.drop_null().to_numpy(zero_copy_only=False), minlength=len(array.dictionary))
        sizes = pc.binary_length(array.dictionary) if _is_bytes(kind.value_type) else None
        if sizes is None:
            return int(array.nbytes)
        return int(uses @ sizes.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64))
    if pa.types.is_struct(kind):
        return sum(_written_out(field) for field in array.flatten())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _written_out(array.flatten())
    return int(array.nbytes)


def _is_bytes(kind: Any) -> bool:
    import pyarrow as pa

    checks = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(check(kind) for check in checks)
