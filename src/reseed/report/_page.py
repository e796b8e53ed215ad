"""The page of a study: its parts put together, and the file written."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from reseed._parts import Parts
from reseed.report import _headline, _sections
from reseed.report import _text as text
from reseed.report._charts import Chart, charts
from reseed.report._data import ReportData
from reseed.report._foretold_section import foretold_section
from reseed.report._samples import STATIC_ROWS, SampleTable, sample_table
from reseed.report._scores_rows import humanised
from reseed.report._scores_section import scores_place, scores_section
from reseed.report._shell import Page, document, navigation, write_page


def make_page(data: ReportData) -> Page:
    """Make the report as one HTML page that needs no network and can be read without scripts.

    Everything in `data` is treated as untrusted text. Besides, the page's content security policy lets only
    the two scripts run whose hashes it names, and forbids every request.

    What stands below the headline numbers is left out where it cannot be made, with a note.

    Args:
        data: What the page shows.

    Returns:
        The page, about 5 MB of which is the chart library.
    """
    parts = Parts()
    is_compared = data.flip_probability is None  # else there is a single run
    drawn = charts(data, parts) if is_compared else ()
    table = sample_table(data, parts)
    sections = [section for section in _all_sections(data, drawn, table, parts) if section.html]
    notes = (*data.notes, *parts.notes)
    body = (
        '<a class="skip" href="#samples">Skip to the samples</a><main>',
        _headline.header(data),
        _headline.notes(notes),
        navigation({section.place: section.name for section in sections}),
        *(section.html for section in sections),
        "</main>",
    )
    figures = {chart.name: chart.figure for chart in drawn if chart.figure is not None}
    payload = {"figures": figures, "samples-data": table.payload}
    html = document(data.title, "\n".join(body), payload, "page.js", has_charts=is_compared)
    return Page(html, notes)


def render(data: ReportData) -> str:
    """Return the HTML text of `make_page`."""
    return make_page(data).html


def write(data: ReportData, path: str | os.PathLike[str]) -> Path:
    """Write the report to a file, which either is complete or does not appear.

    Args:
        data: What the page shows.
        path: Where to put it; missing folders are made, an existing file is replaced.

    Returns:
        The path written.

    Raises:
        InputError: The path is a folder.
        StorageError: It cannot be written.
    """
    return write_page(render(data), path)


@dataclass(frozen=True)
class _Section:
    """A section of the page: its anchor, what the navigation calls it, and its HTML, empty where there is none."""

    place: str
    name: str
    html: str


def _all_sections(data: ReportData, drawn: Sequence[Chart], table: SampleTable, parts: Parts) -> Iterator[_Section]:
    figures = {chart.name: _sections.chart(chart) for chart in drawn}
    yield _Section("numbers", "Numbers", _headline.headline(data))
    if data.flip_probability is None:  # the charts and the labels say how several runs differ
        yield _Section("picture", "Picture", _picture(figures))
        tables = {"Labels that replace each other": _sections.pairs, "Least stable classes": _sections.classes}
        made = [
            parts.make(f"The table '{title}' is missing", partial(make, data), "") for title, make in tables.items()
        ]
        yield _Section("labels", "Labels", _section("labels", "Which labels", "columns", "".join(made)))
    where = parts.make("The section 'Where instability lives' is missing", partial(_sections.where, data), "")
    yield _Section("where", "Where", where)
    yield _Section("samples", "Samples", _samples(data, table))
    yield _Section("runs", "Runs", _section("runs", "How many runs", "single", figures.get("rarefaction", "")))
    gap = "The section 'What foretells flips' is missing"
    foretold = parts.make(gap, partial(foretold_section, data.foretelling), "")
    yield _Section("foretell", "What foretells flips", foretold)
    for scores in data.scores:
        gap = f"The section of the lens '{scores.lens}' is missing"
        html = parts.make(gap, partial(scores_section, scores, data.complete_runs, parts), "")
        yield _Section(scores_place(scores), text.escape(humanised(scores.lens, scores.split)), html)
    cost = parts.make("The section 'What it cost' is missing", partial(_sections.cost, data), "")
    yield _Section("cost", "Cost", cost)
    made_by = parts.make("The section 'How this was made' is missing", partial(_sections.provenance, data), "")
    yield _Section("made", "How it was made", made_by)


def _section(place: str, title: str, kind: str, content: str, words: str = "") -> str:
    """A section under a heading of the second order, with words before its content; nothing without content."""
    if not content:
        return ""
    return (
        f'<section id="{place}" aria-labelledby="{place}-title"><h2 id="{place}-title">{title}</h2>\n{words}'
        f'<div class="{kind}">{content}</div></section>'
    )


def _picture(figures: Mapping[str, str]) -> str:
    shown = figures.get("map", "") + figures.get("histogram", "")
    words = '<noscript><p class="caption">The charts need scripts; the words say what they show.</p></noscript>'
    return _section("picture", "The picture", "charts", shown, words)


def _samples(data: ReportData, table: SampleTable) -> str:
    held = len(table.payload["ids"])
    shown = min(held, STATIC_ROWS)
    intro = "Least stable first. Bars show how the runs voted: grey for the top answer, colour for the others."
    only_unstable = '<label><input type="checkbox" id="only-unstable"> only unstable</label>'
    if data.flip_probability is not None:
        intro = "Most likely to change first; the chance is estimated from a single run."
        only_unstable = ""
    remarks = "".join(f"<p>{text.escape(remark)}</p>" for remark in table.remarks)
    without = (
        f"<noscript><p>Without scripts the table shows the {text.plural(shown, 'least stable sample')}"
        f" of {text.count(len(data.sample_ids))}.</p></noscript>"
        if shown < len(data.sample_ids)
        else ""
    )
    controls = (
        '<div class="controls" id="controls" hidden>'
        '<label class="search">Search <input type="search" id="search" placeholder="text, id or label" '
        'autocomplete="off" spellcheck="false"></label>'
        f"{only_unstable}"
        '<label>Rows <select id="page-size"><option>25<option>50<option>100</select></label></div>'
    )
    pager = (
        '<div class="pager" id="pager" hidden><p id="status" role="status"></p>'
        '<div role="group" aria-label="Pages"><button type="button" id="page-first">First</button>'
        '<button type="button" id="page-previous">Previous</button>'
        '<button type="button" id="page-next">Next</button>'
        '<button type="button" id="page-last">Last</button></div>'
        '<p class="hint">With the table in focus, Page Down and Page Up turn the page.</p></div>'
    )
    return (
        '<section id="samples" aria-labelledby="samples-title"><h2 id="samples-title">Samples</h2>'
        f'<div class="caption"><p>{intro}</p>{remarks}{without}</div>{controls}{table.html}{pager}</section>'
    )
