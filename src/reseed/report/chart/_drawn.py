"""Charts drawn by matplotlib, for notebooks and papers: the same plain data that pages draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from reseed._errors import InputError, MissingExtraError
from reseed.scores import Chart, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDE, _HIGH = 6.4, 3.8  # inches of a chart
_MANY_NAMES = 6
_DOTS = 300  # of which more are drawn small


def figure_of(charts: Sequence[Chart], what: str) -> Figure:
    """Return a figure with the charts one below the other; texts, which are no drawings, are left out.

    Args:
        charts: What to draw.
        what: What they are of, for the message.

    Raises:
        MissingExtraError: matplotlib is not installed.
        InputError: There is nothing to draw.
    """
    shown = [chart for chart in charts if chart.kind != "texts"]
    if not shown:
        raise InputError(f"{what} has no chart to draw; report() shows it as text, to_pandas() as a table.")
    try:
        from reseed.report.chart._figure import ShownFigure
    except ImportError as error:
        raise MissingExtraError("plot needs matplotlib: pip install 'reseed[plot]'.") from error
    figure = ShownFigure(figsize=(_WIDE, _HIGH * len(shown)), layout="constrained")
    for place, chart in enumerate(shown, start=1):
        _draw(figure.add_subplot(len(shown), 1, place), chart)
    return figure


def _draw(axes: Axes, chart: Chart) -> None:
    axes.set_title(_literal(chart.title), loc="left")
    if chart.kind == "heat map":
        _heat_map(axes, chart)
    elif chart.kind == "images":
        _images(axes, chart)
    else:
        for number, series in enumerate(chart.series):
            _series(axes, chart.kind, series, number, len(chart.series))
        axes.set_xlabel(_literal(chart.x))
        axes.set_ylabel(_literal(chart.y))
        if len(chart.series) > 1:
            axes.legend()


def _series(axes: Axes, kind: str, series: Series, number: int, of: int) -> None:
    name, y = _literal(series.name), series.y
    errors = None
    if series.low:
        pairs = zip(series.low, y, series.high, strict=True)
        errors = list(zip(*((max(0.0, at - low), max(0.0, high - at)) for low, at, high in pairs), strict=True))
    if kind == "scatter":
        axes.scatter(series.x, y, s=6 if len(y) > _DOTS else 16, alpha=0.7, label=name)
    elif kind == "lines":
        (line,) = axes.plot(series.x, y, marker="o", markersize=3, label=name)
        if series.low:
            axes.fill_between(series.x, series.low, series.high, alpha=0.2, color=line.get_color())
    else:
        _bars(axes, series, errors, name, number, of)


def _bars(axes: Axes, series: Series, errors: Any, name: str, number: int, of: int) -> None:
    are_names = any(isinstance(x, str) for x in series.x)
    places = [float(place) for place in range(len(series.x))] if are_names else [float(x) for x in series.x]
    gaps = (after - at for at, after in pairwise(places) if after > at)
    width = 0.8 / of * min(gaps, default=1.0)
    shifted = [place + (number - (of - 1) / 2) * width for place in places]
    axes.bar(shifted, series.y, width, yerr=errors, capsize=3, label=name)
    if are_names:
        slant = 30 if len(series.x) > _MANY_NAMES else 0
        labels = [_literal(str(x)) for x in series.x]
        axes.set_xticks(places, labels, rotation=slant, ha="right" if slant else "center")


def _heat_map(axes: Axes, chart: Chart) -> None:
    image = axes.imshow(chart.cells, aspect="auto")
    axes.set_xticks(range(len(chart.columns)), list(map(_literal, chart.columns)), rotation=30, ha="right")
    axes.set_yticks(range(len(chart.rows)), list(map(_literal, chart.rows)))
    axes.set_xlabel(_literal(chart.x))
    axes.figure.colorbar(image, ax=axes, label=_literal(chart.y))


def _images(axes: Axes, chart: Chart) -> None:
    from PIL import Image

    columns = math.ceil(math.sqrt(len(chart.pictures)))
    rows = math.ceil(len(chart.pictures) / columns)
    axes.set_axis_off()
    for place, picture in enumerate(chart.pictures):
        row, column = divmod(place, columns)
        inset = axes.inset_axes((column / columns, 1 - (row + 1) / rows, 0.9 / columns, 0.8 / rows))
        inset.imshow(Image.open(BytesIO(picture.png)).convert("RGB"))
        inset.set_title(_literal(picture.caption), fontsize=7)
        inset.set_axis_off()


def _literal(text: str) -> str:
    """A text in which matplotlib sees no formula."""
    return text.replace("$", r"\$")
