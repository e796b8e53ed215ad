"""A heat map of a chart as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from reseed.report import _text as text
from reseed.report.chart._axis import FONT, fitted, shown, width
from reseed.report.chart._frame import LINE, LONGEST, WIDTH, Frame, Names, names_html, number, titles_html
from reseed.scores import Chart

_LEVELS = 16  # colours of the scale, see the stylesheet
_SWATCH = 9.0
_TOLD = 1_000  # cells of a map that say their values under the pointer
_ROW, _SMALLEST, _TALLEST = 22.0, 90.0, 330.0  # the height of a row, and of all rows


def draw_cells(chart: Chart, places: Mapping[tuple[int, int], str] | None = None) -> tuple[str, float]:
    """Return a heat map under the scale of its colours, and the drawing's height; cells that are NaN stay empty.

    Args:
        chart: What to draw.
        places: For some cells, by row and column, the place in the page that a click on it leads to.
    """
    known = [float(value) for row in chart.cells for value in row if math.isfinite(value)]
    low, high = (min(known), max(known)) if known else (math.nan, math.nan)
    names = tuple(" ".join(name.split()) for name in chart.columns)
    left = min(max((width(name[:60]) for name in chart.rows), default=0.0), LONGEST) + 6
    how = Names.of(names, (WIDTH - left - 6) / len(names))
    left = max(left, how.left - 6 if how.is_turned else 0.0)
    top = 2 * LINE + FONT if chart.y else LINE + FONT
    bottom = top + min(max(len(chart.rows) * _ROW, _SMALLEST), _TALLEST)
    frame = Frame(left, top, WIDTH - 6, bottom, how.height + (LINE if chart.x else 0.0) + 4)
    has_gaps = len(known) < sum(map(len, chart.cells))
    parts = [scale_html(chart.y, low, high, has_gaps=has_gaps), _rows(chart.rows, frame), names_html(frame, names, how)]
    parts.append(titles_html(frame, (chart.x, "")))
    box = f'x="{number(left)}" y="{number(top)}" width="{number(frame.right - left)}" height="{number(bottom - top)}"'
    return "".join(
        [*parts, *_cells(chart, frame, (low, high), places or {}), f'<rect class="box" {box}/>']
    ), frame.height


def level(value: float, low: float, high: float) -> int:
    """Return which colour of the scale a value has; where all values are equal, that in the middle.

    Examples:
        >>> level(0.0, 0.0, 1.0), level(0.5, 0.0, 1.0), level(1.0, 0.0, 1.0)
        (0, 8, 15)
    """
    span = high / 2 - low / 2
    return _LEVELS // 2 if not span > 0 else min(int((value / 2 - low / 2) / span * _LEVELS), _LEVELS - 1)


def _cells(chart: Chart, frame: Frame, ends: tuple[float, float], places: Mapping[tuple[int, int], str]) -> list[str]:
    """Return a rectangle for each cell, of very many cells one path for each colour."""
    is_told = len(chart.rows) * len(chart.columns) <= _TOLD
    wide = (frame.right - frame.left) / len(chart.columns)
    tall = (frame.bottom - frame.top) / len(chart.rows)
    size = f'width="{wide:.2f}" height="{tall:.2f}"'
    drawn: list[str] = []
    many: dict[int, list[str]] = {}
    for row, values in enumerate(chart.cells):
        for column, value in enumerate(values):
            if not math.isfinite(value):
                continue
            x, y, colour = frame.left + column * wide, frame.top + row * tall, level(value, *ends)
            if not is_told:
                many.setdefault(colour, []).append(f"M{x:.1f} {y:.1f}h{wide:.2f}v{tall:.2f}h-{wide:.2f}z")
                continue
            place = places.get((row, column))
            link = "" if place is None else f' data-place="{text.escape(place)}"'
            told = text.escape(text.clip(f"{chart.rows[row]}, {chart.columns[column]}: {shown(value)}", 200))
            drawn.append(
                f'<rect class="heat-{colour}" x="{x:.2f}" y="{y:.2f}" {size}{link}><title>{told}</title></rect>'
            )
    return drawn + [f'<path class="heat-{colour}" d="{"".join(each)}"/>' for colour, each in sorted(many.items())]


def scale_html(title: str, low: float, high: float, *, has_gaps: bool) -> str:
    """Return the colours from the lowest value to the highest, with the ends and what they are."""
    parts, y = [], LINE + FONT if title else FONT
    if title:
        parts.append(f'<text class="title" x="0" y="{number(FONT)}">{text.escape(fitted(title, WIDTH))}</text>')
    if not math.isfinite(low):
        return "".join([*parts, f'<text x="0" y="{number(y)}">no cell has a value</text>'])
    first, last = shown(low), shown(high)
    parts.append(f'<text x="0" y="{number(y)}">{first}</text>')
    x = width(first) + 6
    colours = range(_LEVELS) if high > low else (level(low, low, high),)
    for colour in colours:
        parts.append(
            f'<rect class="heat-{colour}" x="{number(x)}" y="{number(y - 10)}" width="{number(_SWATCH)}" height="11"/>'
        )
        x += _SWATCH
    words = [last] if high > low else []
    words += ["empty: no value"] if has_gaps else []
    return "".join([*parts, f'<text x="{number(x + 6)}" y="{number(y)}">{"; ".join(words)}</text>'])


def _rows(names: Sequence[str], frame: Frame) -> str:
    tall = (frame.bottom - frame.top) / len(names)
    every = max(1, math.ceil((FONT + 1) / tall))
    return "".join(
        f'<text x="{number(frame.left - 6)}" y="{number(frame.top + (place + 0.5) * tall)}" dy=".35em" '
        f'text-anchor="end">{text.escape(fitted(names[place], frame.left - 6))}</text>'
        for place in range(0, len(names), every)
    )
