"""The page of a study: its parts put together, and the file written."""

import os
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
    drawn = charts(data)
    table = sample_table(data)
    figures = {chart.name: chart.figure for chart in drawn if chart.figure is not None}
    where, cost = _sections.where(data), _sections.cost(data)
    by_name = {chart.name: _sections.chart(chart) for chart in drawn}
    body = (
        '<a class="skip" href="#samples">Skip to the samples</a><main>',
        _headline.header(data),
        _headline.notes(data),
        _navigation(has_where=bool(where), has_cost=bool(cost)),
        _headline.headline(data),
        '<section id="picture" aria-labelledby="picture-title"><h2 id="picture-title">The picture</h2>',
        '<noscript><p class="caption">The charts need scripts; the words say what they show.</p></noscript>',
        f'<div class="charts">{by_name["map"]}{by_name["histogram"]}</div></section>',
        '<section id="labels" aria-labelledby="labels-title"><h2 id="labels-title">Which labels</h2>',
        f'<div class="columns">{_sections.pairs(data)}{_sections.classes(data)}</div></section>',
        where,
        _samples(data, table),
        '<section id="runs" aria-labelledby="runs-title"><h2 id="runs-title">How many runs</h2>',
        f'<div class="single">{by_name["rarefaction"]}</div></section>',
        cost,
        _sections.provenance(data),
        "</main>",
    )
    return document(data.title, "\n".join(body), {"figures": figures, "samples-data": table.payload}, "page.js")


def write(data: ReportData, path: str | os.PathLike[str]) -> Path:
    """Write the report to a file, which either is complete or does not appear.

    Args:
        data: What the page shows.
        path: Where to put it; missing folders are made, an existing file is replaced.

    Returns:
        The path written.

    Raises:
        InputError: The path is a folder.
    """
    return write_page(render(data), path)


def _navigation(*, has_where: bool, has_cost: bool) -> str:
    places = (
        ("numbers", "Numbers"),
        ("picture", "Picture"),
        ("labels", "Labels"),
        *([("where", "Where")] if has_where else []),
        ("samples", "Samples"),
        ("runs", "Runs"),
        *([("cost", "Cost")] if has_cost else []),
        ("made", "How it was made"),
    )
    links = "".join(f'<li><a href="#{place}">{name}</a></li>' for place, name in places)
    return f'<nav aria-label="Contents"><ul>{links}</ul></nav>'


def _samples(data: ReportData, table: SampleTable) -> str:
    held = len(table.payload["ids"])
    shown = min(held, STATIC_ROWS)
    intro = "Least stable first. Bars show how the runs voted: grey for the top answer, colour for the others."
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
        '<label><input type="checkbox" id="only-unstable"> only unstable</label>'
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
