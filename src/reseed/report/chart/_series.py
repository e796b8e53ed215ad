"""Lines and dots of a chart as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import final

from reseed.report import _text as text
from reseed.report.chart._axis import Axis, make_axis, shown
from reseed.report.chart._frame import Frame, frame_of, grid_html, last_reach, number, ticks_html, titles_html
from reseed.scores import Chart, Series

_TONES, _DASHES = 6, 4  # colours and kinds of lines that the stylesheet tells apart
_TOLD = 400  # points of a chart that say their values under the pointer; more would make pages heavy
_MARKED, _FEW = 40, 8  # points of a line that are marked by dots, and lines
_CAP = 3.0  # half the width of an interval's ends


@final
@dataclass(frozen=True)
class Point:
    """A point of a series.

    Attributes:
        series: What its series is called.
        name: What its x is called.
        x: Where it is; NaN for a name.
        y: The value; NaN where there is none.
        low: The lower end of its interval; NaN where there is none.
        high: The upper end.
        sample: The id of the sample that it is; empty where it is none.
    """

    series: str
    name: str
    x: float
    y: float
    low: float
    high: float
    sample: str = ""

    @property
    def has_interval(self) -> bool:
        """Whether both ends are known."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def title(self) -> str:
        """What is shown under the pointer."""
        ends = f" ({shown(self.low)} to {shown(self.high)})" if self.has_interval else ""
        name = f"{self.series}, " if self.series else ""
        name = f"{text.shown_id(self.sample)}; {name}" if self.sample else name
        return f"<title>{text.escape(text.clip(f'{name}{self.name}: {shown(self.y)}{ends}', 200))}</title>"


def points(series: Series) -> list[Point]:
    """Return the points of a series."""
    missing, xs = (math.nan,) * len(series.y), list[float | str](series.x)
    return [
        Point(
            series.name, shown(x), math.nan if isinstance(x, str) else float(x), float(y), float(low), float(high), name
        )
        for x, y, low, high, name in zip(
            xs, series.y, series.low or missing, series.high or missing, series.ids or ("",) * len(xs), strict=True
        )
    ]


def tone(place: int) -> str:
    """Return the classes of a series: its colour, and its kind of line, so that lines differ without colours too."""
    return f"tone-{place % _TONES} dash-{(place + place // _TONES) % _DASHES}"


def is_told(chart: Chart) -> bool:
    """Whether the points of a chart are few enough to say their values under the pointer."""
    return sum(len(one.x) for one in chart.series) <= _TOLD


def end_of(point: Point, element: str, *, told: bool, opens: bool) -> str:
    """Return the end of a point's element: what it says under the pointer, or which sample a click on it opens."""
    if opens and point.sample:
        return f' data-sample="{text.escape(text.shown_id(point.sample))}"/>'
    return f">{point.title}</{element}>" if told else "/>"


def heights(chart: Chart) -> Iterator[float]:
    """Yield all that the vertical axis must hold."""
    for one in chart.series:
        yield from (*one.y, *one.low, *one.high)


def draw_lines(chart: Chart, *, opens: bool = False) -> tuple[str, float]:
    """Return lines over bands of their intervals, and the drawing's height; values that are NaN leave gaps.

    Args:
        chart: What to draw.
        opens: Whether the page can open the samples that points are.
    """
    plot = _Plot.of(chart, opens=opens)
    drawn = []
    for place, one in enumerate(chart.series):
        pieces = [piece for piece in _pieces(points(one)) if piece]
        bands = "".join(plot.band(part) for piece in pieces for part in _with_intervals(piece))
        lines = "".join(plot.line(piece) for piece in pieces)
        # A point between two gaps has no line, so it is a dot however many there are.
        has_dots = len(one.x) <= _MARKED and len(chart.series) <= _FEW
        marked = [point for piece in pieces for point in piece if has_dots or len(piece) == 1]
        dots = "".join(plot.dot(point, 2.5) for point in marked)
        drawn.append(f'<g class="{tone(place)}"><title>{text.escape(one.name)}</title>{bands}{lines}{dots}</g>')
    return plot.head + "".join(drawn), plot.frame.height


def draw_scatter(chart: Chart, *, opens: bool = False) -> tuple[str, float]:
    """Return dots with their intervals, and the drawing's height; see `draw_lines`."""
    plot = _Plot.of(chart, opens=opens)
    drawn = []
    for place, one in enumerate(chart.series):
        known = [point for piece in _pieces(points(one)) for point in piece]
        bars = "".join(interval(plot.x_of(point), point, plot.y, plot.frame) for point in known)
        dots = "".join(plot.dot(point, 3.0) for point in known)
        drawn.append(f'<g class="{tone(place)} cloud">{bars}{dots}</g>')
    return plot.head + "".join(drawn), plot.frame.height


def interval(x: float, point: Point, y: Axis, frame: Frame) -> str:
    """Return the interval of a point as an upright line with ends; nothing where there is none."""
    if not point.has_interval:
        return ""
    low, high = number(frame.up(y.share(point.low))), number(frame.up(y.share(point.high)))
    left, right, middle = number(x - _CAP), number(x + _CAP), number(x)
    return f'<path class="interval" d="M{left} {low}H{right}M{middle} {low}V{high}M{left} {high}H{right}"/>'


@final
@dataclass(frozen=True)
class _Plot:
    """Two axes of numbers in their frame."""

    x: Axis
    y: Axis
    frame: Frame
    head: str
    is_told: bool
    opens: bool

    @classmethod
    def of(cls, chart: Chart, *, opens: bool) -> _Plot:
        x = make_axis((float(value) for one in chart.series for value in one.x), padding=0.03)
        y = make_axis(heights(chart))
        titles = (chart.x, chart.y)
        frame = frame_of(y, titles, end=last_reach(x))
        head = grid_html(frame, y) + ticks_html(frame, x) + titles_html(frame, titles)
        return cls(x, y, frame, head, is_told(chart), opens)

    def x_of(self, point: Point) -> float:
        return self.frame.across(self.x.share(point.x))

    def y_of(self, value: float) -> float:
        return self.frame.up(self.y.share(value))

    def line(self, piece: Sequence[Point]) -> str:
        if len(piece) < 2:
            return ""
        places = " ".join(f"{number(self.x_of(point))},{number(self.y_of(point.y))}" for point in piece)
        return f'<polyline points="{places}"/>'

    def band(self, piece: Sequence[Point]) -> str:
        if len(piece) == 1:
            return interval(self.x_of(piece[0]), piece[0], self.y, self.frame)
        there = [(self.x_of(point), self.y_of(point.high)) for point in piece]
        back = [(self.x_of(point), self.y_of(point.low)) for point in reversed(piece)]
        places = " ".join(f"{number(x)},{number(y)}" for x, y in (*there, *back))
        return f'<polygon class="band" points="{places}"/>'

    def dot(self, point: Point, radius: float) -> str:
        start = f'<circle cx="{number(self.x_of(point))}" cy="{number(self.y_of(point.y))}" r="{number(radius)}"'
        return start + end_of(point, "circle", told=self.is_told, opens=self.opens)


def _pieces(found: Sequence[Point]) -> list[list[Point]]:
    """Return what lies between gaps."""
    parts = groupby(found, key=lambda point: math.isfinite(point.x) and math.isfinite(point.y))
    return [list(piece) for is_known, piece in parts if is_known]


def _with_intervals(piece: Sequence[Point]) -> list[list[Point]]:
    parts = groupby(piece, key=lambda point: point.has_interval)
    return [list(part) for has_interval, part in parts if has_interval]
