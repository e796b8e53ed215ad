"""A gate: one model beside the one that it shall replace, read, aligned, and judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reseed._arguments import argument, setting
from reseed._errors import InputError
from reseed.instability import Gate, Limits, Replacement, mode_label, replacement, verdict
from reseed.studies import Answers, ColumnNames, LogOptions, Study, equal_rows, read_answers, same_contents
from reseed.workflows._formulas import without_formulas

if TYPE_CHECKING:
    import pyarrow as pa

Side = str | Path | Study | Sequence[str | Path]
_LEAST_OVERLAP = 0.5
"""Share of the smaller side's samples that the other must have; else ids are hardly those of the same samples."""


def gate(
    old: Side,
    new: Side,
    *,
    max_churn: float | None = None,
    max_negative_flips: float | None = None,
    beyond_reseeding: bool = False,
    old_runs: Sequence[int] | None = None,
    new_runs: Sequence[int] | None = None,
    columns: ColumnNames | None = None,
    targets: str | Path | None = None,
    class_names: Sequence[str] | None = None,
    unknown_target: Any = "auto",
    log: LogOptions | None = None,
    allow_identical: bool = False,
) -> Gate:
    """Judge whether a model may take another's place: what changes, and is it the change or the seed?

    Samples are aligned by their ids. What the outcomes are and what lets a change pass, see
    `reseed.instability.verdict`; what is measured, see `reseed.instability.replacement`.

    Args:
        old: The model in use: a study, its folder or URL; a file of predictions (CSV, TSV, JSON lines, Parquet, npy)
            or an evaluation of a language model, see `import_predictions`; or several files, or a folder of them, one a
            run.
        new: Its replacement, likewise.
        max_churn: Share of answers that may differ.
        max_negative_flips: Share of samples that may have been right and be wrong.
        beyond_reseeding: Whether both limits are on what is beyond reseeding; one side then needs three runs.
        old_runs: Of a study, the runs that are meant; default: all complete ones.
        new_runs: The same of ``new``.
        columns: What the columns of tables are called.
        targets: ``.npy`` file of gold labels [sample], for both sides where they are files.
        class_names: Names of the classes, for files.
        unknown_target: The target of samples whose gold label is not known, for files.
        log: What is taken of evaluations of language models.
        allow_identical: Whether both sides may hold equal probabilities, as after a change that should change nothing.

    Raises:
        InputError: A limit is no share, negative flips are limited and no gold label is known, the sides do not
            have enough samples in common, or they are one and the same model.
        DataError: A file is unreadable, or leaves open what it holds.
        StudyError: There is no usable study.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     labels = np.arange(200) % 2
        ...     np.save(folder + "/old.npy", labels)
        ...     np.save(folder + "/new.npy", np.where(np.arange(200) < 10, 1 - labels, labels))
        ...     found = gate(folder + "/old.npy", folder + "/new.npy", max_churn=0.02)
        >>> found.passed, found.found.churn.value, found.verdict.failures[0].says
        (False, 0.05, 'churn: 5.00 % [2.42, 9.00] is above the limit of 2.00 %.')
    """
    limits = Limits(max_churn, max_negative_flips, beyond_reseeding)
    described: dict[str, Any] = {
        "columns": columns,
        "targets": None if targets is None else Path(targets),
        "class_names": class_names,
        "unknown_target": unknown_target,
        "log": log,
    }
    places = ((old, "old_runs", old_runs), (new, "new_runs", new_runs))
    sides = [read_answers(side, runs=runs, called=called, **described) for side, called, runs in places]
    if {side.taken for side in sides} == {"given", "correct"}:  # one of them speaks of right and wrong alone
        described["log"] = replace(log or LogOptions(), answers="correct")
        sides = [read_answers(side, runs=runs, called=called, **described) for side, called, runs in places]
    _check_two_models(*sides, allow_identical=allow_identical)
    before, after, aligned = _aligned(*sides)
    gold, told = _gold(before, after)
    if max_negative_flips is not None and (gold < 0).all():
        column = (columns or ColumnNames()).target
        raise InputError(
            f"{argument('max_negative_flips')} is {max_negative_flips!r}, but no gold label is known, so no flip is "
            f"known to be negative; give files a column {column!r}, name another with that column's option, or pass "
            f"{argument('targets')}."
        )
    equal = () if allow_identical else _equal_across(before, after)
    if equal:
        raise InputError(
            f"run {equal[0]} of OLD and run {equal[1]} of NEW give the same answers with the same probabilities, to "
            "the last bit: they are one model. If the change should change nothing, say so: "
            f"{setting('allow_identical', True)}."
        )
    found = replacement(before.labels, after.labels, gold, known=gold >= 0)
    notes = [
        *(f"OLD: {note}" for note in before.notes),
        *(f"NEW: {note}" for note in after.notes),
        *aligned,
        *told,
        *_told_of_equal_files(before, after, found),
    ]
    judged = verdict(found, limits, [*_equal_seeds("OLD", before, found), *_equal_seeds("NEW", after, found)])
    return Gate(before.name, after.name, found, limits, judged, _changed(before, after, gold), tuple(notes))


