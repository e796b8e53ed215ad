"""JSON lines as Arrow tables: whole numbers exact, texts as they are written, nesting without end refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reseed._errors import DataError
from reseed._limits import check_size
from reseed.data._encoding import line_of, utf8_content
from reseed.data._opened import check_file, content_of, understood

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK = 16 << 20  # bytes that are taken apart at a time
_LONGEST = 32 << 20  # bytes of such a part; what is made of it may take many times that
_CELL = 8  # bytes that a cell takes, whatever is in it
_SPACE = re.compile(r"[ \t\r\n]*")
_CALLED = {str: "text", bool: "true or false", int: "numbers", float: "numbers", list: "lists", dict: "objects"}


def read_json_lines(content: bytes, where: str) -> pa.Table:
    """Reads JSON objects that follow each other, usually one a line.

    A key that an object lacks is a missing value. Whole numbers that need more than 64 bits become decimals, or, of
    more than 76 digits, text. Lists and objects are columns that cannot be used, kept as far as Arrow can.

    Raises:
        DataError: it is something else, an object has a key twice, or a key stands for text here and a number there.
    """
    import pyarrow as pa

    columns: dict[str, list[_Part]] = {}
    rows = 0
    for objects in _blocks(content, where):
        for name in dict.fromkeys(name for row in objects for name in row):
            parts = columns.setdefault(name, [_nothing(rows)] if rows else [])
            parts.append(_part([row.get(name) for row in objects], name, rows, where))
        for name in columns.keys() - {name for row in objects for name in row}:
            columns[name].append(_nothing(len(objects)))
        rows += len(objects)
        check_size(_CELL * rows * len(columns), where)
    return pa.table({name: _joined(parts, name, where) for name, parts in columns.items()})


def json_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yields the JSON objects of a file, as they are.

    Raises:
        DataError: it is no regular file of JSON objects that follow each other, or too large.
    """
    check_file(path)
    with understood(path, "JSON lines"):
        for block in _blocks(utf8_content(content_of(path), path.name), path.name):
            yield from block


def _blocks(content: bytes, where: str) -> Iterator[list[dict[str, Any]]]:
    """Takes objects apart in blocks that end where a line begins with an object."""
    decoder = json.JSONDecoder(object_pairs_hook=_unique)
    start = 0
    while start < len(content):
        end = content.find(b"\n{", start + _BLOCK)
        end = len(content) if end < 0 else end + 1
        if end - start > _LONGEST:
            # What is too long begins where the last object does that fits into the part.
            line = line_of(content, max(start, content.rfind(b"\n{", start, start + _BLOCK) + 1))
            raise DataError(
                f"{where}: an object or a line from line {line} on is longer than {_LONGEST >> 20} MiB; write one "
                "object a line."
            )
        text = content[start:end].decode()
        place = _space(text, 0)
        objects = []
        while place < len(text):
            try:
                found, after = decoder.raw_decode(text, place)
            except (ValueError, RecursionError) as error:
                at = getattr(error, "pos", place)
                line = line_of(content, start + len(text[:at].encode()))
                raise DataError(f"{where}: line {line} is no JSON: {_reason(error)}.") from error
            if not isinstance(found, dict):
                line = line_of(content, start + len(text[:place].encode()))
                what = "a JSON array" if isinstance(found, list) else "no JSON object"
                raise DataError(
                    f"{where}: in line {line} begins {what}; write one object a line, as pandas does with "
                    "to_json(orient='records', lines=True)."
                )
            objects.append(found)
            place = _space(text, after)
        if objects:
            yield objects
        start = end


def _space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error).rstrip(".")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object has the key {twice!r} twice")
    return found


@dataclass(frozen=True, eq=False)
class _Part:
    """The values of a column in one block: what they are in words, empty where all are missing, and as an array."""

    kind: str
    values: Any


def _nothing(rows: int) -> _Part:
    import pyarrow as pa

    return _Part("", pa.nulls(rows))


def _part(values: list[Any], name: str, first: int, where: str) -> _Part:
    import pyarrow as pa

    types = set(map(type, values)) - {type(None)}
    kinds = {_CALLED[kind] for kind in types}
    if len(kinds) > 1:
        known = [_CALLED.get(type(value)) for value in values]
        here = next(kind for kind in known if kind)
        row = next(row for row, kind in enumerate(known) if kind not in (None, here))
        raise DataError(_mixed(where, name, here, str(known[row]), f"row {first + row} (from 0)"))
    kind = next(iter(kinds), "")
    if kind == "numbers":
        return _Part(kind, _numbers(values, types))
    if kind == "objects":
        return _Part(kind, pa.array([None if value is None else {} for value in values], pa.struct([])))
    if kind == "lists":
        is_flat = not any(isinstance(item, list | dict) for value in values if value for item in value)
        try:
            return _Part(kind, pa.array(values if is_flat else [value and [] for value in values]))
        except pa.ArrowException:  # items of several kinds
            return _Part(kind, pa.array([value and [] for value in values], pa.list_(pa.null())))
    try:
        return _Part(kind, pa.array(values, pa.string() if kind == "text" else None))
    except UnicodeEncodeError as error:
        raise DataError(f"{where}: column {name!r} holds half a surrogate pair, which is no text.") from error


def _mixed(where: str, name: str, one: str, other: str, place: str) -> str:
    return f"{where}: column {name!r} holds {one}, but {other} in {place}; write all of its values alike."


def _numbers(values: list[Any], types: set[type]) -> pa.Array:
    """Numbers in the narrowest type that holds whole ones exactly."""
    import pyarrow as pa

    if float in types:
        return pa.array([None if value is None else _float(value) for value in values], pa.float64())
    for kind in (pa.int64(), pa.decimal128(38), pa.decimal256(76)):
        try:
            return pa.array(values, kind)
        except (OverflowError, pa.ArrowInvalid):
            continue
    return pa.array([None if value is None else str(value) for value in values], pa.string())


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number of more than 308 digits
        return float("inf") if value > 0 else float("-inf")


def _joined(parts: Sequence[_Part], name: str, where: str) -> pa.ChunkedArray:
    """The parts of a column under one type."""
    import pyarrow as pa

    kinds = list(dict.fromkeys(part.kind for part in parts if part.kind))
    if len(kinds) > 1:
        raise DataError(_mixed(where, name, kinds[0], kinds[1], "later rows"))
    types = list(dict.fromkeys(part.values.type for part in parts if part.kind))
    if len(types) < 2:
        kind = types[0] if types else pa.null()
    elif kinds == ["numbers"]:
        widest = (pa.float64(), pa.string(), pa.decimal256(76), pa.decimal128(38))
        kind = next(kind for kind in widest if kind in types)
    else:
        kind = pa.list_(pa.null())
        return pa.chunked_array([pa.nulls(len(part.values), kind) for part in parts], kind)
    return pa.chunked_array([part.values.cast(kind) for part in parts], kind)
