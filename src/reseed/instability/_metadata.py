"""The user's own knowledge about the samples, joined by their ids."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reseed._errors import InputError
from reseed.data import read_table
from reseed.instability._groupings import FEW, Grouping, name_groups, number_groups

if TYPE_CHECKING:
    import pyarrow as pa

_ID_COLUMNS = ("id", "sample_id", "sample")
_MOST_GROUPS = 1000


def metadata_groups(
    table: pa.Table, where: str, by: str, ids: tuple[str, ...], id_column: str | None
) -> tuple[Grouping, tuple[str, ...]]:
    """Returns the samples grouped by a column of a table, and what a reader should know about the join.

    Args:
        table: a row a sample.
        where: what messages call the table.
        by: the column that groups; numbers with more than ten distinct values are binned.
        ids: the samples' ids, in order.
        id_column: the column that holds ids; default: `id`, `sample_id` or `sample`.

    Raises:
        InputError: there is no such column, an id stands more than once, no id is a sample's, or there
            are too many groups.
    """
    names = table.column_names
    known = (id_column,) if id_column is not None else _ID_COLUMNS
    key = next((name for name in known if name in names), None)
    if key is None:
        raise InputError(
            f"{where} has no id column {' or '.join(map(repr, known))}; it has {', '.join(names)}. "
            "Pass the column that holds the sample ids as `id_column` (--id)."
        )
    if by not in names:
        raise InputError(f"{where} has no column {by!r}; it has {', '.join(names)}.")
    rows = [None if value is None else str(value) for value in table.column(key).to_pylist()]
    repeated, times = next(iter(Counter(row for row in rows if row is not None).most_common(1)), ("", 0))
    if times > 1:
        raise InputError(f"{where} has the id {repeated!r} {times} times; keep one row for each sample.")
    position = {row: index for index, row in enumerate(rows) if row is not None}
    found = [position.get(sample) for sample in ids]
    absent = [sample for sample, index in zip(ids, found, strict=True) if index is None]
    if len(absent) == len(ids):
        raise InputError(
            f"no id in the column {key!r} of {where} is a sample's: it has {', '.join(map(repr, rows[:3]))}, "
            f"the study has {', '.join(map(repr, ids[:3]))}."
        )
    values = table.column(by).to_pylist()
    grouping = _grouped([None if index is None else values[index] for index in found], by, where)
    notes = []
    if absent:
        notes.append(f"{len(absent):,} samples are not in {where} and left out, among them {', '.join(absent[:3])}.")
    unused = len(rows) - (len(ids) - len(absent))
    if unused:
        notes.append(f"{unused:,} rows of {where} belong to no sample of the study.")
    empty = int((grouping.place < 0).sum()) - len(absent)
    if empty:
        notes.append(f"{empty:,} samples have no {by!r} and are left out.")
    return grouping, tuple(notes)


def read_metadata(metadata: str | Path | pa.Table, id_column: str | None) -> tuple[pa.Table, str]:
    """Returns the table and what to call it in messages; ids in a CSV file stay as they are written.

    Raises:
        InputError: there is no such file.
        DataError: the file cannot be read.
    """
    if not isinstance(metadata, str | Path):
        return metadata, "metadata"
    path = Path(metadata)
    if not path.is_file():
        raise InputError(f"there is no metadata file {str(path)!r}; pass a .csv, .tsv, .jsonl or .parquet file.")
    return read_table(path, _ID_COLUMNS if id_column is None else (id_column,)), path.name


def _grouped(values: list[Any], by: str, where: str) -> Grouping:
    about = f"column {by!r} of {where}"
    present = [value for value in values if value is not None and value == value]
    if not present:
        raise InputError(f"{about} is empty for every sample of the study; choose another column.")
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in present):
        numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        return number_groups(numbers, about, few=FEW)
    distinct = len(set(map(str, present)))
    if distinct > _MOST_GROUPS:
        raise InputError(f"{about} has {distinct:,} distinct values; pass one with at most {_MOST_GROUPS:,}.")
    return name_groups(values, about)
