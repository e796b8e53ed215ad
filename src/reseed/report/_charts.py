"""The charts as plain plotly figures (data and layout); colours and fonts are added by the page's script."""

import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from reseed._parts import Parts
from reseed.report import _text as text
from reseed.report._data import ReportData

MAP, HISTOGRAM, RAREFACTION = "Where the unstable answers are", "How unstable they are", "Would more runs find more?"
_MAP_POINTS = 3_000
_MAP_UNSTABLE = 2_000
_BINS = 24

Figure = dict[str, Any]


@dataclass(frozen=True)
class Chart:
    """A chart and everything that stands in for it: a caption, a text alternative, the numbers behind it."""

    name: str
    title: str
    caption: str
    alternative: str
    figure: Figure | None = None
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = field(default=())


def charts(data: ReportData, parts: Parts) -> tuple[Chart, ...]:
    """The charts of a page, also those that cannot be drawn for want of numbers (which then say why)."""
    makers = {MAP: data_map, HISTOGRAM: histogram, RAREFACTION: rarefaction}
    made = (drawn(title, partial(chart, data), parts) for title, chart in makers.items())
    return tuple(chart for chart in made if chart is not None)


def drawn(title: str, make: Callable[[], Chart], parts: Parts) -> Chart | None:
    """A chart whose figure a page can hold; None, with a note, where it cannot be made."""

    def checked() -> Chart:
        chart = make()
        text.inline_json(chart.figure)  # fails here, and not the page, where a number is none
        return chart

    return parts.make(f"The chart '{title}' is missing", checked, None)


