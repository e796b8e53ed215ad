"""Files `samples_*.jsonl` of lm-evaluation-harness: a line for each sample and filter."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reseed._arguments import argument
from reseed._errors import DataError
from reseed.data import file_extension, json_rows
from reseed.studies._import_logs import Item, Log, LogOptions

_MARKS = {"doc_id", "target", "resps", "filtered_resps"}
_NO_METRICS = {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"}
_TRUTH = {"True": True, "False": False}


def is_lm_eval(path: Path) -> bool:
    """Whether a file holds samples that lm-evaluation-harness logged (``--log_samples``)."""
    if file_extension(path) not in (".jsonl", ".ndjson"):
        return False
    return next((row.keys() >= _MARKS for row in json_rows(path)), False)


def read_lm_eval(path: Path, options: LogOptions) -> Log:
    """Read such a file.

    Of multiple choice the answer is the number of the choice of the highest log-probability, from 0; of generated text
    what the filter made of it. Several answers to a sample are repeats.

    Raises:
        DataError: It is unreadable, holds several filters of which none is named, or lacks what is named.
    """
    rows = list(json_rows(path))
    for number, row in enumerate(rows):
        lists = [row.get("resps"), row.get("filtered_resps")]
        if not row.keys() >= _MARKS or not all(isinstance(found, list) and found for found in lists):
            raise DataError(
                f"{path.name}: line {number + 1} is no sample that lm-evaluation-harness logged; it needs "
                f"{', '.join(sorted(_MARKS))}."
            )
    rows, notes = _of_filter(rows, path, options)
    metric = _metric(rows, path, options)
    items = [item for row in rows for item in _items(row, metric)]
    if any(len(_repeats(row["resps"])) > len(_answers(row)) for row in rows):
        notes.append(f"{path.name}: of several repeats the filter made one answer, which alone is read.")
    what = "the choice of the highest log-probability, counted from 0" if _is_choice(rows[0]) else "filtered_resps"
    notes.append(f"{path.name}: sample ids from 'doc_id'; answers: {what}; gold answers from 'target'.")
    return Log(path.name, tuple(items), metric, tuple(notes))


def _of_filter(rows: list[dict[str, Any]], path: Path, options: LogOptions) -> tuple[list[dict[str, Any]], list[str]]:
    names = list(dict.fromkeys(str(row.get("filter", "none")) for row in rows))
    if options.filter is None and len(names) > 1:
        raise DataError(
            f"{path.name} holds answers of several filters: {', '.join(names)}; name one with {argument('filter')}."
        )
    chosen = names[0] if options.filter is None else options.filter
    if chosen not in names:
        raise DataError(f"{path.name} has no filter {chosen!r}; it has: {', '.join(names)}.")
    told = [] if chosen == "none" else [f"{path.name}: answers are those of the filter {chosen!r}."]
    return [row for row in rows if str(row.get("filter", "none")) == chosen], told


def _metric(rows: Sequence[dict[str, Any]], path: Path, options: LogOptions) -> str | None:
    """Return the metric that says what is right; None where none does."""
    listed = rows[0].get("metrics")
    names = listed if isinstance(listed, list) else [name for name in rows[0] if name not in _NO_METRICS]
    usable = [name for name in map(str, names) if all(_truth(row.get(name)) is not None for row in rows)]
    if options.metric is None:
        return usable[0] if usable else None
    if options.metric not in usable:
        raise DataError(
            f"{path.name}: {options.metric!r} is no metric that is 0 or 1 of every sample; such are: "
            f"{', '.join(usable) or 'none'}."
        )
    return options.metric


def _truth(value: Any) -> bool | None:
    return bool(value) if isinstance(value, bool | int | float) and value in (0, 1) else None


def _items(row: dict[str, Any], metric: str | None) -> Iterator[Item]:
    judged = None if metric is None else _truth(row[metric])
    answers = _answers(row)
    target = str(row["target"])
    if _is_choice(row):
        target = _choice(row, target)
    text = _prompt(row)
    document = str(row.get("doc_hash") or hashlib.sha256(repr(row.get("doc")).encode()).hexdigest())
    for place, answer in enumerate(answers):
        right = judged if len(answers) == 1 else None  # a metric is of all repeats together
        given = None if answer is None else answer.strip()
        yield Item(str(row["doc_id"]), str(place), given, right, target.strip(), text, document)


def _answers(row: dict[str, Any]) -> list[str | None]:
    """Return the answer of each repeat; None where it is a log-probability alone."""
    found = row["filtered_resps"]
    if _is_choice(row):
        scores = [float(choice[0]) for choice in _choices(row)]
        return [str(scores.index(max(scores)))]
    if _is_scored(found[0]):
        return [None]
    return [str(answer) for answer in _repeats(found)]


def _repeats(found: list[Any]) -> list[Any]:
    return found[0] if isinstance(found[0], list) and not _is_scored(found[0]) else found[:1]


def _is_choice(row: dict[str, Any]) -> bool:
    return len(row["filtered_resps"]) > 1 and all(map(_is_scored, row["filtered_resps"]))


def _choices(row: dict[str, Any]) -> list[Any]:
    """Return the choices' log-probabilities; for mutual information the second half are those without the question."""
    found: list[Any] = row["filtered_resps"]
    return found[: len(found) // 2] if "acc_mutual_info" in row else found


def _is_scored(found: Any) -> bool:
    """Whether a response is a log-probability, and whether greedy decoding gives the continuation."""
    if not isinstance(found, list) or len(found) != 2 or str(found[1]) not in _TRUTH:
        return False
    try:
        float(found[0])
    except (TypeError, ValueError):
        return False
    return True


def _choice(row: dict[str, Any], target: str) -> str:
    """Return the number of the choice that is the target, where it is given by its text."""
    count = len(_choices(row))
    if target.isdecimal() and int(target) < count:
        return target
    texts = [str(_argument(row, place, 1)).strip() for place in range(count)]
    return str(texts.index(target.strip())) if target.strip() in texts else target


def _prompt(row: dict[str, Any]) -> str:
    found = _argument(row, 0, 0)
    return str(row.get("doc")) if found is None else str(found)


def _argument(row: dict[str, Any], request: int, place: int) -> Any:
    """Return an argument of a request: objects in newer files, lists in older ones."""
    found: Any = row.get("arguments")
    try:
        return found[f"gen_args_{request}"][f"arg_{place}"] if isinstance(found, dict) else found[request][place]
    except (KeyError, IndexError, TypeError):
        return None
