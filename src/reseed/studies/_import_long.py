"""Long tables of predictions: a row for each run and sample, in one file or in one for each run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed._arguments import argument, setting
from reseed._errors import DataError, InputError
from reseed._simplex import check_simplex
from reseed.studies._import_labels import same_spelling
from reseed.studies._import_tables import USUAL, PredictionTable


@dataclass(frozen=True, eq=False)
class _Run:
    """The rows of one run.

    Attributes:
        where: What messages call it.
        ids: Sample ids, [sample].
        labels: Answers [sample]; None where only probabilities are there.
        probabilities: What stands beside them, [sample, class]; None where there is no such.
        classes: Classes of their columns.
        targets: Gold labels, [sample], or None.
        texts: What the samples say, [sample], or None.
        columns: Names of those columns.
        notes: Which columns were left alone, in words.
    """

    where: str
    ids: NDArray[Any]
    labels: NDArray[Any] | None
    probabilities: NDArray[np.float64] | None
    classes: tuple[str, ...]
    targets: NDArray[Any] | None
    texts: NDArray[Any] | None
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: PredictionTable) -> _Run:
        labels = table.values("label")
        probabilities, classes, notes = _probabilities(table, labels)
        if labels is None and probabilities is None:
            raise table.lacks(table.names.label)
        return cls(
            table.where,
            table.needed("id"),
            labels,
            probabilities,
            classes,
            table.values("target"),
            table.values("text"),
            () if probabilities is None else tuple(table.probability_columns),
            notes,
        )


def _probabilities(
    table: PredictionTable, labels: NDArray[Any] | None
) -> tuple[NDArray[np.float64] | None, tuple[str, ...], tuple[str, ...]]:
    """Return probabilities, the classes of their columns, and a note where columns beside labels are none."""
    columns, prefix = table.probability_columns, table.names.probability_prefix
    if not columns:
        return None, (), ()
    classes = tuple(name.removeprefix(prefix) for name in columns)
    try:
        values = np.stack([table.numbers(name) for name in columns], axis=1)
        if labels is not None:
            _check_beside(values, classes, labels)
    except InputError as error:
        if labels is None or prefix != USUAL.probability_prefix:
            raise
        reason = str(error).rstrip(".")
        told = f"{table.where}: {', '.join(columns)} left alone, since these are no probabilities: {reason}."
        return None, (), (told,)
    return values, classes, ()


def _check_beside(values: NDArray[np.float64], classes: tuple[str, ...], labels: NDArray[Any]) -> None:
    if len(classes) < 2:
        raise DataError("there is one column, and a class needs another")
    unnamed = sorted({str(label).strip() for label in labels.tolist()} - set(classes))
    if unnamed:
        raise DataError(f"none is for the label {unnamed[0]!r}")
    check_simplex(values, "a row")


def from_long(tables: Sequence[PredictionTable], class_names: Sequence[str] | None) -> dict[str, Any]:
    """Return what `from_predictions` needs of long tables: runs aligned by sample id, and columns by class name.

    Args:
        tables: One that holds all runs, or one a run; of a single run too.
        class_names: Names of the classes; where they are given, labels are not looked at for what they could be
            instead.

    Raises:
        DataError: Runs differ in their samples, classes or gold labels, or it is left open what a column is.
    """
    runs = _alike([_Run.of(part) for part in (tables[0].parts() if _holds_all(tables) else tables)])
    first = runs[0]
    ids, spelled = _spelled_ids(runs)
    places = [_places(run.where, mine, first.where, ids[0]) for run, mine in zip(runs, ids, strict=True)]
    aligned = list(zip(runs, places, strict=True))
    found: dict[str, Any] = {"sample_ids": ids[0]}
    texts = [run.texts[rows] for run, rows in aligned if run.texts is not None]
    if texts:
        found["texts"] = texts[0]
    targets = [(run.where, run.targets[rows]) for run, rows in aligned if run.targets is not None]
    if targets:
        found["targets"] = _agreed(targets, ids[0])
    labels = [run.labels[rows] for run, rows in aligned if run.labels is not None]
    beside = [run.probabilities[rows] for run, rows in aligned if run.probabilities is not None]
    if beside:
        order, found["class_names"] = _ordered(first.classes, class_names)
        beside = [part[:, order] for part in beside]
    if labels and class_names is None:
        if beside:
            _check_answers(tables[0], labels, beside, found["class_names"], has_targets=bool(targets))
        else:
            _check_shared(runs, labels, found.get("targets"))
    found["predictions"] = labels or beside
    found |= {"probabilities": beside} if labels and beside else {}
    used = first.columns if beside else ()
    read = [note for table in tables for note in (*table.notes, table.taken(used, without=_unused(tables)))]
    return found | {"notes": (*dict.fromkeys([*read, *first.notes]), *spelled)}


def _unused(tables: Sequence[PredictionTable]) -> tuple[str, ...]:
    """Return the roles that files of one run each do not have."""
    return () if _holds_all(tables) else ("run",)


def _holds_all(tables: Sequence[PredictionTable]) -> bool:
    """Whether one table holds all runs."""
    return len(tables) == 1 and "run" in tables[0].columns


def _ordered(classes: tuple[str, ...], names: Sequence[str] | None) -> tuple[list[int], tuple[str, ...]]:
    """Return the places of the probability columns in the order of the classes, and the classes' names.

    Raises:
        DataError: Columns are called neither by the names nor by their positions.
    """
    if names is None:
        order = sorted(range(len(classes)), key=lambda place: _in_order(classes[place]))
        return order, tuple(classes[place] for place in order)
    for called in (list(names), [str(position) for position in range(len(names))]):
        if sorted(called) == sorted(classes):
            return [classes.index(name) for name in called], tuple(names)
    raise DataError(
        f"the probability columns are for {', '.join(classes)}, the classes are {', '.join(names)}; call each column "
        "by its class, or by its position from 0."
    )


def _in_order(name: str) -> tuple[bool, int, str]:
    """Return what to sort names by: numbers in their order, before texts."""
    is_number = name.removeprefix("-").isdecimal()
    return not is_number, int(name) if is_number else 0, name


def _alike(runs: list[_Run]) -> list[_Run]:
    """Return runs that have the same columns; probabilities that are none in one run are left alone in all.

    Raises:
        DataError: The columns differ.
    """
    left = next((run for run in runs if run.notes), None)
    if left is not None:
        runs = [replace(run, probabilities=None, classes=(), columns=(), notes=left.notes) for run in runs]
    first = runs[0]
    for run in runs:
        if (run.labels is None) != (first.labels is None):
            raise DataError(f"{run.where} and {first.where} do not both have labels; every run needs the same columns.")
        if run.classes != first.classes:
            raise DataError(
                f"{run.where} has the probability columns {run.classes}, {first.where} has {first.classes}; "
                "every run needs the same classes."
            )
    return runs


def _spelled_ids(runs: Sequence[_Run]) -> tuple[list[NDArray[Any]], list[str]]:
    """Return sample ids as they are, unless files write the same whole numbers with and without a point."""
    ids = [run.ids for run in runs]
    sets = [set(part.tolist()) for part in ids]
    if all(found == sets[0] for found in sets):
        return ids, []
    spelled, notes = same_spelling(ids)
    if not all(set(part.tolist()) == set(spelled[0].tolist()) for part in spelled):
        return ids, []
    return spelled, [note.replace("labels", "sample ids").replace("Labels", "Sample ids") for note in notes]


def _places(where: str, ids: NDArray[Any], first_where: str, first: NDArray[Any]) -> list[int]:
    """Return the row of each sample of the first run.

    Raises:
        DataError: The samples are others.
    """
    position = {item: row for row, item in enumerate(ids.tolist())}
    if len(position) != len(ids):
        raise DataError(f"{where}: a sample id stands more than once; a run predicts each sample once.")
    lacking = [item for item in first.tolist() if item not in position]
    extra = len(position) - (len(first) - len(lacking))
    if lacking or extra:
        shown = f"lacks {len(lacking)} samples of {first_where} ({lacking[0]!r} first)" if lacking else ""
        more = f"has {extra} samples that {first_where} has not" if extra else ""
        raise DataError(
            f"{where} {' and '.join(part for part in (shown, more) if part)}; ids must be equal in all runs."
        )
    return [position[item] for item in first.tolist()]


def _agreed(targets: Sequence[tuple[str, NDArray[Any]]], ids: NDArray[Any]) -> NDArray[Any]:
    """Return the gold labels that all runs name.

    Raises:
        DataError: They differ.
    """
    spelled = same_spelling([values for _, values in targets])[0]
    for (where, _), values in zip(targets, spelled, strict=True):
        differs = values != spelled[0]
        if differs.any():
            raise DataError(
                f"the target of sample {ids[differs][0]!r} in {where} is not that in {targets[0][0]}; "
                "a sample has one gold label."
            )
    return spelled[0]


def _check_shared(runs: Sequence[_Run], labels: Sequence[NDArray[Any]], targets: NDArray[Any] | None) -> None:
    """Refuse a run whose labels are no other's: it was probably written in another way.

    Raises:
        DataError: Naming some of its labels and some of the others'.
    """
    spelled = [set(part.tolist()) for part in same_spelling([*labels, *([] if targets is None else [targets])])[0]]
    counts = Counter(label for part in spelled for label in part)
    for run, mine in zip(runs, spelled, strict=False):
        if len(spelled) > 1 and all(counts[label] == 1 for label in mine):
            others = sorted(set(counts) - mine)
            raise DataError(
                f"{run.where} shares no label with the other runs and the gold labels: it has {_listed(sorted(mine))}, "
                f"they have {_listed(others)}. Write the classes alike in all runs; if they are right, pass "
                f"{argument('class_names')} with the name of every class."
            )


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(map(repr, labels[:3])) + (", ..." if len(labels) > 3 else "")


def _check_answers(
    table: PredictionTable,
    labels: Sequence[NDArray[Any]],
    probabilities: Sequence[NDArray[np.float64]],
    classes: Sequence[str],
    *,
    has_targets: bool,
) -> None:
    """Refuse labels that are rather the gold ones: the same in all runs, where the probabilities say otherwise."""
    if has_targets or table.is_named("label"):
        return
    names = np.array(classes, dtype=object)
    is_equal = all((part == labels[0]).all() for part in labels)
    if is_equal and any((names[part.argmax(1)] != labels[0]).any() for part in probabilities):
        label = table.columns["label"]
        raise DataError(
            f"{table.where}: column {label!r} is the same in all runs, although the most probable class is not. If it "
            f"holds the gold labels, pass {setting('target', label)}; if the answers, pass {argument('class_names')} "
            "with the name of every class."
        )
