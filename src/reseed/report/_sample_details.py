"""What opens under a sample: votes of single runs, answers along training, groups, scores of lenses, neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from reseed._parts import Parts
from reseed.report import _text as text
from reseed.report._data import ReportData
from reseed.report._scores_rows import humanised
from reseed.scores import Scores

_VOTES = 1_000_000  # answers of single runs
_HISTORY = 150_000  # numbers of all answers along training
_VALUES = 200_000  # numbers of all lenses
_NAME, _WORDS = 60, 300
_FIRST = ord("0")  # the letter that stands for a sample's most frequent answer; the next ones for the others


@final
@dataclass(frozen=True)
class Labels:
    """The labels that rows name.

    Attributes:
        used: Each of them, ascending.
        place: Its position among them; that of -1 is -1.
    """

    used: tuple[int, ...]
    place: dict[int, int]

    @classmethod
    def of(cls, data: ReportData, order: Sequence[int]) -> Labels:
        """Return the labels of some samples: their targets and answers."""
        found = {int(values[sample]) for sample in order for values in (data.targets, data.mode_label)}
        found |= {label for sample in order for label, _ in data.given(sample)}
        if data.history is not None:
            inside = (data.history.answers.get(sample, ()) for sample in order)
            found |= {label for along in inside for pairs in along for label, _ in pairs}
        used = tuple(sorted(label for label in found if label >= 0))
        return cls(used, {-1: -1, **{label: place for place, label in enumerate(used)}})


def sample_details(data: ReportData, order: Sequence[int], labels: Labels, parts: Parts) -> dict[str, Any]:
    """Return what the script shows of each row besides its cells; what cannot be made is left out, with a note.

    Args:
        data: What the page shows.
        order: The samples of the rows.
        labels: The labels that the rows name.
        parts: Takes note of what is missing.
    """
    makers: dict[str, tuple[Callable[[], Any], Any]] = {
        "votes": (lambda: _votes(data, order), None),
        "history": (lambda: _history(data, order, labels), None),
        "groups": (lambda: _groups(data, order), []),
        "lenses": (lambda: list(_lenses(data, order)), []),
        "near": (lambda: _near(data, order), {}),
        "gold": (lambda: _gold(data, order), None),
    }
    return {
        name: parts.make(f"What samples show of their {name} is missing", make, instead)
        for name, (make, instead) in makers.items()
    }


def _votes(data: ReportData, order: Sequence[int]) -> dict[str, Any] | None:
    """Return the answer of every run to each row: a letter a run; an empty text where all agree."""
    if data.run_labels is None or data.flip_probability is not None:
        return None
    runs, most = len(data.run_labels), _VOTES // max(1, len(data.run_labels))
    numbers = data.complete_runs if len(data.complete_runs) == runs else tuple(range(runs))
    unstable = 0
    rows: list[str] = []
    for sample in order:
        given = [label for label, _ in data.given(sample)]
        unstable += len(given) > 1
        if len(given) < 2 or unstable > most:
            rows.append("")
            continue
        letter = {label: chr(_FIRST + place) for place, label in enumerate(given)}
        rows.append("".join(letter.get(label, "/") for label in data.run_labels[:, sample].tolist()))
    return {"runs": list(numbers), "rows": rows}


def _history(data: ReportData, order: Sequence[int], labels: Labels) -> dict[str, Any] | None:
    """Return the answers at each checkpoint of the first rows: pairs in turn, 0 where they are those before."""
    if data.history is None or not data.history.answers:
        return None
    rows: list[list[Any]] = []
    left = _HISTORY
    for sample in order:
        before: list[int] | None = None
        kept: list[int | list[int]] = []
        for pairs in data.history.answers.get(sample, ()):
            flat = [value for label, count in pairs for value in (labels.place[label], count)]
            kept.append(0 if flat == before else flat)
            left -= 1 if flat == before else len(flat)
            before = flat
        if left < 0:
            break
        rows.append(kept)
    return {"steps": list(data.history.steps), "rows": rows}


def _groups(data: ReportData, order: Sequence[int]) -> list[dict[str, Any]]:
    return [
        {
            "title": found.title,
            "names": [text.clip(text.visible(name), _NAME) for name in found.names],
            "rows": found.place[list(order)].tolist(),
        }
        for found in data.groupings
        if found.place is not None
    ]


def _lenses(data: ReportData, order: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield each lens's numbers of the rows, of as many columns as there is room for."""
    left = _VALUES
    for scores in data.scores:
        if scores.split != "evaluation":
            continue
        at = {name: place for place, name in enumerate(scores.ids)}
        places = np.array([at.get(data.sample_ids[sample], -1) for sample in order], dtype=np.int64)
        columns = []
        for name, column in _numeric(scores):
            left -= len(order)
            if left < 0:
                break
            values = np.where(places < 0, np.nan, column[places]) if len(column) else np.full(len(order), np.nan)
            about = scores.columns[name]
            columns.append(
                {
                    "name": text.clip(name, _NAME),
                    "about": text.clip(text.visible(about.about), _WORDS),
                    "unit": text.clip(text.visible(about.unit), _NAME),
                    "values": [float(f"{value:.4g}") if np.isfinite(value) else None for value in values.tolist()],
                }
            )
        if columns:
            yield {"title": humanised(scores.lens, scores.split), "columns": columns}


def _numeric(scores: Scores) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the columns of samples that are numbers; of those of single runs their means over runs."""
    for name, column in scores.samples.items():
        if isinstance(column, np.ndarray) and column.dtype.kind in "biuf" and column.ndim == 1:
            yield name, column.astype(np.float64)
    for name, rows in scores.by_run.items():
        if name not in scores.samples and len(scores.runs):
            each = (np.asarray(rows[run], np.float64) for run in range(rows.shape[0]))
            yield name, np.asarray(sum(each) / rows.shape[0])


def _near(data: ReportData, order: Sequence[int]) -> dict[int, list[int]]:
    """Return the rows of each row's neighbours, those that the table holds."""
    row_of = {sample: row for row, sample in enumerate(order)}
    found = {
        row: [row_of[other] for other in data.neighbours.get(sample, ()) if other in row_of]
        for row, sample in enumerate(order)
    }
    return {row: near for row, near in found.items() if near}


def _gold(data: ReportData, order: Sequence[int]) -> list[float | None] | None:
    if data.gold_probability is None:
        return None
    values = np.asarray(data.gold_probability, dtype=np.float64)[list(order)]
    return [round(value, 4) if np.isfinite(value) else None for value in values.tolist()]
