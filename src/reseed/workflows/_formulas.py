"""Texts in CSV that a spreadsheet would run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

# How a cell begins that a spreadsheet runs, or strips down to one; the four signs in full width too.
_FORMULA = r"^[=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}\t\r\n\x00]"


def without_formulas(table: pa.Table) -> pa.Table:
    """Return a table whose texts and names no spreadsheet takes for formulas; numbers stay what they are."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as kinds

    def tamed(texts: pa.ChunkedArray) -> pa.ChunkedArray:
        quoted = pc.binary_join_element_wise("'", texts, "")
        return pc.if_else(pc.match_substring_regex(texts, _FORMULA), quoted, texts)

    columns = [
        tamed(column) if kinds.is_string(column.type) or kinds.is_large_string(column.type) else column
        for column in table.columns
    ]
    names = tamed(pa.chunked_array([table.column_names], pa.string())).to_pylist()
    return pa.table(columns, names=names)
