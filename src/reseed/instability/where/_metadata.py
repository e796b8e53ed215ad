"""The user's own knowledge about the samples, joined by their ids."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reseed._arguments import argument
from reseed._errors import InputError
from reseed._near import did_you_mean
from reseed.data import column_texts, file_extension, find_column, read_table, table_notes, without_index
from reseed.instability.where._groupings import FEW, Grouping, name_groups, number_groups

if TYPE_CHECKING:
    import pyarrow as pa

_ID_COLUMNS = ("id", "sample_id", "sample")
_MOST_GROUPS = 1000
_MISSING = frozenset(("", "na", "n/a", "#na", "#n/a", "nan", "-nan", "null"))  # among numbers; else they are names
_CODE = re.compile(r"\+|-?0\d|-?\d+[eE]\d")  # how no number is written: 007, +49, 12e5
_TEXTS = (".csv", ".tsv")


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
    key = next((found for name in known if (found := find_column(names, name)) is not None), None)
    if key is None:
        raise InputError(
            f"{where} has no id column {' or '.join(map(repr, known))}; it has {', '.join(names)}. Pass the column "
            f"that holds the sample ids as {argument('id_column')}."
        )
    column = find_column(names, by)
    if column is None:
        raise InputError(f"{where} has no column {by!r}.{did_you_mean(by, names)} It has {', '.join(names)}.")
    rows = column_texts(table, key, where)
    repeated, times = next(iter(Counter(row for row in rows if row is not None).most_common(1)), ("", 0))
    if times > 1:
        raise InputError(f"{where} has the id {repeated!r} {times} times; keep one row for each sample.")
    position = {row: index for index, row in enumerate(rows) if row is not None}
    places = [position.get(sample, -1) for sample in ids]
    absent = [sample for sample, place in zip(ids, places, strict=True) if place < 0]
    if len(absent) == len(ids):
        raise InputError(
            f"no id in the column {key!r} of {where} is a sample's: it has {', '.join(map(repr, rows[:3]))}, "
            f"the study has {', '.join(map(repr, ids[:3]))}."
        )
    grouping = _grouped(table, column, np.array(places, dtype=np.int64), where)
    notes = list(table_notes(table))
    if absent:
        notes.append(f"{len(absent):,} samples are not in {where} and left out, among them {', '.join(absent[:3])}.")
    unused = len(rows) - (len(ids) - len(absent))
    if unused:
        notes.append(f"{unused:,} rows of {where} belong to no sample of the study.")
    empty = int((grouping.place < 0).sum()) - len(absent)
    if empty:
        notes.append(f"{empty:,} samples have no {column!r} and are left out.")
    return grouping, tuple(notes)


def read_metadata(metadata: str | Path | pa.Table, by: str, id_column: str | None) -> tuple[pa.Table, str]:
    """Returns the table and what to call it in messages.

    What a CSV or TSV file holds is text as it is written, but for a column to group by that holds numbers only.

    Raises:
        DataError: the file cannot be read.
    """
    if not isinstance(metadata, str | Path):
        return metadata, "metadata"
    path = Path(metadata)
    table = read_table(path, None)
    wanted = (by, *(_ID_COLUMNS if id_column is None else (id_column,)))
    found = [find_column(table.column_names, name) for name in wanted]
    table, _ = without_index(table, [name for name in found if name is not None])
    if file_extension(path) in _TEXTS and found[0] is not None:
        place = table.column_names.index(found[0])
        table = table.set_column(place, found[0], _understood(table.column(place).to_pylist()))
    return table, path.name


def _understood(texts: list[str]) -> pa.Array:
    """Returns what stands in a column of a CSV file: numbers where there is nothing else, else names.

    A code such as 007, +49 or 12e5 is a name, and so are all values of its column; other whole numbers are one group
    only where they are written alike.
    """
    import pyarrow as pa

    known = {text: text.lower() not in _MISSING and text for text in set(texts)}
    numbers = {text: _number(text) for text in known.values() if text}
    exact = any("." in text for text in numbers) or len(set(numbers.values())) == len(numbers)
    if not numbers or None in numbers.values() or not exact:
        return pa.array([text or None for text in texts], pa.string())
    return pa.array([numbers.get(known[text] or "") for text in texts], pa.float64())


def _number(text: str) -> float | None:
    try:
        return None if _CODE.match(text) or "_" in text else float(text)
    except ValueError:
        return None


def _grouped(table: pa.Table, column: str, rows: NDArray[np.int64], where: str) -> Grouping:
    """Groups the samples whose rows are given, -1 where a sample has none."""
    import pyarrow as pa

    about = f"column {column!r} of {where}"
    chosen = table.select([column]).take(pa.array(rows, mask=rows < 0))
    texts = column_texts(chosen, column, where)
    distinct = set(texts) - {None}
    if not distinct:
        raise InputError(f"{about} is empty for every sample of the study; choose another column.")
    kind = chosen.schema.field(column).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = np.array([np.nan if text is None else float(text) for text in texts])
        if len(np.unique(numbers[~np.isnan(numbers)])) == len(distinct):  # else whole numbers that are codes
            return number_groups(numbers, about, few=FEW)
    if len(distinct) > _MOST_GROUPS:
        raise InputError(f"{about} has {len(distinct):,} distinct values; pass one with at most {_MOST_GROUPS:,}.")
    return name_groups(texts, about)
