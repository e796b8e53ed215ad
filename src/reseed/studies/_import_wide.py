"""Wide tables of predictions: a row for each sample, a column for each run."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed._arguments import argument, setting
from reseed._errors import DataError
from reseed.data import find_column
from reseed.studies._import_labels import same_spelling
from reseed.studies._import_tables import PredictionTable

_FEW = 5  # rows; in fewer the answers of a run may well all differ
# What columns of these names are, if not runs.
_TELLING = {
    **dict.fromkeys(("seed", "fold", "trial"), "run"),
    **dict.fromkeys(("id", "uid", "index"), "id"),
    **dict.fromkeys(("gold", "gold_label", "true_label", "y_true", "truth"), "target"),
}
_ANSWERS = ("pred", "prediction", "predicted", "y_pred")


def from_wide(table: PredictionTable, *, is_checked: bool) -> dict[str, Any]:
    """Return what `from_predictions` needs of a wide table.

    Args:
        table: The table.
        is_checked: Whether columns that nobody called runs are looked at for what they could be instead.

    Raises:
        DataError: There is no run, or a column is none, or leaves that open.
    """
    runs = _named(table) or _guessed(table)
    columns = {name: table.column(name) for name in runs}
    for name, values in columns.items():
        if _holds_fractions(values):
            raise DataError(
                f"{table.where}: column {name!r} holds fractions, not labels; a wide table has one column of labels "
                "for each run. Give probabilities in a long table or in an .npy file."
            )
    targets = table.values("target")
    if is_checked and not table.names.runs:
        _check_guess(table, columns, targets)
    found: dict[str, Any] = {"predictions": list(columns.values())}
    for given, role in (("sample_ids", "id"), ("targets", "target"), ("texts", "text")):
        described = table.values(role)
        if described is not None:
            found[given] = described
    shown = f"Each of these columns was read as one run: {', '.join(runs)}."
    return found | {"notes": (*table.notes, shown, table.taken(runs, without=("run", "label")))}


def _named(table: PredictionTable) -> list[str]:
    named = []
    for name in table.names.runs:
        column = find_column(table.table.column_names, name)
        if column is None:
            raise table.lacks(name)
        named.append(column)
    return named


def _guessed(table: PredictionTable) -> list[str]:
    described = {table.columns[role] for role in ("id", "target", "text") if role in table.columns}
    runs = [name for name in table.table.column_names if name not in described]
    if not runs:
        raise DataError(f"{table.where} has no column of predictions; it has: {', '.join(table.table.column_names)}.")
    if "label" in table.columns:
        label = table.columns["label"]
        raise DataError(
            f"{table.where} has a column {label!r}, but none called {table.names.run!r}. If it holds one run, give one "
            f"file a run; if {label!r} holds the gold labels, pass {setting('target', label)}."
        )
    return runs


def _holds_fractions(values: NDArray[Any]) -> bool:
    try:
        numbers = values.astype(np.float64)
    except (ValueError, OverflowError):
        return False
    with np.errstate(invalid="ignore"):
        return bool((np.isfinite(numbers) & (numbers != np.round(numbers))).any())


def _check_guess(table: PredictionTable, columns: dict[str, NDArray[Any]], targets: NDArray[Any] | None) -> None:
    """Refuse a table in which some column does not look like the answers of a run."""
    prefix = table.names.probability_prefix
    if len(columns) > 1 and all(name.startswith(prefix) for name in columns):
        raise DataError(
            f"{table.where} has no column called {table.names.run!r}, and its columns {', '.join(columns)} are called "
            f"like probabilities ({prefix}CLASS). If it holds one run, give one file a run; if each of them is a run, "
            f"pass {argument('columns.runs')} {' '.join(columns)}."
        )
    spelled = same_spelling([*columns.values(), *([] if targets is None else [targets])])[0]
    labels = dict(zip(columns, spelled, strict=False))
    gold = set() if targets is None else set(spelled[-1].tolist())
    reasons = {name: _reason(name, labels, gold) for name in columns}
    strange = {name: reason for name, reason in reasons.items() if reason is not None}
    if not strange:
        return
    name, reason = next(iter(strange.items()))
    options = {name: _TELLING.get(name.casefold()) for name in columns}
    options |= {name: "label" for name in columns if name.casefold() in _ANSWERS}
    named = " ".join(setting(option, name) for name, option in options.items() if option)
    runs = [name for name in columns if name not in strange]
    ways = [
        *([f"if the names say what the columns are, pass {named}"] if options[name] else []),
        *(
            [f"if only {', '.join(runs)} are runs, pass {argument('columns.runs')} {' '.join(runs)}"]
            if len(runs) > 1
            else []
        ),
        f"else name what is no run with {argument('run')} (which run a row belongs to), {argument('id')}, "
        f"{argument('label')}, {argument('target')} or {argument('text')}, or list the runs with "
        f"{argument('columns.runs')}",
    ]
    raise DataError(
        f"{table.where}: column {name!r} does not look like the answers of a run: {reason}. {_sentence(ways)}"
    )


def _sentence(parts: list[str]) -> str:
    told = "; ".join(parts)
    return f"{told[0].upper()}{told[1:]}."


def _reason(name: str, labels: dict[str, NDArray[Any]], gold: set[Any]) -> str | None:
    """Say why a column is hardly a run's, or return None."""
    if name.casefold() in _TELLING:
        return "its name says otherwise"
    values = labels[name].tolist()
    others = gold.union(*(set(part.tolist()) for other, part in labels.items() if other != name))
    shared = sum(value in others for value in values)
    if others and 2 * shared < len(values):
        return f"{shared} of its {len(values)} rows hold a label that another column has"
    distinct = len(set(values))
    if len(values) >= _FEW and distinct == len(values) > len(others):
        return f"its {len(values)} rows all differ"
    return None
