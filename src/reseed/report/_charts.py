"""The charts of a study's page, drawn as SVG: what is unstable, how much, how labels replace each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Int

from reseed._parts import Parts
from reseed.report import _text as text
from reseed.report._data import ReportData
from reseed.report.chart._dots import Dot, draw_dots
from reseed.report.chart._svg import chart_html, figure_html, svg_html
from reseed.scores import Chart, Series

MAP, HISTOGRAM, RAREFACTION = "Where the unstable answers are", "How unstable they are", "Would more runs find more?"
FLIPS = "From answer to answer"
_SPREAD, _MEAN = "spread of the confidence (standard deviation)", "mean confidence"
_MAP_POINTS = 3_000
_MAP_UNSTABLE = 2_000
_BINS = 24
_FLIPPED = 24  # classes in the map of flips


def charts(data: ReportData, rows: Sequence[int], parts: Parts) -> Mapping[str, str]:
    """The charts of a page by name, as HTML; those that lack numbers say why, those that fail are empty.

    Args:
        data: What the page shows.
        rows: The samples that its table holds.
        parts: Takes note of charts that cannot be made.
    """
    makers: dict[str, tuple[str, Callable[[ReportData], str]]] = {
        "map": (MAP, partial(data_map, rows=rows)),
        "histogram": (HISTOGRAM, histogram),
        "rarefaction": (RAREFACTION, rarefaction),
        "flips": (FLIPS, flips),
    }
    return {name: drawn(title, partial(make, data), parts) for name, (title, make) in makers.items()}


def page_charts(data: ReportData) -> tuple[Chart, ...]:
    """Return the charts of a study's page as plain data, those that there are."""
    found = (_map_chart(data), _histogram_chart(data), _rarefaction_chart(data), _flips_chart(data)[0])
    return tuple(chart for chart in found if isinstance(chart, Chart))


def drawn(title: str, make: Callable[[], str], parts: Parts) -> str:
    """A chart as HTML; nothing, with a note, where it cannot be made."""
    return parts.make(f"The chart '{title}' is missing", make, "")


def data_map(data: ReportData, rows: Sequence[int] = ()) -> str:
    """Mean confidence against its spread over the runs, one dot a sample, coloured by label entropy.

    Args:
        data: What the page shows.
        rows: The samples that its table holds, which dots lead to.
    """
    known = _has_confidence(data)
    if not known.any():
        return figure_html(MAP, "The data map needs the confidence of the runs, which was not recorded.")
    row_of = {sample: row for row, sample in enumerate(rows)}
    shown = _shown(data, known)
    entropy = np.nan_to_num(np.asarray(data.label_entropy, dtype=float), nan=0.0)
    spread, mean = _confidence(data)
    dots = [
        Dot(float(spread[sample]), float(mean[sample]), float(entropy[sample]), row_of.get(sample))
        for sample in shown.tolist()
    ]
    titles = (_SPREAD, _MEAN, "label entropy (nats)")
    caption, alternative = _map_words(data, known, len(shown))
    return figure_html(MAP, caption, svg_html(MAP, alternative, *draw_dots(dots, titles)))


def _map_chart(data: ReportData) -> Chart | None:
    known = _has_confidence(data)
    if not known.any():
        return None
    shown = _shown(data, known)
    spread, mean = (tuple(values[shown].tolist()) for values in _confidence(data))
    ids = tuple(data.sample_ids[sample] for sample in shown.tolist())
    return Chart(
        "scatter", MAP, _map_words(data, known, len(shown))[1], _SPREAD, _MEAN, (Series(MAP, spread, mean, ids=ids),)
    )


def _has_confidence(data: ReportData) -> Bool[np.ndarray, " sample"]:
    return np.asarray(np.isfinite(data.confidence_mean) & np.isfinite(data.confidence_std))


def _confidence(data: ReportData) -> tuple[Float[np.ndarray, " sample"], Float[np.ndarray, " sample"]]:
    return np.asarray(data.confidence_std, dtype=float), np.asarray(data.confidence_mean, dtype=float)


def _shown(data: ReportData, known: Bool[np.ndarray, " sample"]) -> Int[np.ndarray, " shown"]:
    """The samples that the map shows; the least stable are drawn last, on top."""
    order = data.order[known[data.order]]
    return _thin(order, data.unstable[order])[::-1]


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
        "One dot per sample, which opens at a click. Confidence is the probability that a run gives to the label it "
        "predicts. Low and to the right: the runs are unsure and differ. A strongly coloured dot high up is the "
        "surprising kind: confident, and yet another answer the next time."
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


def histogram(data: ReportData) -> str:
    """How unstable the unstable samples are; the zeros are counted in words, not drawn."""
    found = _histogram_chart(data)
    return chart_html(found) if isinstance(found, Chart) else figure_html(HISTOGRAM, found)