def data_map(data: ReportData) -> Chart:
    """Mean confidence against its spread over the runs, one dot a sample, coloured by label entropy."""
    name, title = "map", MAP
    known = np.isfinite(data.confidence_mean) & np.isfinite(data.confidence_std)
    if not known.any():
        reason = "The data map needs the confidence of the runs, which was not recorded."
        return Chart(name, title, reason, reason)
    order = data.order[known[data.order]]
    shown = _thin(order, data.unstable[order])[::-1]  # the least stable are drawn last, on top
    entropy = np.nan_to_num(np.asarray(data.label_entropy, dtype=float)[shown], nan=0.0)
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": _rounded(data.confidence_std[shown]),
        "y": _rounded(data.confidence_mean[shown]),
        "hovertext": [_hover(data, int(sample)) for sample in shown],
        "hoverinfo": "text",
        "customdata": [text.clip(text.visible(data.sample_ids[int(sample)]), 80) for sample in shown],
        "marker": {
            "color": _rounded(entropy),
            "cmin": 0,
            "cmax": max(float(entropy.max()), 1e-3),
            "size": 7,
            "line": {"width": 0.5},
            "colorbar": {
                "title": {"text": "label entropy"},
                "orientation": "h",  # above the dots, so that they keep the width in narrow windows
                "thickness": 10,
                "len": 0.8,
                "y": 1.0,
                "yanchor": "bottom",
                "outlinewidth": 0,
            },
        },
    }
    layout = {
        "xaxis": {"title": {"text": "spread of the confidence (std)"}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": "mean confidence"}},
        "hovermode": "closest",
    }
    return Chart(name, title, *_map_words(data, known, len(shown)), {"data": [trace], "layout": layout})


def _thin(order: Int[np.ndarray, " sample"], unstable: Bool[np.ndarray, " sample"]) -> Int[np.ndarray, " shown"]:
    """All samples if they are few, else the most unstable ones and an even choice among the rest."""
    if len(order) <= _MAP_POINTS:
        return order
    first = min(int(unstable.sum()), _MAP_UNSTABLE)
    rest = np.linspace(first, len(order) - 1, _MAP_POINTS - first).round().astype(int)
    kept: np.ndarray = order[np.concatenate([np.arange(first), rest])]
    return kept


def _map_words(data: ReportData, known: Bool[np.ndarray, " sample"], shown: int) -> tuple[str, str]:
    total = int(known.sum())
    caption = (
        f"One dot per sample. Confidence is the probability that a run gives to {data.confidence_of}. Low and to the "
        "right: the runs are unsure and differ. A strongly coloured dot high up is the surprising kind: confident, and "
        "yet another answer the next time."
    )
    if shown < total:
        caption += f" {text.count(shown)} of {text.plural(total, 'sample')} are drawn, the most unstable first."
    if total < len(known):
        caption += f" {text.plural(len(known) - total, 'sample')} without a recorded confidence are left out."
    parts = [f"Scatter plot of {text.plural(shown, 'sample')}: mean confidence against its spread over the runs."]
    for word, group in (("unstable", known & data.unstable), ("stable", known & ~data.unstable)):
        if group.any():
            mean = text.decimal(float(data.confidence_mean[group].mean()), 2)
            spread = text.decimal(float(data.confidence_std[group].mean()), 2)
            parts.append(f"The {word} samples have a mean confidence of {mean} with a spread of {spread}.")
    return caption, " ".join(parts)


def _hover(data: ReportData, sample: int) -> str:
    """What the pointer shows; line breaks are ours, everything else is escaped."""
    mean, spread = float(data.confidence_mean[sample]), float(data.confidence_std[sample])
    lines = [text.clip(str(data.sample_ids[sample]), 40)]
    if data.texts is not None:
        lines += textwrap.wrap(text.clip(data.texts[sample], 80), 40)
    lines += textwrap.wrap(text.clip(answer_text(data, sample), 80), 40)
    lines.append(f"confidence {mean:.2f} \u00b1 {spread:.2f}")
    return "<br>".join(map(text.escape_chart, lines))


def answer_text(data: ReportData, sample: int, most: int = 6) -> str:
    """The answers of one sample in words, such as `transfer ×31 · balance ×19`."""
    answer = data.given(sample)
    words = [f"{text.clip(data.class_name(label), 60)}{text.NBSP}\u00d7{times}" for label, times in answer[:most]]
    if len(answer) > most:
        words.append(f"{len(answer) - most} more")
    return " \u00b7 ".join(words)


def histogram(data: ReportData) -> Chart:
    """How unstable the unstable samples are; the zeros are counted in words, not drawn."""
    name, title = "histogram", HISTOGRAM
    entropy = np.asarray(data.label_entropy, dtype=float)
    zeros = int((entropy == 0).sum())
    values = entropy[np.isfinite(entropy) & (entropy > 0)]
    total = len(entropy)
    agree = f"{text.count(zeros)} of {text.plural(total, 'sample')} have label entropy 0 and are not drawn."
    undefined = int((~np.isfinite(entropy)).sum())
    if undefined:
        agree += f" It is undefined for {text.count(undefined)}."
    if not len(values):
        return Chart(name, title, f"No sample has a label entropy above 0. {agree}", f"No sample is unstable. {agree}")
    top = max(math.log(2), float(values.max())) * 1.0001
    counts, edges = np.histogram(values, bins=_BINS, range=(0.0, top))
    rows = tuple(
        (f"{low:.2f} to {high:.2f}", text.count(int(size)))
        for low, high, size in zip(edges[:-1], edges[1:], counts, strict=True)
        if size
    )
    trace = {
        "type": "bar",
        "x": _rounded((edges[:-1] + edges[1:]) / 2),
        "y": counts.tolist(),
        "width": float(edges[1] - edges[0]),
        "hovertext": [
            f"label entropy {low:.2f} to {high:.2f}<br>{text.plural(int(size), 'sample')}"
            for low, high, size in zip(edges[:-1], edges[1:], counts, strict=True)
        ],
        "hoverinfo": "text",
        "textposition": "none",
    }
    layout = {
        "xaxis": {"title": {"text": "label entropy (nats)"}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": "unstable samples"}},
        "bargap": 0.08,
    }
    median = text.decimal(float(np.median(values)))
    caption = f"The unstable samples only: {agree} The median of those drawn is {median}."
    alternative = (
        f"Histogram of the label entropy of {text.plural(len(values), 'unstable sample')}, "
        f"from {text.decimal(float(values.min()))} to {text.decimal(float(values.max()))} nats. {agree}"
    )
    columns = ("Label entropy (nats)", "Samples")
    return Chart(name, title, caption, alternative, {"data": [trace], "layout": layout}, columns, rows)


def rarefaction(data: ReportData) -> Chart:
    """The share of unstable samples that fewer runs would have found."""
    name, title = "rarefaction", RAREFACTION
    points = [
        (int(size), float(share))
        for size, share in zip(*(data.rarefaction or ((), ())), strict=True)
        if math.isfinite(share)
    ]
    if len(points) < 2:
        reason = "The curve needs at least two runs."
        return Chart(name, title, reason, reason)
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [size for size, _ in points],
        "y": [round(100 * share, 4) for _, share in points],
        "hovertext": [f"{text.plural(size, 'run')}: {text.percent(share)} unstable" for size, share in points],
        "hoverinfo": "text",
        "marker": {"size": 6},
    }
    layout = {
        "xaxis": {"title": {"text": "runs"}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": "unstable samples (%)"}, "rangemode": "tozero"},
    }
    (first, low), (last, high) = points[0], points[-1]
    gain = text.decimal(100 * (high - points[-2][1]), 2)
    caption = (
        "The expected share of unstable samples in a random choice of so many of the runs. "
        f"The last step, from {points[-2][0]} to {last} runs, adds {gain} percentage points: "
        "as long as the curve climbs, more runs would find more."
    )
    alternative = (
        f"Line chart: {text.percent(low)} of the samples are unstable in {text.plural(first, 'run')}, "
        f"{text.percent(high)} in {text.plural(last, 'run')}."
    )
    rows = tuple((text.count(size), text.percent(share)) for size, share in points)
    figure = {"data": [trace], "layout": layout}
    return Chart(name, title, caption, alternative, figure, ("Runs", "Unstable"), rows)


def _rounded(values: Float[np.ndarray, " point"]) -> list[float]:
    return [round(float(value), 4) for value in values]
