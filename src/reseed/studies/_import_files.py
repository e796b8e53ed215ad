"""Reading the predictions of several trainings from files: arrays, or tables long and wide."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed._errors import DataError
from reseed._foreign import check_characters
from reseed.data import TABLE_EXTENSIONS, file_extension, read_table
from reseed.studies._import import from_predictions
from reseed.studies._study import Study
from reseed.training import Level


@dataclass(frozen=True)
class ColumnNames:
    """What the columns of a table of predictions are called."""

    run: str = "run"
    """Column of a long table that says which run a row belongs to."""
    id: str = "sample_id"
    """Column that identifies the sample; optional in a wide table."""
    label: str = "label"
    """Column of a long table that holds the predicted class."""
    target: str = "target"
    """Column that holds the gold label; optional."""
    text: str = "text"
    """Column that holds what the report shows of a sample; optional."""
    probability_prefix: str = "p_"
    """Prefix of the probability columns of a long table; the class name follows it."""


def import_predictions(
    paths: Sequence[Path],
    out: str | Path,
    *,
    columns: ColumnNames | None = None,
    targets: Path | None = None,
    class_names: Sequence[str] | None = None,
    level: Level = "scores",
) -> Study:
    """Make a study of predictions in files.

    Args:
        paths: One ``.npy`` file of shape [run, sample] or [run, sample, class], or several of shape [sample] or
            [sample, class], one a run. Or one CSV, TSV, JSON lines or Parquet table: long (a row for each run and
            sample) or wide (a row for each sample, a column for each run). Or several tables, one a run.
        out: The new study's folder.
        columns: What the columns of tables are called.
        targets: ``.npy`` file of gold labels [sample].
        class_names: Names of the classes; default: the labels that occur, or the probability columns' names.
        level: What is kept of probabilities.

    Raises:
        DataError: A file is unreadable, or lacks a column.
        InputError: The predictions are unusable; see `from_predictions`.
        StudyError: The folder is not empty.
        StorageError: The folder cannot be written.
    """
    if not paths:
        raise DataError("no file of predictions was given.")
    kinds = {file_extension(path) for path in paths}
    given: dict[str, Any] = {"class_names": class_names, "targets": None if targets is None else _array(targets)}
    if kinds == {".npy"}:
        arrays = [_array(path) for path in paths]
        found: dict[str, Any] = {"predictions": arrays[0] if len(arrays) == 1 else arrays}
    elif kinds <= set(TABLE_EXTENSIONS):
        found = _from_tables(paths, columns or ColumnNames())
    else:
        raise DataError(
            f"predictions are read from .npy or from {', '.join(TABLE_EXTENSIONS)} files, all of one kind; "
            f"got {', '.join(path.name for path in paths)}."
        )
    found |= {name: value for name, value in given.items() if value is not None}
    name = paths[0].stem.encode(errors="replace").decode()  # names of files need not be text
    return from_predictions(**found, out=out, dataset=name, level=level)


def _array(path: Path) -> NDArray[Any]:
    """Read one array, never unpickling and never loading more than the file holds."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd headers warn before they fail
            found = np.asarray(np.lib.format.open_memmap(path, mode="r"))
        check_characters(found)
        return found
    except (OSError, ValueError, TypeError, OverflowError, SyntaxError, TokenError) as error:
        is_pickled = "Python objects" in str(error)
        reason = "it holds pickled objects, which are never read" if is_pickled else str(error).rstrip(".")
        raise DataError(f"cannot read {str(path)!r} as a numpy array: {reason}.") from error


def _from_tables(paths: Sequence[Path], names: ColumnNames) -> dict[str, Any]:
    if not names.probability_prefix:
        raise DataError("the prefix of probability columns is empty, so every column would be one; name it.")
    as_text = (names.run, names.id, names.label, names.target, names.text)
    tables = []
    for path in paths:
        if not path.is_file():
            raise DataError(f"no such file: {str(path)!r}.")
        tables.append(read_table(path, as_text))
    for table, path in zip(tables, paths, strict=True):
        for item in fields(ColumnNames):  # what was named on purpose must be there
            if item.name != "probability_prefix" and (name := getattr(names, item.name)) != item.default:
                _column(table, name, path.name)
    if len(tables) > 1:
        return _from_runs([_Run.of(table, names, path.name) for table, path in zip(tables, paths, strict=True)])
    table, where = tables[0], paths[0].name
    if names.run not in table.column_names:
        return _from_wide(table, names, where)
    run = _column(table, names.run, where)
    order = list(dict.fromkeys(run.tolist()))
    return _from_runs([_Run.of(table.filter(run == item), names, f"{where}, run {item}") for item in order])