def _histogram_chart(data: ReportData) -> Chart | str:
    entropy = np.asarray(data.label_entropy, dtype=float)
    zeros = int((entropy == 0).sum())
    values = entropy[np.isfinite(entropy) & (entropy > 0)]
    agree = f"{text.count(zeros)} of {text.plural(len(entropy), 'sample')} have label entropy 0 and are not drawn."
    undefined = int((~np.isfinite(entropy)).sum())
    if undefined:
        agree += f" It is undefined for {text.count(undefined)}."
    if not len(values):
        return f"No sample has a label entropy above 0. {agree}"
    counts, middles = _binned(values)
    median = text.decimal(float(np.median(values)))
    sentence = f"The unstable samples only: {agree} The median of those drawn is {median}."
    series = (Series("", tuple(middles.round(4).tolist()), tuple(counts.tolist())),)
    return Chart("bars", HISTOGRAM, sentence, "label entropy (nats)", "unstable samples", series)


def _binned(values: Float[np.ndarray, " sample"]) -> tuple[Int[np.ndarray, " bin"], Float[np.ndarray, " bin"]]:
    top = max(math.log(2), float(values.max())) * 1.0001
    counts, edges = np.histogram(values, bins=_BINS, range=(0.0, top))
    return counts, (edges[:-1] + edges[1:]) / 2


def rarefaction(data: ReportData) -> str:
    """The share of unstable samples that fewer runs would have found."""
    found = _rarefaction_chart(data)
    return chart_html(found) if isinstance(found, Chart) else figure_html(RAREFACTION, found)


def _rarefaction_chart(data: ReportData) -> Chart | str:
    points = [
        (int(size), float(share))
        for size, share in zip(*(data.rarefaction or ((), ())), strict=True)
        if math.isfinite(share)
    ]
    if len(points) < 2:
        return "The curve needs at least two runs."
    (first, low), (last, high) = points[0], points[-1]
    gain = text.decimal(100 * (high - points[-2][1]), 2)
    sentence = (
        f"The expected share of unstable samples in a random choice of so many of the runs: {text.percent(low)} in "
        f"{text.plural(first, 'run')}, {text.percent(high)} in {text.plural(last, 'run')}. The last step, from "
        f"{points[-2][0]} to {last} runs, adds {gain} percentage points: as long as the curve climbs, more runs would "
        "find more."
    )
    series = Series("", tuple(size for size, _ in points), tuple(round(100 * share, 4) for _, share in points))
    return Chart("lines", RAREFACTION, sentence, "runs", "unstable samples (%)", (series,))


def flips(data: ReportData) -> str:
    """How many answers of runs go from a sample's most frequent label to another."""
    found, places = _flips_chart(data)
    return chart_html(found, places) if found is not None else ""


def _flips_chart(data: ReportData) -> tuple[Chart | None, dict[tuple[int, int], str]]:
    """The map, and where each of its cells leads."""
    moved = _moved(data)
    if not moved:
        return None, {}
    involved: dict[int, int] = {}
    for (start, end), count in moved.items():
        for label in (start, end):
            involved[label] = involved.get(label, 0) + count
    ranked = sorted(involved, key=lambda label: (-involved[label], label))
    labels = sorted(ranked[:_FLIPPED])
    at = {label: place for place, label in enumerate(labels)}
    cells = [[math.nan] * len(labels) for _ in labels]
    places = {}
    for (start, end), count in moved.items():
        if start in at and end in at:
            cells[at[start]][at[end]] = count
            places[at[start], at[end]] = pair_place(start, end)
    names = tuple(text.clip(data.class_name(label), 60) for label in labels)
    (start, end), most = max(moved.items(), key=lambda item: (item[1], item[0]))
    sentence = (
        "Rows: the most frequent answer to a sample, of a tie the first; columns: what other runs answer instead. "
        f"Most often {data.class_name(end)} comes for {data.class_name(start)}: {text.plural(most, 'answer')}."
    )
    if len(ranked) > len(labels):
        sentence += f" Shown are the {len(labels)} labels with the most such answers, of {text.count(len(ranked))}."
    unit = "answers of single runs"
    return Chart("heat map", FLIPS, sentence, "", unit, (), names, names, tuple(map(tuple, cells))), places


def pair_place(first: int, second: int) -> str:
    """The place in the page where samples are shown that got both labels."""
    return f"#samples?answer={min(first, second)}&other={max(first, second)}"


def _moved(data: ReportData) -> dict[tuple[int, int], int]:
    moved: dict[tuple[int, int], int] = {}
    for sample in np.flatnonzero(data.unstable).tolist():
        (top, _), *others = data.given(sample)
        for label, count in others:
            moved[top, label] = moved.get((top, label), 0) + count
    return moved
