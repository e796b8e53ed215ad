"""CSV and TSV files as Arrow tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reseed._limits import check_size
from reseed.data._column_names import plain_name
from reseed.data._layout import laid_out
from reseed.data._quotes import check_not_swallowed, encloses

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK = 16 << 20  # bytes; a row may not be longer
_CELL = 8  # bytes that a cell takes, whatever is in it


def read_delimited(
    content: bytes, delimiter: str, as_text: Sequence[str] | None, where: str
) -> tuple[pa.Table, tuple[str, ...]]:
    """Reads a CSV or TSV file.

    Args:
        content: the file, in UTF-8.
        delimiter: what usually stands between cells, see `laid_out`.
        as_text: columns, found as by `find_column`, whose values stay text; None for all.
        where: the beginning of messages.

    Returns:
        The table, and what was taken for granted of the file.

    Raises:
        DataError: its quotes are no help in telling rows apart, or it takes more memory than it may.
        pyarrow.ArrowException: it is no table.
    """
    import pyarrow as pa

    layout = laid_out(content, delimiter)

    def plain() -> pa.Table | None:
        try:
            return _parsed(layout.text, layout.delimiter, None, enclosed=False, where=where)
        except pa.ArrowInvalid:
            return None

    is_enclosed, notes = encloses(layout, plain, where)
    table = _parsed(layout.text, layout.delimiter, as_text, enclosed=is_enclosed, where=where)
    if is_enclosed and layout.delimiter == "\t":
        check_not_swallowed(table, layout.delimiter, where)
    return table, (*layout.notes, *notes)


def _parsed(text: bytes, delimiter: str, as_text: Sequence[str] | None, *, enclosed: bool, where: str) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    reading = csv.ReadOptions(use_threads=False, block_size=_BLOCK)  # one thread knows the row number
    parsing = csv.ParseOptions(delimiter=delimiter, quote_char='"' if enclosed else False, newlines_in_values=enclosed)
    with csv.open_csv(pa.BufferReader(text), reading, parsing) as reader:
        names = reader.schema.names
    check_size(_CELL * (text.count(delimiter.encode()) + (text.count(b"\n") or text.count(b"\r"))), where)
    wanted = None if as_text is None else {plain_name(name) for name in as_text}
    kinds = {name: pa.string() for name in names if wanted is None or plain_name(name) in wanted}
    return csv.read_csv(pa.BufferReader(text), reading, parsing, csv.ConvertOptions(column_types=kinds))
