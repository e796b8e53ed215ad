"""The user's CSV, TSV, JSON lines and Parquet files as Arrow tables, with text kept as it is."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reseed._errors import DataError
from reseed.data._dataset import shown
from reseed.data._formats import DELIMITERS, JSON_LINES, extension

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK = 16 << 20  # bytes; a row may not be longer
_MESSAGE = 300  # characters of a reader's own message, which may quote a row


def read_table(path: Path, as_text: Sequence[str] | None) -> pa.Table:
    """Reads a table; nothing in it is interpreted beyond numbers and text.

    Args:
        path: a file with one of the extensions in `TABLES`.
        as_text: columns of a CSV or TSV file whose values are kept as they are written (`007`, `NA`, `1e5`); None for
            all of them.

    Raises:
        DataError: the file is empty, damaged or not of the kind its extension says; pyarrow's message, which
            has the row where it knows it, is passed on.
    """
    import pyarrow as pa

    kind = extension(path)
    try:
        _check_encoding(path, kind)
        if kind in DELIMITERS:
            table = _read_delimited(path, DELIMITERS[kind], as_text)
        elif kind in JSON_LINES:
            table = _read_json_lines(path)
        else:
            table = _read_parquet(path)
        names = table.column_names  # decoded only now
    except (pa.ArrowException, OSError, EOFError, UnicodeError) as error:
        message = " ".join(str(error).split())[:_MESSAGE].rstrip(".")
        told = " Save it as UTF-8." if "utf" in message.lower() else ""
        raise DataError(f"{path.name} cannot be read as {kind[1:]}: {message}.{told}") from error
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"{path.name}: column names must be unique; given more than once: {shown(twice)}.")
    if table.num_rows == 0:
        raise DataError(f"{path.name} has no rows.")
    return table


def _check_encoding(path: Path, kind: str) -> None:
    with path.open("rb") as file:
        start = file.read(2)
    if kind != ".parquet" and start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise UnicodeError("it is encoded as UTF-16")


def _read_delimited(path: Path, delimiter: str, as_text: Sequence[str] | None) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    reading = csv.ReadOptions(use_threads=False, block_size=_BLOCK)  # one thread knows the row number
    parsing = csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    if as_text is None:
        with pa.input_stream(str(path)) as stream, csv.open_csv(stream, reading, parsing) as reader:
            as_text = reader.schema.names
    converting = csv.ConvertOptions(column_types=dict.fromkeys(as_text, pa.string()))
    with pa.input_stream(str(path)) as stream:  # decompresses .gz
        return csv.read_csv(stream, reading, parsing, converting)


def _read_json_lines(path: Path) -> pa.Table:
    import pyarrow as pa
    from pyarrow import json

    def read(schema: pa.Schema | None) -> Any:
        with pa.input_stream(str(path)) as stream:
            return json.read_json(
                stream,
                read_options=json.ReadOptions(use_threads=False, block_size=_BLOCK),
                parse_options=json.ParseOptions(explicit_schema=schema, newlines_in_values=False),
            )

    table = read(None)
    dates = [field.name for field in table.schema if pa.types.is_temporal(field.type)]
    # Texts that look like dates come back as dates: they are read again, as they are written.
    return read(pa.schema([(name, pa.string()) for name in dates])) if dates else table


def _read_parquet(path: Path) -> pa.Table:
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        return file.read()
