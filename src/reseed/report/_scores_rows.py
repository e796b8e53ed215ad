"""What a lens's scores say in single numbers, as rows that a page and a terminal print alike."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from reseed.report import _text as text
from reseed.scores import Column, Scores

_INTERVAL = re.compile(r"(?P<stem>.+)_ci95(?:_(?P<covers>\w+))?")
_WORSE = {"higher_is_worse": "higher", "lower_is_worse": "lower", "none": ""}
_LETTERS = 80
_BOTH = "samples and runs"  # what an interval covers where its name does not say less


@final
@dataclass(frozen=True)
class SummaryRow:
    """A number of a summary.

    Attributes:
        name: What the summary calls it.
        value: What it is, in words; empty where it is undefined.
        intervals: Its 95 % intervals: the ends in words, and what they cover.
        unit: Its unit, if it is described.
        worse: Which direction is worse: ``higher``, ``lower`` or neither.
        about: What it is, if it is described.
        group: The title of the group that it is in, if it is in one.
    """

    name: str
    value: str
    intervals: tuple[tuple[str, str, str], ...] = ()
    unit: str = ""
    worse: str = ""
    about: str = ""
    group: str = ""


@final
@dataclass(frozen=True)
class RunRow:
    """A number that each run has, over the runs for which it is known.

    Attributes:
        name: What the lens calls it.
        mean: Its mean.
        least: The least of them.
        greatest: The greatest.
        count: Of how many runs.
        unit: Its unit.
        about: What it is.
    """

    name: str
    mean: float
    least: float
    greatest: float
    count: int
    unit: str
    about: str


def summary_rows(scores: Scores) -> tuple[SummaryRow, ...]:
    """Return the rows of a summary by groups; an interval is in the row of its number, of whatever lens it is."""
    summary = scores.summary
    intervals: dict[str, list[tuple[str, str, str]]] = {}
    owned = set()
    for key, value in summary.items():
        found = _INTERVAL.fullmatch(key)
        owners = [] if found is None else [name for name in (found["stem"], f"{found['stem']}_mean") if name in summary]
        if found is None or not owners:
            continue
        owned.add(key)
        if (ends := text.pair(value)) is not None:
            intervals.setdefault(owners[-1], []).append((digits(ends[0]), digits(ends[1]), found["covers"] or _BOTH))
    group_of = {name: title for title, names in scores.groups.items() for name in names}
    titles = ["", *scores.groups]
    rows = [
        _summary_row(name, value, tuple(intervals.get(name, ())), scores.columns, group_of.get(name, ""))
        for name, value in summary.items()
        if name not in owned
    ]
    return tuple(sorted(rows, key=lambda row: titles.index(row.group)))


def run_rows(scores: Scores) -> tuple[RunRow, ...]:
    """Return a row for each number that runs have."""
    rows = []
    for name, values in scores.of_runs.items():
        known = np.asarray(values, np.float64)
        known, described = known[np.isfinite(known)], scores.columns[name]
        mean, least, greatest = (known.mean(), known.min(), known.max()) if len(known) else (math.nan,) * 3
        numbers = (float(mean), float(least), float(greatest), len(known))
        rows.append(RunRow(name, *numbers, described.unit, described.about))
    return tuple(rows)


def headline(scores: Scores) -> str:
    """Return a lens's first mean with its interval, in one line; empty where it has none."""
    for row in summary_rows(scores):
        if row.name.endswith("_mean"):
            low_high = [f"[{low}, {high}]" for low, high, _ in row.intervals[:1]]
            return " ".join([row.name, row.value, *low_high, *([row.unit] if row.unit else [])])
    return ""


def scores_listing(scores: Sequence[Scores]) -> list[dict[str, Any]]:
    """Return which scores there are, as JSON can hold it."""
    return [
        {"lens": one.lens, "split": one.split, "runs": list(one.runs), "columns": columns_of(one)} for one in scores
    ]


def scores_tree(scores: Scores) -> dict[str, Any]:
    """Return everything of scores but the samples' values, series and charts, as JSON can hold it."""
    return {
        "runs": list(scores.runs),
        "samples": len(scores.ids),
        "columns": {name: found.metadata for name, found in scores.columns.items()},
        "summary": dict(scores.summary),
        "groups": {title: list(names) for title, names in scores.groups.items()},
        "of_runs": {name: np.asarray(values).tolist() for name, values in scores.of_runs.items()},
        "notes": list(scores.notes),
        "options": dict(scores.options),
        "cost": dict(scores.cost),
    }


def columns_of(scores: Scores) -> list[str]:
    """Return the names of the columns that scores have for each sample."""
    return list(dict.fromkeys([*scores.samples, *scores.by_run]))


def humanised(lens: str, split: str) -> str:
    """Return a lens's name in words, with the samples where they are not those of the evaluation.

    Examples:
        >>> humanised("weight_noise", "evaluation"), humanised("memorization", "train")
        ('Weight noise', 'Memorization (training samples)')
    """
    words = lens.replace("_", " ").strip()
    return words[:1].upper() + words[1:] + (" (training samples)" if split == "train" else "")


def spans(runs: Sequence[int]) -> str:
    """Return numbers of runs in words, those that follow each other as spans.

    Examples:
        >>> spans((0, 1, 2, 3, 7, 9, 10))
        '0 to 3, 7, 9, 10'
    """
    parts: list[list[int]] = []
    for run in sorted(runs):
        if parts and run == parts[-1][-1] + 1:
            parts[-1].append(run)
        else:
            parts.append([run])
    words = [f"{part[0]} to {part[-1]}" if len(part) > 2 else ", ".join(map(str, part)) for part in parts]
    return ", ".join(words[:20]) + (", ..." if len(words) > 20 else "")


def digits(value: float) -> str:
    """Return a number to four digits, whole ones in full; nothing where it is not finite."""
    if not math.isfinite(value):
        return ""
    is_whole = value == math.floor(value) and abs(value) < 1e9
    return f"{int(value):,}" if is_whole else f"{value:.4g}"


def _summary_row(
    name: str, value: Any, intervals: tuple[tuple[str, str, str], ...], columns: Mapping[str, Column], group: str
) -> SummaryRow:
    found = columns.get(name) or columns.get(name.removesuffix("_mean"))
    described = ("", "", "") if found is None else (found.unit, _WORSE[found.direction], found.about)
    return SummaryRow(name, _words(value), intervals, *described, group)


def _words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return digits(value)
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text.clip(said, _LETTERS)
