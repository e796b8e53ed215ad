"""Reading the predictions of several trainings from files: arrays, or tables long and wide."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed._errors import DataError
from reseed._foreign import check_characters
from reseed.data import TABLE_EXTENSIONS, check_file, file_extension
from reseed.studies._import import from_predictions
from reseed.studies._import_inspect import EXTENSIONS as INSPECT_EXTENSIONS
from reseed.studies._import_inspect import read_inspect
from reseed.studies._import_labels import as_numbers, same_spelling
from reseed.studies._import_lm_eval import is_lm_eval, read_lm_eval
from reseed.studies._import_logs import USUAL_LOG, LogOptions, from_logs
from reseed.studies._import_long import from_long
from reseed.studies._import_tables import USUAL, ColumnNames, PredictionTable, check_names
from reseed.studies._import_wide import from_wide
from reseed.studies._study import Study
from reseed.studies._targets import AUTO
from reseed.training import Level

# What numpy raises over headers that somebody wrote to that end.
_UNREADABLE = (OSError, ValueError, TypeError, OverflowError, SyntaxError, TokenError, RecursionError, MemoryError)


def import_predictions(
    paths: Sequence[Path],
    out: str | Path,
    *,
    columns: ColumnNames | None = None,
    targets: Path | None = None,
    class_names: Sequence[str] | None = None,
    unknown_target: Any = AUTO,
    level: Level = "scores",
    log: LogOptions | None = None,
) -> Study:
    """Make a study of predictions in files.

    What each column was taken for stands in the study's notes. Labels are text as it is written; where all of them are
    whole numbers, they may be positions in ``class_names``. Finished runs are kept: called again with the same files
    and the same folder, it continues.

    Args:
        paths: One ``.npy`` file of shape [run, sample] or [run, sample, class], or several of shape [sample] or
            [sample, class], one a run. Or one CSV, TSV, JSON lines or Parquet table: long (a row for each run and
            sample) or wide (a row for each sample, a column for each run). Or several tables, one a run. Or
            evaluations of language models, whose repeats or epochs are runs: ``samples_*.jsonl`` of
            lm-evaluation-harness, or logs of Inspect (``.json``; ``.eval`` with the extra `inspect`).
        out: The new study's folder, or a URL.
        columns: What the columns of tables are called.
        targets: ``.npy`` file of gold labels [sample].
        class_names: Names of the classes; default: the labels that occur, or the probability columns' names.
        unknown_target: The target of samples whose gold label is not known; see `from_predictions`.
        level: What is kept of probabilities.
        log: What is taken of evaluations of language models.

    Raises:
        DataError: A file is unreadable, lacks a column, or leaves open what a column is.
        MissingExtraError: A file ``.eval`` needs the extra `inspect`.
        InputError: The predictions are unusable; see `from_predictions`.
        StudyError: The folder holds another study, or something else.
        StorageError: The folder cannot be written.
    """
    found = read_predictions(paths, columns=columns, class_names=class_names, log=log)
    for name in ("documents", "taken"):
        found.pop(name, None)
    if targets is not None:
        found["targets"] = read_predicted_array(targets)
    name = paths[0].stem.encode(errors="replace").decode()  # names of files need not be text
    return from_predictions(**found, out=out, unknown_target=unknown_target, dataset=name, level=level)


def read_predictions(
    paths: Sequence[Path],
    *,
    columns: ColumnNames | None = None,
    class_names: Sequence[str] | None = None,
    is_one_run: bool = False,
    log: LogOptions | None = None,
) -> dict[str, Any]:
    """Return what `from_predictions` needs of files.

    Of evaluations of language models there is also ``documents``, what tells whether two of them asked the same,
    [sample], and ``taken``, what of them are labels, ``given`` or ``correct``.

    Args:
        paths: See `import_predictions`.
        columns: What the columns of tables are called.
        class_names: Names of the classes.
        is_one_run: Whether a single file that says nothing of runs may hold one: a table of labels or probabilities, an
            array [sample], or probabilities [sample, class].
        log: What is taken of evaluations of language models.

    Raises:
        DataError: A file is unreadable, lacks a column, or leaves open what a column is.
        MissingExtraError: A file ``.eval`` needs the extra `inspect`.
    """
    if not paths:
        raise DataError("no file of predictions was given.")
    kinds = {file_extension(path) for path in paths}
    if kinds == {".npy"}:
        arrays = [read_predicted_array(path) for path in paths]
        if len(arrays) == 1:
            found: dict[str, Any] = {"predictions": _with_runs(arrays[0]) if is_one_run else arrays[0]}
        else:
            found = {"predictions": arrays}
    elif kinds <= set(INSPECT_EXTENSIONS):
        return from_logs([read_inspect(path, log or USUAL_LOG) for path in paths], log or USUAL_LOG)
    elif all(map(is_lm_eval, paths)):
        return from_logs([read_lm_eval(path, log or USUAL_LOG) for path in paths], log or USUAL_LOG)
    elif kinds <= set(TABLE_EXTENSIONS):
        found = _from_tables(paths, columns or USUAL, class_names, is_one_run=is_one_run)
    else:
        raise DataError(
            f"predictions are read from .npy or from {', '.join(TABLE_EXTENSIONS)} files, or from logs of Inspect "
            f"({', '.join(INSPECT_EXTENSIONS)}), all of one kind; "
            f"got {', '.join(path.name for path in paths)}."
        )
    if class_names is not None:
        found["class_names"] = class_names
    return found


def _with_runs(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array with its axis of runs, where it holds a single one without."""
    is_rows = array.ndim == 2 and array.dtype.kind == "f" and not np.array_equal(array, np.round(array))
    return array[None] if array.ndim == 1 or is_rows else array


def read_predicted_array(path: Path) -> NDArray[Any]:
    """Read one array, never unpickling and never loading more than the file holds."""
    check_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd headers warn before they fail
            found = np.asarray(np.lib.format.open_memmap(path, mode="r"))
        check_characters(found)
        return found
    except _UNREADABLE as error:
        is_pickled = "Python objects" in str(error)
        reason = "it holds pickled objects, which are never read" if is_pickled else str(error).rstrip(".")
        raise DataError(f"cannot read {str(path)!r} as a numpy array: {reason}.") from error


def _from_tables(
    paths: Sequence[Path], names: ColumnNames, class_names: Sequence[str] | None, *, is_one_run: bool
) -> dict[str, Any]:
    """Return what `from_predictions` needs of tables."""
    check_names(names)
    tables = [PredictionTable.read(path, names) for path in paths]
    is_alone = is_one_run and not names.runs and ("label" in tables[0].columns or tables[0].probability_columns)
    if len(tables) == 1 and not is_alone and ("run" not in tables[0].columns or names.runs):
        found = from_wide(tables[0], is_checked=class_names is None)
    else:
        found = from_long(tables, class_names)
    labels = [] if "class_names" in found and "probabilities" not in found else found["predictions"]
    gold = [found["targets"]] if "targets" in found else []
    spelled, notes = same_spelling([*labels, *gold])
    spelled = as_numbers(spelled)
    if labels:
        found["predictions"] = spelled[: len(labels)]
    if gold:
        found["targets"] = spelled[-1]
    return found | {"notes": (*found["notes"], *notes)}
