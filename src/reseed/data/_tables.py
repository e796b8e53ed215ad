"""The user's CSV, TSV, JSON lines and Parquet files as Arrow tables, with text kept as it is."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reseed._errors import DataError
from reseed.data._dataset import shown
from reseed.data._encoding import utf8_content
from reseed.data._formats import DELIMITERS, TABLES, extension
from reseed.data._opened import check_file, content_of, understood

if TYPE_CHECKING:
    import pyarrow as pa

_NOTES = b"reseed.notes"
_UNNAMED = re.compile(r"\s*|Unnamed: \d+")


def read_table(path: Path, as_text: Sequence[str] | None) -> pa.Table:
    """Reads a table; nothing in it is interpreted beyond numbers and text.

    What was taken for granted of the file, `table_notes` says. No more than `reseed.max_bytes` is read.

    Args:
        path: a file with one of the extensions in `TABLE_EXTENSIONS`.
        as_text: columns of a CSV or TSV file, found as by `find_column`, whose values are kept as they are written
            (`007`, `NA`, `1e5`); None for all of them.

    Raises:
        DataError: the file is no regular one, is empty, damaged, too large or not of the kind its extension says;
            pyarrow's message, which has the row where it knows it, is passed on.
    """
    kind = extension(path)
    if kind not in TABLES:
        raise DataError(f"{path.name} is no table; files of tables end in {', '.join(TABLES)}.")
    check_file(path)
    with understood(path, kind[1:]):
        table, notes = _read(path, kind, as_text)
        names = table.column_names  # decoded only now
    empty = [place for place, name in enumerate(names) if _UNNAMED.fullmatch(name) and _is_empty(table.column(place))]
    if empty:  # every line of the file ends in a delimiter, or of the one that pandas made it of
        table = table.select([place for place in range(len(names)) if place not in empty])
        notes = (*notes, f"Columns without name and values are left out: {len(empty)}.")
    twice = [name for name, count in Counter(table.column_names).items() if count > 1]
    if twice:
        raise DataError(f"{path.name}: column names must be unique; given more than once: {shown(twice)}.")
    if table.num_rows == 0:
        raise DataError(f"{path.name} has no rows.")
    told = [f"{path.name}: {note}" for note in notes]
    return table.replace_schema_metadata({**(table.schema.metadata or {}), _NOTES: json.dumps(told).encode()})


def table_notes(table: pa.Table) -> tuple[str, ...]:
    r"""What `read_table` took for granted of the file that this table is of, or of a part of it.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "data.csv")
        ...     _ = path.write_text("text;label\nhello;x\n")
        ...     table_notes(read_table(path, None))
        ('data.csv: Its cells are separated by semicolons.',)
    """
    return tuple(json.loads((table.schema.metadata or {}).get(_NOTES, b"[]")))


def _is_empty(column: pa.ChunkedArray) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    is_blank = pa.types.is_string(column.type) and pc.all(pc.equal(column, "")).as_py()
    return bool(is_blank) or column.null_count == len(column)


def _read(path: Path, kind: str, as_text: Sequence[str] | None) -> tuple[pa.Table, tuple[str, ...]]:
    if kind == ".parquet":
        from reseed.data._parquet import read_parquet

        return read_parquet(path), ()
    content = utf8_content(content_of(path), path.name)
    if kind in DELIMITERS:
        from reseed.data._delimited import read_delimited

        return read_delimited(content, DELIMITERS[kind], as_text, path.name)
    from reseed.data._json_lines import read_json_lines

    return read_json_lines(content, path.name), ()
