"""The section of a study's page for the scores of one lens, whichever it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from reseed._parts import Parts
from reseed.report import _sections
from reseed.report import _text as text
from reseed.report._scores_rows import RunRow, SummaryRow, digits, humanised, run_rows, spans, summary_rows
from reseed.report.chart._svg import chart_html
from reseed.scores import Chart, Scores

_ROWS, _RUN_ROWS, _COLUMNS, _CHARTS, _NOTES = 80, 40, 60, 16, 20
_WORDS, _NAME = 1_000, 80
_WORSE = {"": "", "higher": "higher is worse", "lower": "lower is worse"}


def scores_place(scores: Scores) -> str:
    """Return the anchor of a lens's section; names of lenses are plain words."""
    return f"scores-{scores.lens}" + ("-train" if scores.split == "train" else "")


def scores_section(scores: Scores, complete: Sequence[int], parts: Parts) -> str:
    """Return the section of one lens: numbers, charts, notes, and how they were made; all of it is untrusted text.

    Args:
        scores: What it shows.
        complete: Numbers of the study's complete runs.
        parts: Takes notes of charts and tables that cannot be made.
    """
    place, title = scores_place(scores), humanised(scores.lens, scores.split)
    gap = f"of the lens '{scores.lens}' is missing"
    pieces = [
        f'<section id="{place}" aria-labelledby="{place}-title"><h2 id="{place}-title">{text.escape(title)}</h2>',
        f'<div class="caption"><p>{_about(scores, complete)}</p></div>',
        _notes(scores.notes),
        parts.make(f"The table of numbers {gap}", lambda: _summary(title, scores), ""),
        parts.make(f"The table of runs {gap}", lambda: _runs(title, scores), ""),
        _charts(scores, parts, opens=scores.split == "evaluation"),
        parts.make(f"The list of columns {gap}", lambda: _made(scores), ""),
        "</section>",
    ]
    return "".join(pieces)


def _about(scores: Scores, complete: Sequence[int]) -> str:
    """Return which samples and runs the scores are of; nothing where they are of neither."""
    if not scores.ids and not scores.runs:
        return ""
    samples = f"{text.plural(len(scores.ids), 'sample')} that the runs were {_SPLITS[scores.split]}"
    words = [f"Of {samples}"] if scores.ids else []
    if scores.runs and set(scores.runs) == set(complete):
        words.append(f" and of all {text.plural(len(scores.runs), 'complete run')}")
    elif scores.runs:
        runs = text.plural(len(scores.runs), "run")
        words.append(f" and of {runs} alone ({spans(scores.runs)}), of the study's {text.count(len(complete))}")
    told = "".join(words)
    return (told if scores.ids else told.replace(" and of", "Of", 1)) + "."


_SPLITS = {"evaluation": "evaluated on", "train": "trained on"}


def _notes(notes: Sequence[str]) -> str:
    if not notes:
        return ""
    items = [f"<li>{text.escape(text.clip(note, _WORDS))}</li>" for note in notes[:_NOTES]]
    if len(notes) > _NOTES:
        items.append(f"<li>{_rest(len(notes) - _NOTES, 'note')}</li>")
    return f'<ul class="remarks">{"".join(items)}</ul>'


def _summary(title: str, scores: Scores) -> str:
    rows = summary_rows(scores)
    if not rows:
        return ""
    body = "".join(
        _group_row(group) + "".join(map(_summary_row, some))
        for group, some in groupby(rows[:_ROWS], key=lambda row: row.group)
    )
    names = ("Number", "Value", "Unit", "Direction")
    table = _sections.table(f"Numbers of {text.escape(title)}", names, body, numeric=(1,))
    caption = "Small print: what the number is, and its 95 % intervals over what is named."
    if len(rows) > _ROWS:
        caption += f" {_rest(len(rows) - _ROWS, 'number')}"
    return f'{table}<p class="caption">{caption}</p>'


def _group_row(group: str) -> str:
    """Return the row that begins a group; nothing for numbers in none."""
    if not group:
        return ""
    return f'<tr class="group"><th colspan="4" scope="rowgroup">{text.escape(text.clip(group, _NAME))}</th></tr>'


def _summary_row(row: SummaryRow) -> str:
    about = f'<span class="spread">{text.escape(text.clip(row.about, _WORDS))}</span>' if row.about else ""
    value = text.escape(_signed(row.value)) if row.value else text.missing("no value")
    ends = "".join(
        f'<span class="spread">{text.escape(_signed(low))} to {text.escape(_signed(high))}{_covers(covers)}</span>'
        for low, high, covers in row.intervals
    )
    unit = text.escape(text.clip(row.unit, _NAME))
    return (
        f'<tr><td><bdi>{_name(row.name)}</bdi>{about}</td><td class="number">{value}{ends}</td>'
        f"<td><bdi>{unit}</bdi></td><td>{_WORSE[row.worse]}</td></tr>"
    )


