"""The page of a study: its parts put together, and the file written."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from reseed.report import _headline, _sections
from reseed.report import _text as text
from reseed.report._charts import charts
from reseed.report._data import ReportData
from reseed.report._samples import STATIC_ROWS, SampleTable, sample_table
from reseed.report._shell import document, write_page


def render(data: ReportData) -> str:
    """Make the report as one HTML page that needs no network and can be read without scripts.

    Everything in `data` is treated as untrusted text. Besides, the page's content security policy lets only
    the two scripts run whose hashes it names, and forbids every request.

    Args:
        data: What the page shows.

    Returns:
        The HTML text, about 5 MB of which is the chart library.
    """
    is_compared = data.flip_probability is None  # else there is a single run
    drawn = charts(data) if is_compared else ()
    table = sample_table(data)
    figures = {chart.name: chart.figure for chart in drawn if chart.figure is not None}
    where, cost = _sections.where(data), _sections.cost(data)
    by_name = {chart.name: _sections.chart(chart) for chart in drawn}
    body = (
        '<a class="skip" href="#samples">Skip to the samples</a><main>',
        _headline.header(data),
        _headline.notes(data.notes),
        _navigation(is_compared=is_compared, has_where=bool(where), has_cost=bool(cost)),
        _headline.headline(data),
        *(_comparison(data, by_name) if is_compared else ()),
        where,
        _samples(data, table),
        _how_many(by_name) if is_compared else "",
        cost,
        _sections.provenance(data),
        "</main>",
    )
    payload = {"figures": figures, "samples-data": table.payload}
    return document(data.title, "\n".join(body), payload, "page.js", has_charts=is_compared)


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


def _comparison(data: ReportData, by_name: Mapping[str, str]) -> Iterator[str]:
    """The charts and the labels, which say how several runs differ."""
    yield '<section id="picture" aria-labelledby="picture-title"><h2 id="picture-title">The picture</h2>'
    yield '<noscript><p class="caption">The charts need scripts; the words say what they show.</p></noscript>'
    yield f'<div class="charts">{by_name["map"]}{by_name["histogram"]}</div></section>'
    yield '<section id="labels" aria-labelledby="labels-title"><h2 id="labels-title">Which labels</h2>'
    yield f'<div class="columns">{_sections.pairs(data)}{_sections.classes(data)}</div></section>'


def _how_many(by_name: Mapping[str, str]) -> str:
    return (
        '<section id="runs" aria-labelledby="runs-title"><h2 id="runs-title">How many runs</h2>\n'
        f'<div class="single">{by_name["rarefaction"]}</div></section>'
    )


def _navigation(*, is_compared: bool, has_where: bool, has_cost: bool) -> str:
    places = (
        ("numbers", "Numbers"),
        *([("picture", "Picture"), ("labels", "Labels")] if is_compared else []),
        *([("where", "Where")] if has_where else []),
        ("samples", "Samples"),
        *([("runs", "Runs")] if is_compared else []),
        *([("cost", "Cost")] if has_cost else []),
        ("made", "How it was made"),
    )
    links = "".join(f'<li><a href="#{place}">{name}</a></li>' for place, name in places)
    return f'<nav aria-label="Contents"><ul>{links}</ul></nav>'


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
