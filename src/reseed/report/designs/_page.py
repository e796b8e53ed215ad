"""The page of a design: the answer, the numbers, charts, samples, what to do next, and the studies behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import final

from reseed._parts import Parts
from reseed.report import _headline, _sections
from reseed.report import _text as text
from reseed.report._charts import drawn
from reseed.report._data import Step
from reseed.report._glossary import glossary
from reseed.report._headline import Measure
from reseed.report._next_section import made_lines, next_section
from reseed.report._shell import Page, Section, document, navigation, section_html
from reseed.report._study_links import studies_section
from reseed.report._study_samples import gold_html, sample_html
from reseed.report.chart._svg import chart_html
from reseed.scores import Chart
from reseed.statistics import Estimate
from reseed.studies import Study

_FACT, _CELL = 200, 300


@final
@dataclass(frozen=True)
class Table:
    """Rows of texts.

    Attributes:
        title: What the rows are.
        names: Headings of the columns.
        rows: Cells, the first of which names its row; of estimates the second line is the interval.
        words: What a reader should know, in sentences.
    """

    title: str
    names: tuple[str, ...]
    rows: tuple[tuple[str | Shown, ...], ...]
    words: str = ""


@final
@dataclass(frozen=True)
class Shown:
    """A number as a table shows it.

    Attributes:
        value: The number; empty where there is none.
        below: Its interval, in small print.
    """

    value: str
    below: str = ""

    @classmethod
    def of(cls, found: Estimate, digits: int, factor: float = 1.0) -> Shown:
        """Return an estimate with its interval."""
        if text.number(found.value) is None:
            return cls("")
        return cls(text.decimal(factor * found.value, digits), ends_of(found, digits, factor))

    @classmethod
    def of_row(cls, row: Mapping[str, object], name: str, factor: float, digits: int) -> Shown:
        """Return a number of a row of JSON with its interval, which stands beside it as ``..._ci95``."""
        value, ends = text.number(row.get(name)), text.pair(row.get(f"{name.removesuffix('_mean')}_ci95"))
        if value is None:
            return cls("")
        below = "" if ends is None else " to ".join(text.decimal(factor * end, digits) for end in ends)
        return cls(text.decimal(factor * value, digits), below)


@final
@dataclass(frozen=True)
class SampleTable:
    """Samples of a study with what the design says of each.

    Attributes:
        study: Who they are.
        places: Their positions, in the order of the rows.
        names: Headings of further columns.
        values: What stands in them, a row for each sample.
        words: How they were chosen, in sentences.
    """

    study: Study
    places: tuple[int, ...]
    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    words: str


@final
@dataclass(frozen=True, kw_only=True)
class DesignPage:
    """What the page of a design shows; all texts may be anybody's.

    Attributes:
        kind: What the design is, in a few words.
        title: Of which data and model.
        facts: How many studies, runs and samples.
        lead: The answer, in a sentence.
        follow: What it rests on, in a sentence or two.
        measures: The headline numbers.
        charts: Charts as plain data, which `plot` draws too.
        tables: All numbers.
        samples: Makes the samples behind the answer; None where there are none.
        sections: Further sections, made when the page is.
        studies: The studies behind it, by what each is called.
        steps: What to do next.
        words: Words of the glossary that the page explains.
        made: How the page came about, by name.
        notes: What a reader should know before believing the numbers.
    """

    kind: str
    title: str
    facts: tuple[str, ...]
    lead: str
    follow: str
    measures: tuple[Measure, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    samples: Callable[[], SampleTable] | None = None
    sections: Mapping[str, Callable[[Parts], Section]] = field(default_factory=lambda: MappingProxyType({}))
    studies: Mapping[str, Study]
    steps: tuple[Step, ...]
    words: tuple[str, ...]
    made: Mapping[str, str]
    notes: tuple[str, ...]


def make_design_page(data: DesignPage, folder: Path | None = None) -> Page:
    """Make the page of a design: one HTML page that needs no network and no scripts.

    Texts are treated as untrusted, as `make_page` does; what stands below the headline numbers is left out where it
    cannot be made, with a note.

    Args:
        data: What the page shows.
        folder: Where it will lie, for links to the reports of its studies; default: there are none.
    """
    parts = Parts()
    sections = [section for section in _sections_of(data, folder, parts) if section.html]
    notes = (*data.notes, *parts.notes)
    body = (
        f'<a class="skip" href="#{sections[0].place}">Skip to the numbers</a><main>',
        _header(data),
        _headline.notes(notes),
        navigation({section.place: section.name for section in sections}),
        *(section.html for section in sections),
        "</main>",
    )
    title = f"{data.title}: {data.kind}"
    return Page(document(title, "\n".join(body), {}, made=made_lines(data.made)), notes)


def measure(
    name: str, found: Estimate, meaning: str, *, digits: int = 1, factor: float = 100.0, unit: str = "%", word: str = ""
) -> Measure:
    """Return an estimate as a headline number with its interval; of shares in percent, unless told otherwise."""
    known = text.number(found.value) is not None
    unit = f"{text.NBSP}{unit}" if unit else ""
    ends = ends_of(found, digits, factor)
    return Measure(
        name,
        f"{text.decimal(factor * found.value, digits)}{unit}" if known else None,
        f"95{text.NBSP}% interval {ends}{unit}" if ends else "no interval from so few",
        meaning,
        term=word,
    )


def ends_of(found: Estimate, digits: int, factor: float = 1.0) -> str:
    """Return the ends of an interval; nothing where there is none."""
    pair = text.pair((found.low, found.high))
    return "" if pair is None else " to ".join(text.decimal(factor * end, digits) for end in pair)


def _sections_of(data: DesignPage, folder: Path | None, parts: Parts) -> list[Section]:
    charts = "".join(drawn(chart.title, partial(chart_html, chart), parts) for chart in data.charts)
    picture = f'<div class="drawings">{charts}</div>' if charts else ""
    tables = "".join(
        parts.make(f"The table '{table.title}' is missing", partial(_table, table), "") for table in data.tables
    )
    made = [
        parts.make(f"The section '{name}' is missing", partial(make, parts), None)
        for name, make in data.sections.items()
    ]
    gap = "The section 'Samples' is missing"
    list_samples = data.samples
    samples = "" if list_samples is None else parts.make(gap, lambda: _samples(list_samples()), "")
    gap = "The section 'Which studies' is missing"
    return [
        Section("numbers", "Numbers", _headline.measures_html(data.measures)),
        Section("picture", "Picture", section_html("picture", "The picture", picture)),
        Section("details", "Details", section_html("details", "In detail", tables)),
        *(section for section in made if section is not None),
        Section("samples", "Samples", samples),
        Section("next", "Next", next_section(data.steps)),
        Section("made", "Studies", parts.make(gap, lambda: studies_section(data.studies, folder), "")),
        Section("words", "Words", glossary(data.words)),
    ]


def _header(data: DesignPage) -> str:
    facts = "".join(f"<li><bdi>{text.escape(text.clip(fact, _FACT))}</bdi></li>" for fact in data.facts)
    return (
        f'<header><p class="eyebrow">{text.escape(data.kind)}</p><h1 dir="auto">{text.escape(data.title)}</h1>'
        f'<ul class="facts">{facts}</ul><p class="lead">{text.escape(data.lead)}</p>'
        f'<p class="follow">{text.escape(data.follow)}</p></header>'
    )


def _table(table: Table) -> str:
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.rows)
    if not body:
        return ""
    numeric = tuple(place for place, cell in enumerate(table.rows[0]) if isinstance(cell, Shown))
    title, names = text.escape(table.title), tuple(map(text.escape, table.names))
    words = f'<p class="caption">{text.escape(table.words)}</p>' if table.words else ""
    return f"<h3>{title}</h3>{_sections.table(title, names, body, numeric)}{words}"


def _cell(cell: str | Shown) -> str:
    if isinstance(cell, str):
        return f"<td><bdi>{text.escape(text.clip(cell, _CELL))}</bdi></td>"
    if not cell.value:
        return f'<td class="number">{text.missing("no value")}</td>'
    below = f'<span class="spread">{text.escape(cell.below)}</span>' if cell.below else ""
    return f'<td class="number">{text.escape(cell.value)}{below}</td>'


def _samples(found: SampleTable) -> str:
    if not found.places:
        return ""
    body = "".join(
        f'<tr><td class="sample">{sample_html(found.study, place)}</td><td>{gold_html(found.study, place)}</td>'
        + "".join(f'<td class="number">{text.escape(value)}</td>' for value in values)
        + "</tr>"
        for place, values in zip(found.places, found.values, strict=True)
    )
    names = ("Sample", "Gold label", *map(text.escape, found.names))
    box = _sections.table("Samples", names, body, tuple(range(2, len(names))), "samples few")
    return section_html("samples", "Samples", f'<p class="caption">{text.escape(found.words)}</p>{box}')