def _from_wide(table: Any, names: ColumnNames, where: str) -> dict[str, Any]:
    described = {names.id, names.target, names.text}
    runs = [name for name in table.column_names if name not in described]
    if not runs:
        raise DataError(f"{where} has no column of predictions; it has: {', '.join(table.column_names)}.")
    if names.label in runs:
        raise DataError(
            f"{where} has a column {names.label!r}, but none called {names.run!r}. If it holds one run, give one file "
            f"a run; if {names.label!r} holds the gold labels, pass --target {names.label}."
        )
    found: dict[str, Any] = {"predictions": [_column(table, name, where) for name in runs]}
    for name, part in zip(runs, found["predictions"], strict=True):
        if part.dtype.kind == "f" and (part != np.round(part)).any():
            raise DataError(
                f"{where}: column {name!r} holds fractions, not labels; a wide table has one column of labels for "
                "each run. Give probabilities in a long table or in an .npy file."
            )
    for argument, name in (("sample_ids", names.id), ("targets", names.target), ("texts", names.text)):
        if name in table.column_names:
            found[argument] = _column(table, name, where, may_be_empty=name == names.text)
    return found | {"notes": (f"Each of these columns was read as one run: {', '.join(runs)}.",)}


@dataclass(frozen=True, eq=False)
class _Run:
    """The rows of one run in a long table."""

    where: str
    ids: NDArray[Any]
    predictions: NDArray[Any]
    classes: tuple[str, ...] | None
    targets: NDArray[Any] | None
    texts: NDArray[Any] | None

    @classmethod
    def of(cls, table: Any, names: ColumnNames, where: str) -> _Run:
        prefix = names.probability_prefix
        probability = sorted(name for name in table.column_names if name.startswith(prefix))
        if probability:
            predictions = np.stack([_numbers(table, name, where) for name in probability], axis=1)
        else:
            predictions = _column(table, names.label, where)
        optional = [
            _column(table, name, where, may_be_empty=name == names.text) if name in table.column_names else None
            for name in (names.target, names.text)
        ]
        classes = tuple(name.removeprefix(prefix) for name in probability) if probability else None
        return cls(where, _column(table, names.id, where), predictions, classes, *optional)


def _from_runs(runs: list[_Run]) -> dict[str, Any]:
    """Align the rows of all runs by sample id, and their probability columns by class name."""
    first = runs[0]
    aligned = []
    known: dict[str, tuple[str, NDArray[Any]]] = {}
    for run in runs:
        if run.classes != first.classes:
            raise DataError(
                f"{run.where} has the probability columns {run.classes}, {first.where} has {first.classes}; "
                "every run needs the same classes."
            )
        position = {item: row for row, item in enumerate(run.ids.tolist())}
        if len(position) != len(run.ids):
            raise DataError(f"{run.where}: a sample id stands more than once; a run predicts each sample once.")
        lacking = [item for item in first.ids.tolist() if item not in position]
        extra = len(position) - (len(first.ids) - len(lacking))
        if lacking or extra:
            shown = f"lacks {len(lacking)} samples of {first.where} ({lacking[0]!r} first)" if lacking else ""
            more = f"has {extra} samples that {first.where} has not" if extra else ""
            raise DataError(
                f"{run.where} {' and '.join(part for part in (shown, more) if part)}; ids must be equal in all runs."
            )
        rows = [position[item] for item in first.ids.tolist()]
        aligned.append(run.predictions[rows])
        if run.texts is not None:
            known.setdefault("texts", (run.where, run.texts[rows]))
        if run.targets is not None:
            where, targets = known.setdefault("targets", (run.where, run.targets[rows]))
            if (differs := run.targets[rows] != targets).any():
                raise DataError(
                    f"the target of sample {first.ids[differs][0]!r} in {run.where} is not that in {where}; "
                    "a sample has one gold label."
                )
    found: dict[str, Any] = {"predictions": aligned, "sample_ids": first.ids}
    if first.classes is not None:
        found["class_names"] = first.classes
    return found | {name: values for name, (_, values) in known.items()}


def _column(table: Any, name: str, where: str, *, may_be_empty: bool = False) -> NDArray[Any]:
    """Return a column as numbers or as text; text as objects, which keep every character and take no more room."""
    import pyarrow as pa

    if name not in table.column_names:
        raise DataError(f"{where} has no column {name!r}; it has: {', '.join(table.column_names)}.")
    column = table.column(name)
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        raise DataError(f"{where}: column {name!r} is of type {column.type}; it must hold text or numbers.")
    values = column.to_numpy()
    is_missing = np.asarray(column.is_null())
    if values.dtype.kind == "f":
        is_missing = is_missing | np.isnan(values)
    elif values.dtype.kind not in "biu":
        values = np.array([str(item) for item in values.tolist()], dtype=object)
        is_missing = is_missing | (not may_be_empty and values == "")
    if is_missing.any():
        row = int(np.flatnonzero(is_missing)[0])
        raise DataError(f"{where}: column {name!r} has no value in row {row} (counting from 0).")
    return np.asarray(values)


def _numbers(table: Any, name: str, where: str) -> NDArray[np.float64]:
    """Return a column of probabilities."""
    values = _column(table, name, where)
    try:
        return values.astype(np.float64)
    except ValueError as error:
        raise DataError(f"{where}: column {name!r} must hold probabilities: {error}.") from error
