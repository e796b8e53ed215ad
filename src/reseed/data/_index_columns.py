"""Columns that a table has besides the user's own: the row index that pandas writes along."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

UNNAMED = "the unnamed first column"
_INDEX_NAME = re.compile(r"Unnamed: 0(\.\d+)*(_level_\d+)?|__index_level_\d+__")


def without_index(table: pa.Table, keep: Collection[str]) -> tuple[pa.Table, tuple[str, ...]]:
    """Takes out the row index of pandas, which is no answer, no feature and no text.

    That is a first column without a name, `Unnamed: 0`, `__index_level_0__`, and whatever a Parquet file's own note
    of pandas calls an index, such as `level_0`.

    Args:
        table: any table.
        keep: columns that are never taken out.

    Returns:
        The table without them, and what they are called.

    Example:
        >>> import pyarrow as pa
        >>> table, left_out = without_index(pa.table({"": [0, 1], "label": ["a", "b"]}), keep=())
        >>> table.column_names, left_out
        (['label'], ('the unnamed first column',))
    """
    declared = _declared(table)
    places = [
        place
        for place, name in enumerate(table.column_names)
        if name not in keep
        and (name in declared or _INDEX_NAME.fullmatch(name) is not None or (place == 0 and not name.strip()))
    ]
    rest = table.select([place for place in range(table.num_columns) if place not in places])
    return rest, tuple(table.column_names[place].strip() or UNNAMED for place in places)


def _declared(table: pa.Table) -> frozenset[str]:
    """What pandas says in a Parquet file's metadata; that may be anything, since files come from anywhere."""
    try:
        found = json.loads((table.schema.metadata or {})[b"pandas"])["index_columns"]
        return frozenset(name for name in found if isinstance(name, str))  # a range is described, and is no column
    except (KeyError, TypeError, ValueError, RecursionError):
        return frozenset()
