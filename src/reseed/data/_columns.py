"""From a table to samples: which columns are meant, and what is in them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from reseed._arguments import argument
from reseed._errors import DataError
from reseed._near import did_you_mean
from reseed.data._column_names import find_column, plain_name
from reseed.data._config import DataConfig
from reseed.data._dataset import shown
from reseed.data._rows import Index, Inputs, Rows
from reseed.data._values import distinct, is_number, is_text, is_whole, written

TEXT_NAMES = ("text", "utterance", "sentence")
LABEL_NAMES = ("label", "target", "intent")
_SHOWN = 10  # columns that a note lists
_SAMPLED = 1000  # values looked at to tell a number column with a slip from a text column


def text_like(config: DataConfig) -> tuple[str, ...]:
    """The columns whose values are names or texts, whatever they look like."""
    named = (config.text, config.label, config.id, config.split, *TEXT_NAMES, *LABEL_NAMES)
    return tuple(dict.fromkeys(name for name in named if name is not None))


def column_called(columns: Sequence[str], name: str, role: str, where: str) -> str:
    """The column of this name, see `find_column`.

    Raises:
        DataError: there is none; the message lists the columns and suggests the nearest.
    """
    found = find_column(columns, name)
    if found is not None:
        return found
    raise DataError(
        f"{where} has no column {name!r} ({role}).{did_you_mean(name, columns)} It has {', '.join(columns)}."
    )


def label_column(table: pa.Table, config: DataConfig, where: str) -> str:
    """The column with the classes: the configured one, or the only one with a usual name."""
    if config.label is not None:
        return column_called(table.column_names, config.label, argument("label"), where)
    found = [name for name in table.column_names if plain_name(name) in LABEL_NAMES]
    if len(found) == 1:
        return str(found[0])
    many = f"several columns could be the label: {', '.join(found)}"
    if not found:
        many = f"no column is called {', '.join(LABEL_NAMES)}"
    raise DataError(f"{where}: {many}; set {argument('label')} to one of {', '.join(table.column_names)}.")


def input_columns(table: pa.Table, config: DataConfig, label: str, where: str) -> tuple[str, ...] | str:
    """The text column (a name) or the numeric columns (a tuple of names)."""
    if config.text is not None:
        return column_called(table.column_names, config.text, argument("text"), where)
    if config.features is not None:
        return tuple(column_called(table.column_names, name, argument("features"), where) for name in config.features)
    taken = {label, *_others(table, config)}
    others = [name for name in table.column_names if name not in taken]
    texts = [name for name in others if plain_name(name) in TEXT_NAMES and is_text(table[name].type)]
    if len(texts) == 1:
        return str(texts[0])
    if texts:
        raise DataError(f"{where}: several columns could be the text: {', '.join(texts)}; set text to one of them.")
    for name in others:
        _check_slip(table, name, where)
    numeric = tuple(name for name in others if is_number(table[name].type) and plain_name(name) != "id")
    if not numeric:
        commas = [name for name in others if is_text(table[name].type) and _has_commas(table[name])]
        hint = f" Numbers need a decimal point, not a comma: {', '.join(commas)}." if commas else ""
        raise DataError(
            f"{where} has neither a text column nor numeric columns beside the label {label!r}; set text or "
            f"features to some of {', '.join(table.column_names)}.{hint}"
        )
    return numeric


def _others(table: pa.Table, config: DataConfig) -> set[str | None]:
    """The columns with ids and splits, where they are asked for."""
    return {find_column(table.column_names, name) for name in (config.id, config.split) if name is not None}


def columns_note(table: pa.Table, config: DataConfig, inputs: tuple[str, ...] | str, label: str) -> tuple[str, ...]:
    """What a reader of results should know of the columns: which are the features, and which are not used."""
    used = (inputs,) if isinstance(inputs, str) else inputs
    unused = [name for name in table.column_names if name not in {label, *used, *_others(table, config)}]
    kinds: dict[str, list[str]] = {}
    for name in unused:
        kinds.setdefault(_kind(table[name]), []).append(name)
    told = ", ".join(f"{_listed(found)} ({kind})" for kind, found in kinds.items())
    rest = f"; not used: {told}" if told else ""
    if isinstance(inputs, str):
        return (f"The text is {inputs}{rest}.",) if rest else ()
    return (f"The features are {_listed(used)}{rest}.",)


def _kind(column: Any) -> str:
    if column.null_count == len(column):
        return "no values"
    if is_text(column.type):
        return "text: numbers with commas" if _has_commas(column) else "text"
    if is_number(column.type):
        return "numbers"
    return "dates" if pa.types.is_temporal(column.type) else str(column.type)


def _has_commas(column: Any) -> bool:
    """Whether text is mostly numbers in which commas stand for points or part the thousands."""
    start = [value or "" for value in column.slice(0, _SAMPLED).to_pylist()]
    has_comma = any("," in value for value in start)
    return has_comma and 2 * sum(_parses(value.replace(",", "")) for value in start) > len(start)


def _listed(found: Sequence[str]) -> str:
    rest = len(found) - _SHOWN
    return ", ".join(found[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def table_rows(
    table: pa.Table,
    config: DataConfig,
    where: str,
    split: str,
    inputs: tuple[str, ...] | str | None,
    label: str,
) -> Rows:
    """Samples of a table.

    Args:
        table: rows are samples.
        config: says which column holds the ids.
        where: what to call the table in messages.
        split: name of the split.
        inputs: the text column, or the numeric columns in the order of the features; None where the inputs are
            not in the table and `Rows.take` will be replaced.
        label: the column with the classes.

    Raises:
        DataError: a value is missing or of the wrong kind; the message names the column and the row.
    """
    rows = table.num_rows
    ids = tuple(str(row) for row in range(rows))
    if config.id is not None:
        ids = names(table, column_called(table.column_names, config.id, argument("id"), where), where)
    labels = names(table, label, where)
    if inputs is None:
        return Rows(split, ids, labels, lambda index: ())
    if isinstance(inputs, str):
        texts = _texts(table, inputs, where)
        return Rows(split, ids, labels, lambda index: tuple(texts[i] for i in index))
    values = np.stack([_numbers(table, name, where) for name in inputs], axis=1)

    def take(index: Index) -> Inputs:
        return torch.from_numpy(np.ascontiguousarray(values[index]))

    return Rows(split, ids, labels, take, inputs)


def names(table: pa.Table, name: str, where: str) -> tuple[str, ...]:
    """Values that name something (classes, ids, splits), as text; whole numbers have no decimal point."""
    column = table[name]
    if column.null_count == len(column):
        _refuse(np.ones(len(column)), name, where)
    if not (is_text(column.type) or is_number(column.type)):
        raise DataError(f"{where}: column {name!r} is of type {column.type}; labels and ids are words or integers.")
    values, places = distinct(column)
    for value in values:
        if isinstance(value, float | Decimal) and value == value and not is_whole(value):
            raise DataError(
                f"{where}: column {name!r} holds numbers with a fraction, such as {value:g}; reseed "
                "measures classification, where labels and ids are words or whole numbers."
            )
    texts = [*map(written, values), None]
    is_missing = np.array([text is None or not text.strip() for text in texts])
    _refuse(is_missing[places], name, where)
    return tuple(str(texts[place]) for place in places.tolist())


def _texts(table: pa.Table, name: str, where: str) -> tuple[str, ...]:
    column = table[name]
    if column.null_count == len(column):
        _refuse(np.ones(len(column)), name, where)
    if not is_text(column.type):
        raise DataError(f"{where}: column {name!r} is of type {column.type}, not text; use features for numbers.")
    values, places = distinct(column)
    is_missing = np.array([*(value is None for value in values), True])
    _refuse(is_missing[places], name, where)
    is_empty = np.array([*(value is None or not value.strip() for value in values), True])
    _refuse(is_empty[places], name, where, "empty text")
    return tuple(values[place] for place in places.tolist())


def _numbers(table: pa.Table, name: str, where: str) -> Any:
    column = table[name]
    if is_text(column.type):
        values = column.to_pylist()
        row = next((row for row, value in enumerate(values) if not _parses(value)), 0)
        raise DataError(f"{where}: column {name!r} is not numeric: row {row} (from 0) holds {values[row]!r}.")
    if column.null_count == len(column):
        _refuse(np.ones(len(column)), name, where)
    if not is_number(column.type):
        raise DataError(f"{where}: column {name!r} is of type {column.type}, not numeric.")
    _refuse(column.is_null(), name, where)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    numbers = (column.cast(pa.float64()) if pa.types.is_decimal(column.type) else column).to_numpy().astype(np.float64)
    _refuse(np.isnan(numbers), name, where)
    with np.errstate(over="ignore"):
        single = numbers.astype(np.float32)
    _refuse(~np.isfinite(single), name, where, "infinite or too large value")
    return single


def _check_slip(table: pa.Table, name: str, where: str) -> None:
    """Refuses to drop silently a column of numbers that one slip has turned into text."""
    if not is_text(table[name].type):
        return
    values: Sequence[str | None] = table[name].to_pylist()
    start = values[:_SAMPLED]
    slip = next((row for row, value in enumerate(values) if not _parses(value)), None)
    if slip is not None and 2 * sum(map(_parses, start)) > len(start):
        raise DataError(
            f"{where}: column {name!r} looks numeric, but row {slip} (from 0) holds {values[slip]!r}; "
            "correct it, or list the features to use."
        )


def _refuse(wrong: Any, name: str, where: str, what: str = "missing value") -> None:
    rows = np.flatnonzero(np.asarray(wrong))
    if len(rows):
        told = shown((int(row) for row in rows), most=5)
        raise DataError(f"{where}: {what} in column {name!r}, row {told} (from 0); fill or drop these rows.")


def _parses(value: str | None) -> bool:
    try:
        return value is not None and bool(np.isfinite(float(value)))
    except ValueError:
        return False