def changed_csv(found: Gate) -> Callable[[Path], None]:
    """Return what fills a CSV file with who changed; texts that a spreadsheet would run get an apostrophe."""
    from pyarrow import csv

    return lambda partial: csv.write_csv(without_formulas(found.changed), partial)


def _check_two_models(old: Answers, new: Answers, *, allow_identical: bool) -> None:
    """Accept two sides that can be two models.

    Raises:
        InputError: They are the same runs, or the same files.
    """
    shared = [place for place in old.origin if place in new.origin]
    if shared:
        raise InputError(
            f"OLD and NEW are the same: both hold {shared[0]!r}. A model is not compared with itself; name another "
            "file, study or runs."
        )
    if old.documents is not None and not allow_identical and same_contents(old, new):
        raise InputError(
            f"the files of OLD and NEW hold the same bytes, {old.name!r} and {new.name!r}: they are one evaluation. If "
            f"the change should change nothing, say so: {setting('allow_identical', True)}."
        )
    same_seeds = [run for run, seeds in zip(old.runs, old.seeds, strict=False) if seeds in new.seeds]
    if same_seeds and not allow_identical:
        raise InputError(
            f"OLD and NEW are studies of one recipe and hold runs of the same seeds (run {same_seeds[0]} of OLD): a "
            f"model is not compared with itself. Train one of them with another {argument('seed')}."
        )


def _equal_across(old: Answers, new: Answers) -> tuple[str, str] | tuple[()]:
    """Return a run of each side that are equal to the last bit, if there are such."""
    if old.confidence is None or new.confidence is None:
        return ()
    for run, answers, scores in zip(old.runs, old.labels, old.confidence, strict=True):
        for other, labels, confidence in zip(new.runs, new.labels, new.confidence, strict=True):
            if np.array_equal(scores, confidence) and np.array_equal(answers, labels):
                return run, other
    return ()


def _equal_seeds(name: str, side: Answers, found: Replacement) -> Iterator[str]:
    """Yield why the runs of a side say too little of reseeding: some are equal, whatever their seeds."""
    equal = equal_rows(side.labels, side.confidence)
    differing = 0.0 if found.beyond is None else found.beyond.reseeding.value * found.samples
    if len(side.runs) > 1 and equal.are_telling(differing):
        same = " and ".join(side.runs[place] for place in equal.groups[0])
        yield (
            f"the {equal.runs} runs of {name} have {equal.distinct} distinct results only ({same} are equal), so their "
            "seeds say too little of what reseeding changes."
        )


def _told_of_equal_files(old: Answers, new: Answers, found: Replacement) -> Iterator[str]:
    if not found.churn.value and not old.seeds and not new.seeds and same_contents(old, new):
        yield (
            "The files of OLD and NEW hold the same bytes. Labels alone do not tell a copy from a model that answers "
            "alike."
        )