def _covers(words: str) -> str:
    return f", other {text.escape(text.clip(words.replace('_', ' '), _NAME))}"


def _runs(title: str, scores: Scores) -> str:
    rows = run_rows(scores)
    if not rows:
        return ""
    body = "".join(map(_run_row, rows[:_RUN_ROWS]))
    names = ("Number of each run", "Mean", "Least", "Greatest", "Runs", "Unit")
    table = _sections.table(f"Runs of {text.escape(title)}", names, body, numeric=(1, 2, 3, 4))
    more = f'<p class="caption">{_rest(len(rows) - _RUN_ROWS, "number")}</p>' if len(rows) > _RUN_ROWS else ""
    return table + more


def _run_row(row: RunRow) -> str:
    numbers = [digits(value) for value in (row.mean, row.least, row.greatest)]
    cells = "".join(
        f'<td class="number">{_signed(shown) if shown else text.missing("no run has a value")}</td>'
        for shown in numbers
    )
    about = f'<span class="spread">{text.escape(text.clip(row.about, _WORDS))}</span>' if row.about else ""
    return (
        f"<tr><td><bdi>{_name(row.name)}</bdi>{about}</td>{cells}"
        f'<td class="number">{text.count(row.count)}</td>'
        f"<td><bdi>{text.escape(text.clip(row.unit, _NAME))}</bdi></td></tr>"
    )


def _charts(scores: Scores, parts: Parts, *, opens: bool) -> str:
    drawn = [_chart(scores.lens, chart, parts, opens=opens) for chart in scores.charts[:_CHARTS]]
    more = ""
    if len(scores.charts) > _CHARTS:
        left = text.plural(len(scores.charts) - _CHARTS, "further chart")
        more = f'<p class="caption">{left} {"is" if len(scores.charts) == _CHARTS + 1 else "are"} not drawn.</p>'
    return f'<div class="drawings">{"".join(drawn)}</div>{more}' if any(drawn) else more


def _chart(lens: str, chart: Chart, parts: Parts, *, opens: bool) -> str:
    gap = f"The chart '{text.clip(chart.title, _NAME)}' of the lens '{lens}' is missing"
    return parts.make(gap, lambda: chart_html(chart, opens=opens), "")


def _made(scores: Scores) -> str:
    """Return what each column is, what was asked for and what it took."""
    columns = list(scores.columns.items())
    kinds = {
        "samples": scores.samples,
        "samples of each run": scores.by_run,
        "runs": scores.of_runs,
        "steps of training": scores.series,
    }
    rows = "".join(
        f"<tr><td><bdi>{_name(name)}</bdi></td>"
        + "".join(
            f"<td><bdi>{text.escape(text.clip(words, _WORDS))}</bdi></td>"
            for words in (
                found.about,
                ", ".join(kind for kind, held in kinds.items() if name in held),
                found.unit,
                found.range,
            )
        )
        + f"<td>{_WORSE[_DIRECTIONS[found.direction]]}</td></tr>"
        for name, found in columns[:_COLUMNS]
    )
    names = ("Column", "What it is", "Of", "Unit", "Range", "Direction")
    table = _sections.table("Columns", names, rows, numeric=()) if rows else ""
    more = f"<p>{_rest(len(columns) - _COLUMNS, 'column')}</p>" if len(columns) > _COLUMNS else ""
    lists = "".join(
        f"<div><h3>{name}</h3>{_sections.entries_html(found)}</div>" for name, found in _entries(scores) if found
    )
    below = f'<div class="made">{lists}</div>' if lists else ""
    return (
        f'<details class="behind"><summary>Columns, options and cost</summary>{table}{more}{below}</details>'
        if table or below
        else ""
    )


_DIRECTIONS = {"higher_is_worse": "higher", "lower_is_worse": "lower", "none": ""}


def _entries(scores: Scores) -> Iterator[tuple[str, Mapping[str, object]]]:
    for name, values in (("Options", scores.options), ("Cost", scores.cost)):
        yield name, {text.clip(key, _NAME): _bounded(value) for key, value in list(values.items())[:_COLUMNS]}


def _name(name: str) -> str:
    """Return a name that narrow windows break at its underscores."""
    return text.escape(text.clip(name, _NAME)).replace("_", "_<wbr>")


def _bounded(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    return text.clip(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str), _WORDS)


def _rest(count: int, noun: str) -> str:
    return f"{text.plural(count, f'further {noun}')}: see reseed inspect STUDY --scores LENS --json."


def _signed(shown: str) -> str:
    """Return a number with a true minus sign."""
    return f"\u2212{shown[1:]}" if shown[:1] == "-" and shown[1:2].isdigit() else shown
