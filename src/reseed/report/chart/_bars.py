"""Bars of a chart as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import final

from reseed.report.chart._axis import MOST, Axis, make_axis, shown, width
from reseed.report.chart._frame import (
    WIDTH,
    Names,
    frame_of,
    grid_html,
    last_reach,
    names_html,
    number,
    ticks_html,
    titles_html,
)
from reseed.report.chart._series import end_of, heights, interval, is_told, points, tone
from reseed.scores import Chart

_FILLED = 0.82  # of a place by its bars; the rest is space between places
_THIN = 0.5  # the least width of a bar


def draw_bars(chart: Chart, *, opens: bool = False) -> tuple[str, float]:
    """Return bars that begin at zero, side by side where there are several series, and the drawing's height.

    Args:
        chart: What to draw.
        opens: Whether the page can open the samples that points are.
    """
    y, titles = make_axis(heights(chart), with_zero=True), (chart.x, chart.y)
    is_named = any(isinstance(x, str) for one in chart.series for x in one.x)
    places = _named(chart) if is_named else _numbered(chart)
    names = Names.of(places.names, (WIDTH - max(map(width, y.labels)) - 12) / len(places.names)) if is_named else None
    frame = frame_of(y, titles, names=names, end=0.0 if places.axis is None else last_reach(places.axis))
    below = "" if places.axis is None else ticks_html(frame, places.axis)
    below += "" if names is None else names_html(frame, places.names, names)
    room = places.room * (frame.right - frame.left) * _FILLED
    each, zero, tells = room / len(chart.series), frame.up(y.share(0.0)), is_told(chart)
    drawn = []
    for place, one in enumerate(chart.series):
        bars, intervals = [], []
        for point in points(one):
            share = places.shares.get(point.name if is_named else point.x)
            if share is None or not math.isfinite(point.y):
                continue
            start, end = frame.across(share) - room / 2 + place * each, frame.up(y.share(point.y))
            bar = (
                f'<rect x="{number(start)}" y="{number(min(zero, end))}" width="{number(max(each, _THIN))}" '
                f'height="{number(abs(end - zero))}"'
            )
            bars.append(bar + end_of(point, "rect", told=tells, opens=opens))
            intervals.append(interval(start + each / 2, point, y, frame))
        drawn.append(f'<g class="{tone(place)} bars">{"".join(bars)}{"".join(intervals)}</g>')
    return grid_html(frame, y) + "".join(drawn) + below + titles_html(frame, titles), frame.height


@final
@dataclass(frozen=True)
class _Places:
    """Where the middles of bars are by their x, as shares of the plot's width, and how much room each has."""

    shares: Mapping[str | float, float]
    room: float
    names: tuple[str, ...] = ()
    axis: Axis | None = None


def _named(chart: Chart) -> _Places:
    names = tuple(dict.fromkeys(shown(x) for one in chart.series for x in one.x))
    return _Places({name: (place + 0.5) / len(names) for place, name in enumerate(names)}, 1 / len(names), names)


def _numbered(chart: Chart) -> _Places:
    known = sorted({float(x) for one in chart.series for x in one.x if math.isfinite(float(x))})
    gap = min((min(after - before, MOST) for before, after in pairwise(known)), default=1.0)
    axis = make_axis(known, padding=0, margin=gap / 2)
    shares: dict[str | float, float] = {x: axis.share(x) for x in known}
    return _Places(shares, min(gap / (axis.high / 2 - axis.low / 2) / 2, 1.0), axis=axis)