def _aligned(old: Answers, new: Answers) -> tuple[Answers, Answers, list[str]]:
    """Return both sides on the samples that they share, in OLD's order and with the same classes.

    Raises:
        InputError: They share too few samples, or no label.
    """
    position = {item: row for row, item in enumerate(new.ids)}
    rows = [row for row, item in enumerate(old.ids) if item in position]
    smaller = min(len(old.ids), len(new.ids))
    if len(rows) < _LEAST_OVERLAP * smaller or not rows:
        raise InputError(
            f"OLD and NEW share {len(rows)} sample ids; OLD has {len(old.ids)} (such as {old.ids[0]!r}), NEW "
            f"{len(new.ids)} (such as {new.ids[0]!r}). At least half of the smaller side's must be the other's too; "
            "name the column that identifies samples alike in both."
        )
    notes = [
        f"{len(side.ids) - len(rows)} of {len(side.ids)} samples are in {name} only and left out."
        for name, side in (("OLD", old), ("NEW", new))
        if len(side.ids) > len(rows)
    ]
    names = tuple(dict.fromkeys((*old.class_names, *new.class_names)))
    if not set(old.class_names) & set(new.class_names):
        raise InputError(
            f"OLD and NEW share no label: OLD has {_some(old.class_names)}, NEW {_some(new.class_names)}. Write the "
            f"classes alike in both, or pass the names of positions ({argument('class_names')})."
        )
    before, after = old.at(rows).called(names), new.at([position[old.ids[row]] for row in rows]).called(names)
    if before.documents and after.documents and (other := sum(map(str.__ne__, before.documents, after.documents))):
        raise InputError(
            f"{other} of {len(rows)} samples with the same id ask something else in NEW than in OLD, such as "
            f"{_first_other(before, after)!r}; evaluate both on the same version of the task."
        )
    if before.texts and after.texts and (other := sum(map(str.__ne__, before.texts, after.texts))):
        notes.append(
            f"{other} of {len(rows)} samples have another text in NEW than in OLD; are ids those of one data set?"
        )
    return before, after, notes


def _first_other(old: Answers, new: Answers) -> str:
    """Return the id of the first sample that the sides were not asked alike."""
    pairs = zip(old.ids, old.documents or (), new.documents or (), strict=True)
    return next(item for item, one, other in pairs if one != other)


def _gold(old: Answers, new: Answers) -> tuple[NDArray[np.int64], list[str]]:
    """Return the gold labels that either side knows, [sample], and what is missing.

    Raises:
        InputError: The sides contradict each other.
    """
    both = (old.targets >= 0) & (new.targets >= 0)
    differs = both & (old.targets != new.targets)
    if differs.any():
        row = int(np.flatnonzero(differs)[0])
        raise InputError(
            f"the gold label of sample {old.ids[row]!r} is {old.class_names[old.targets[row]]!r} in OLD and "
            f"{new.class_names[new.targets[row]]!r} in NEW ({int(differs.sum())} samples differ so); a sample has one."
        )
    gold = np.where(old.targets >= 0, old.targets, new.targets)
    unknown = int((gold < 0).sum())
    if unknown == len(gold):
        return gold, ["No gold label is known, so nothing is said of negative flips, wins and accuracy."]
    if unknown:
        return gold, [f"{unknown} of {len(gold)} samples have no gold label; they count for churn alone."]
    return gold, []


def _changed(old: Answers, new: Answers, gold: NDArray[np.int64]) -> pa.Table:
    import pyarrow as pa

    was, now = np.asarray(mode_label(old.labels)), np.asarray(mode_label(new.labels))
    differs = np.mean([(new.labels != row).mean(0) for row in old.labels], axis=0)
    rows = np.flatnonzero(was != now)
    rows = rows[np.argsort(-differs[rows], kind="stable")]
    names = np.array([*old.class_names, ""], object)  # -1 is the last
    kinds = np.where(was == gold, "negative flip", np.where(now == gold, "win", "other"))
    kinds = np.where(gold < 0, "unknown", kinds)
    texts = old.texts or new.texts
    columns: dict[str, Any] = {"sample_id": [old.ids[row] for row in rows]}
    columns |= {"text": [texts[row] for row in rows]} if texts else {}
    columns |= {"gold": [names[gold[row]] or None for row in rows]} if (gold >= 0).any() else {}
    columns |= {"old": names[was[rows]].tolist(), "new": names[now[rows]].tolist()}
    columns |= {"differs": differs[rows], "change": kinds[rows].tolist()}
    return pa.table(
        {name: pa.array(values, None if name == "differs" else pa.string()) for name, values in columns.items()}
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:3])) + (", ..." if len(names) > 3 else "")
