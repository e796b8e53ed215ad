"""Evaluations of language models: what was answered to each item, and what of that is taken for a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from reseed._errors import DataError

RIGHT, WRONG = "right", "wrong"
Taken = Literal["auto", "given", "correct"]
_TEXT = 600  # characters of a prompt that are kept, its last: examples stand before the question


@dataclass(frozen=True)
class LogOptions:
    """What is taken of a log of an evaluation.

    Attributes:
        metric: Metric (lm-evaluation-harness) or scorer (Inspect) that says what is right; default: the first whose
            values all are right or wrong.
        filter: Of lm-evaluation-harness, the filter whose answers are meant; needed where a file holds several.
        answers: What labels are: the ``given`` answers; whether these are ``correct``; or ``auto``: the given ones
            where these are the target exactly where the metric says right, else whether they are.
    """

    metric: str | None = None
    filter: str | None = None
    answers: Taken = "auto"


USUAL_LOG = LogOptions()


@final
@dataclass(frozen=True)
class Item:
    """What one run answers to one sample.

    Attributes:
        sample: The sample's id.
        run: Which repeat or epoch of the file it is of.
        answer: What was answered; None where that is no label.
        is_right: Whether the metric calls it right; None where it does not say.
        target: The gold answer; None where there is none, or several are right.
        text: What was asked.
        document: What tells whether two files asked the same.
    """

    sample: str
    run: str
    answer: str | None
    is_right: bool | None
    target: str | None
    text: str
    document: str


@final
@dataclass(frozen=True)
class Log:
    """A log of an evaluation.

    Attributes:
        where: What messages call it.
        items: What was answered.
        metric: What says what is right; None where nothing does.
        notes: How it was read, in words.
    """

    where: str
    items: tuple[Item, ...]
    metric: str | None
    notes: tuple[str, ...]


def from_logs(logs: Sequence[Log], options: LogOptions) -> dict[str, Any]:
    """Return what `read_predictions` does, of logs, whose repeats or epochs are runs.

    Raises:
        DataError: There is nothing that all runs answer, they were asked something else, or nothing is a label.
    """
    runs = [run for log in logs for run in _runs(log)]
    shared = [sample for sample in runs[0] if all(sample in run for run in runs)]
    if not shared:
        raise DataError(f"{', '.join(log.where for log in logs)}: no sample was answered in every run.")
    everybody = len(set().union(*runs))
    notes = [note for log in logs for note in log.notes]
    if everybody > len(shared):
        notes.append(f"{everybody - len(shared)} of {everybody} samples are not in every run and left out.")
    rows = [[run[sample] for sample in shared] for run in runs]
    first = rows[0]
    for row in rows[1:]:
        for one, other in zip(first, row, strict=True):
            if (one.document, one.target) != (other.document, other.target):
                raise DataError(
                    f"sample {one.sample!r} is not the same in all runs: what was asked, or its target, differs; "
                    "evaluate the same version of a task."
                )
    taken, why = _taken(rows, options.answers, logs[0].metric, logs[0].where)
    found: dict[str, Any] = {"sample_ids": shared, "texts": [item.text[-_TEXT:] for item in first]}
    if taken == "given":
        found["predictions"] = [_texts([item.answer for item in row]) for row in rows]
        if all(item.target is not None for item in first):
            found["targets"] = _texts([item.target for item in first])
    else:
        found["predictions"] = [_texts([RIGHT if item.is_right else WRONG for item in row]) for row in rows]
        found |= {"targets": _texts([RIGHT] * len(shared)), "class_names": (RIGHT, WRONG)}
    documents = tuple(item.document for item in first)
    return found | {"documents": documents, "taken": taken, "notes": (*dict.fromkeys(notes), why)}


def _runs(log: Log) -> list[dict[str, Item]]:
    """Return what each repeat or epoch of a log answers, by sample."""
    runs: dict[str, dict[str, Item]] = {}
    for item in log.items:
        run = runs.setdefault(item.run, {})
        if item.sample in run:
            raise DataError(f"{log.where}: sample {item.sample!r} stands more than once in a run; it is answered once.")
        run[item.sample] = item
    if not runs:
        raise DataError(f"{log.where} holds no samples that were answered and scored.")
    return list(runs.values())


def _taken(
    rows: Sequence[Sequence[Item]], wanted: Taken, metric: str | None, where: str
) -> tuple[Literal["given", "correct"], str]:
    """Return what labels are, and why, in a sentence.

    Raises:
        DataError: What is wanted is not there, or nothing is.
    """
    items = [item for row in rows for item in row]
    is_given = all(item.answer is not None for item in items)
    is_judged = all(item.is_right is not None for item in items)
    if (wanted == "given" and not is_given) or (wanted == "correct" and not is_judged):
        lacking = "answers that can be labels" if wanted == "given" else "metric that says what is right and wrong"
        raise DataError(f"{where} has no {lacking}, but answers is {wanted!r}; leave it out.")
    told = f"{metric!r}" if metric else "a metric"
    if wanted == "given" or (wanted == "auto" and is_given and not is_judged):
        return "given", "Labels are the answers as they were given; they are right where they are the target."
    if not is_judged:
        raise DataError(f"{where} has neither answers that can be labels nor a metric that says what is right.")
    if wanted == "correct":
        return "correct", f"Labels are {RIGHT} and {WRONG}, as {told} says; which answers were given is not looked at."
    other = sum((item.answer == item.target) != item.is_right for item in items if item.answer is not None)
    if is_given and not other:
        return (
            "given",
            f"Labels are the answers as they were given, which are the target exactly where {told} says right.",
        )
    why = (
        f"{other} of {len(items)} answers are judged otherwise than by their being the target"
        if is_given
        else ("answers are no labels")
    )
    return "correct", f"Labels are {RIGHT} and {WRONG}, as {told} says, since {why}."


def _texts(values: Sequence[str | None]) -> NDArray[Any]:
    return np.array(values, dtype=object)
