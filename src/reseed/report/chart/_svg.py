"""A chart of any lens as a figure: an inline SVG drawn from plain data, a legend, the sentence, and the values.

Nothing here runs a script: colours and fonts are the stylesheet's, so that one drawing serves light and dark, wide and
narrow, and paper.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping

from reseed.report import _text as text
from reseed.report.chart._axis import shown
from reseed.report.chart._bars import draw_bars
from reseed.report.chart._cells import draw_cells
from reseed.report.chart._frame import WIDTH, number
from reseed.report.chart._series import draw_lines, draw_scatter, points, tone
from reseed.scores import Chart, Passage, Picture

_ROWS, _COLUMNS = 100, 24  # of the table of values
_LEGEND = 24
_WORDS = 2_000  # letters of a title or a sentence
_NAME = 80
_LETTERS = 600  # of a passage
_DRAW = {"lines": draw_lines, "scatter": draw_scatter, "bars": draw_bars}


def chart_html(chart: Chart, places: Mapping[tuple[int, int], str] | None = None, *, opens: bool = False) -> str:
    """Return a chart as a figure in HTML that is well-formed XML too; everything in it is untrusted text.

    Args:
        chart: What to draw.
        places: For cells of a heat map, by row and column, the place in the page that a click on it leads to.
        opens: Whether the page can open the samples that points, pictures and passages are.

    Examples:
        >>> from reseed.scores import Series
        >>> drawn = chart_html(Chart("bars", "Flips", "The cat flips.", series=(Series("", ("cat",), (3.0,)),)))
        >>> drawn[:33], "<svg" in drawn
        ('<figure class="drawing"><h3>Flips', True)
    """
    if chart.kind in ("images", "texts"):
        inside = _pictures(chart, opens=opens) if chart.kind == "images" else _passages(chart, opens=opens)
        return figure_html(chart.title, chart.sentence, inside)
    drawn, height = draw_cells(chart, places) if chart.kind == "heat map" else _DRAW[chart.kind](chart, opens=opens)
    svg = svg_html(chart.title, chart.sentence, drawn, height)
    return figure_html(chart.title, chart.sentence, _legend(chart) + svg, _values(chart))


def figure_html(title: str, sentence: str, inside: str = "", below: str = "") -> str:
    """Return a figure: its title, which is untrusted text, HTML, the sentence, which is untrusted too, and HTML."""
    return (
        f'<figure class="drawing"><h3>{text.escape(text.clip(title, _WORDS))}</h3>{inside}'
        f"<figcaption>{text.escape(text.clip(sentence, _WORDS))}</figcaption>{below}</figure>"
    )


def svg_html(title: str, sentence: str, drawn: str, height: float) -> str:
    """Return a drawing with the words that stand for it."""
    said = text.escape(f"{text.clip(title, _WORDS)}. {text.clip(sentence, _WORDS)}")
    return f'<svg viewBox="0 0 {number(WIDTH)} {number(height)}" role="img" aria-label="{said}">{drawn}</svg>'


def _pictures(chart: Chart, *, opens: bool) -> str:
    items = "".join(
        f'<li><img src="data:image/png;base64,{base64.b64encode(one.png).decode("ascii")}" '
        f'alt="{text.escape(text.clip(one.caption, _NAME))}" />'
        f"<span>{_caption(one, opens=opens)}</span></li>"
        for one in chart.pictures
    )
    return f'<ul class="pictures">{items}</ul>'


def _caption(one: Picture | Passage, *, opens: bool) -> str:
    """Return the words below a picture or passage, which lead to its sample where the page can open that."""
    words = text.escape(text.clip(one.caption, _WORDS))
    if not (opens and one.sample):
        return words
    return f'<a class="id" href="{text.escape(text.sample_place(text.shown_id(one.sample)))}">{words}</a>'


def _passages(chart: Chart, *, opens: bool) -> str:
    """Return texts in which what was taken out and what was put in is marked, for eyes and for readers of the code."""
    tags = {"": ("", ""), "removed": ("<del>", "</del>"), "added": ("<ins>", "</ins>")}
    items = []
    for one in chart.passages:
        left, pieces = _LETTERS, []
        for mark, words in one.parts:
            before, after = tags[mark]
            pieces.append(f"{before}<bdi>{text.escape(text.clip(words, left))}</bdi>{after}")
            left -= len(words)
            if left <= 0:
                break
        items.append(f"<li><p>{''.join(pieces)}</p><span>{_caption(one, opens=opens)}</span></li>")
    return f'<ul class="passages">{"".join(items)}</ul>'


def _legend(chart: Chart) -> str:
    """Return what the series are called, beside a piece of each; nothing for one alone."""
    if len(chart.series) < 2:
        return ""
    mark = {
        "lines": '<polyline points="0,6 26,6"/>',
        "scatter": '<circle cx="13" cy="6" r="3.5"/>',
        "bars": '<rect x="4" y="0" width="18" height="12"/>',
    }[chart.kind]
    extra = {"lines": "", "scatter": " cloud", "bars": " bars"}[chart.kind]
    items = [
        f'<li><svg viewBox="0 0 26 12" aria-hidden="true"><g class="{tone(place)}{extra}">{mark}</g></svg>'
        f"<bdi>{text.escape(text.clip(one.name, _NAME))}</bdi></li>"
        for place, one in enumerate(chart.series[:_LEGEND])
    ]
    if len(chart.series) > _LEGEND:
        items.append(f"<li>{text.count(len(chart.series) - _LEGEND)} more</li>")
    return f'<ul class="legend">{"".join(items)}</ul>'


def _values(chart: Chart) -> str:
    """Return a table of the values, for those who cannot see the drawing; the first of many."""
    head, rows, remarks = _of_cells(chart) if chart.kind == "heat map" else _of_series(chart)
    names = "".join(f'<th scope="col">{text.escape(text.clip(name, _NAME))}</th>' for name in head)
    body = "".join("<tr>" + "".join(_cell(value) for value in row) + "</tr>" for row in rows)
    told = "".join(f"<p>{remark}</p>" for remark in remarks)
    return (
        f'<details class="behind"><summary>The values in this chart</summary>{told}<div class="scroll"><table>'
        f"<thead><tr>{names}</tr></thead><tbody>{body}</tbody></table></div></details>"
    )


_Row = tuple[str | float, ...]


def _of_cells(chart: Chart) -> tuple[list[str], list[_Row], list[str]]:
    rows: list[_Row] = [
        (name, *values[:_COLUMNS]) for name, values in zip(chart.rows[:_ROWS], chart.cells[:_ROWS], strict=True)
    ]
    remarks = [*_more(len(chart.rows), _ROWS, "rows"), *_more(len(chart.columns), _COLUMNS, "columns")]
    return [chart.y or "", *chart.columns[:_COLUMNS]], rows, remarks


def _of_series(chart: Chart) -> tuple[list[str], list[_Row], list[str]]:
    has_names, has_ends = len(chart.series) > 1, any(one.low for one in chart.series)
    rows: list[_Row] = []
    for one in chart.series:
        for point in points(one)[: _ROWS - len(rows)]:
            ends = (point.low, point.high) if has_ends else ()
            rows.append((*((one.name,) if has_names else ()), point.name, point.y, *ends))
    head = [*(["series"] if has_names else []), chart.x or "x", chart.y or "value"]
    head += ["from (interval)", "to (interval)"] if has_ends else []
    return head, rows, [*_more(sum(len(one.x) for one in chart.series), _ROWS, "points")]


def _more(total: int, most: int, noun: str) -> Iterable[str]:
    return [f"The first {most} of {text.count(total)} {noun}."] if total > most else []


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return f"<td><bdi>{text.escape(text.clip(value, _NAME))}</bdi></td>"
    found = shown(value)
    return f'<td class="number">{text.missing(found) if found == "no value" else found}</td>'
