"""Whether quotes in a CSV or TSV file enclose cells, or are characters of a text like any other.

Readers that take this for granted lose rows: a text that begins with a quote swallows all up to the next quote.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reseed._errors import DataError
from reseed.data._layout import Layout

if TYPE_CHECKING:
    import pyarrow as pa

_WHOLE = '^"([^"]|"")*"$'  # a cell that is enclosed from its beginning to its end
_REMEDY = "double the quotes in its text and put quotes around the whole cell, or take them out"


def encloses(layout: Layout, plain: Callable[[], pa.Table | None], where: str) -> tuple[bool, tuple[str, ...]]:
    """Decides whether quotes enclose cells.

    Args:
        layout: the file.
        plain: reads its cells as text, quotes as they stand; None where lines differ in their number of cells.
        where: the beginning of messages.

    Returns:
        The decision, and what a reader of results should know of it.

    Raises:
        DataError: neither reading makes a table of it, or both do.
    """
    if b'"' not in layout.text:
        return False, ()
    return (_of_tabs if layout.delimiter == "\t" else _of_commas)(layout, plain, where)


def _of_commas(layout: Layout, plain: Callable[[], pa.Table | None], where: str) -> tuple[bool, tuple[str, ...]]:
    """Quotes enclose cells unless a cell says otherwise; a pair that encloses whole rows is refused."""
    text = layout.text
    one_line = _end(text, layout.delimiter, within=r"\r\n")
    if one_line == len(text):
        return True, ()
    end = _end(text, layout.delimiter)
    cells = plain()
    is_plain = cells is not None and not _any_whole(cells)
    if end == len(text):
        if not is_plain:
            return True, ()
        raise DataError(
            f"{where}: a quote that begins a cell in line {layout.line(one_line)} ends in a later line, but each line "
            "is a row by itself. If the quotes are part of the texts, double them and put quotes around each of these "
            "cells; if they enclose a text of several lines, put quotes around every text."
        )
    if is_plain:
        return False, (_as_written(layout.line(end)),)
    raise DataError(f"{where}: the quote that begins a cell in line {layout.line(end)} does not enclose it; {_REMEDY}.")


def _of_tabs(layout: Layout, plain: Callable[[], pa.Table | None], where: str) -> tuple[bool, tuple[str, ...]]:
    """Quotes enclose cells only where the file is consistent in it, or where lines are no rows without it."""
    text = layout.text
    cells = plain()
    if cells is None:
        if _end(text, layout.delimiter) == len(text):
            return True, ()
        return False, ()  # which line is at fault is for the reader to say
    first = re.search(rb'(?:\A|(?<=[\t\r\n]))"', text)
    if first is None:
        return False, ()
    if _is_consistent(cells):
        return True, ()
    header = cells.column_names
    if all(re.search(_WHOLE, name) for name in header):
        stray = re.search(rb'(?:\A|(?<=[\t\r\n]))"(?![^"\t\r\n]*+(?:""[^"\t\r\n]*+)*+"(?:[\t\r\n]|\Z))', text)
        line = layout.line((stray or first).start())
        raise DataError(
            f"{where}: the header is enclosed in quotes, but the quote that begins a cell in line {line} does not "
            f"enclose it; {_REMEDY}."
        )
    return False, (_as_written(layout.line(first.start())),)


def _as_written(line: int) -> str:
    return (
        f"Quotes are read as they are written (the first that begins a cell is in line {line}), since the file does "
        "not use them around cells throughout."
    )


def _end(text: bytes, delimiter: str, within: str = "") -> int:
    """Where the first cell begins whose quotes do not enclose it; the text's length where there is none.

    Args:
        text: the file.
        delimiter: what stands between its cells.
        within: characters that may not stand between quotes.
    """
    mark = re.escape(delimiter)
    body = rf'[^"{within}]*+'
    enclosed = rf'"{body}(?:""{body})*+" *+'
    bare = rf'[^"{mark}\r\n][^{mark}\r\n]*+'
    found = re.match(rf"(?:(?:{enclosed}|{bare})?+(?:[{mark}\r\n]|\Z))*+".encode(), text)
    return found.end() if found else 0


def _any_whole(cells: pa.Table) -> bool:
    import pyarrow.compute as pc

    names = any(re.search(_WHOLE, name) for name in cells.column_names)
    return names or any(pc.any(pc.match_substring_regex(column, _WHOLE)).as_py() for column in cells.columns)


def _is_consistent(cells: pa.Table) -> bool:
    """Whether quotes enclose cells as the usual writers have it.

    They put them around every cell of a column, or around those cells only that need it: that have a quote in them or,
    of a spreadsheet, a comma.
    """
    import pyarrow.compute as pc

    whole = [pc.match_substring_regex(column, _WHOLE) for column in cells.columns]
    bare = [pc.invert(is_whole) for is_whole in whole]
    quote, comma = ([pc.match_substring(column, mark) for column in cells.columns] for mark in ('"', ","))
    if _any(map(pc.and_, quote, bare)):
        return False
    header = cells.column_names
    if all(re.search(_WHOLE, name) for name in header):
        return True
    comma_needs = not _any(map(pc.and_, comma, bare))
    for column, is_whole, is_bare, has_comma in zip(cells.columns, whole, bare, comma, strict=True):
        if not _any([pc.and_(is_bare, pc.not_equal(column, ""))]):
            continue
        needs = pc.greater(pc.count_substring(column, '"'), 2)
        if comma_needs:
            needs = pc.or_(needs, has_comma)
        if _any([pc.and_(is_whole, pc.invert(needs))]):
            return False
    return True


def _any(marks: Any) -> bool:
    import pyarrow.compute as pc

    return any(pc.any(mark).as_py() for mark in marks)


def check_not_swallowed(table: pa.Table, delimiter: str, where: str) -> None:
    """Refuses a cell of several lines that holds as many delimiters as rows of its own would.

    Raises:
        DataError: there is one; the message names its row.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = [column for column in table.columns if pa.types.is_string(column.type)]
    for column in texts:
        lines = pc.count_substring(column, "\n")
        marks = pc.count_substring(column, delimiter)
        is_rows = pc.and_(
            pc.greater(lines, 0), pc.greater_equal(marks, pc.multiply(lines, max(1, table.num_columns - 1)))
        )
        place = pc.index(is_rows, True).as_py()
        if place >= 0:
            raise DataError(
                f"{where}: a cell of row {place} (from 0) is enclosed in quotes that hold whole lines of the file; if "
                f"they are rows, {_REMEDY}."
            )
