"""The section of single runs: how accurate each is, how they learned, how they disagree, which to ship."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from jaxtyping import Float, Int

from reseed._parts import Parts
from reseed.instability import Estimate, Medoid, churn_matrix, medoid
from reseed.report import _sections
from reseed.report import _text as text
from reseed.report._charts import drawn
from reseed.report._data import ReportData
from reseed.report._glossary import term
from reseed.report._medoid_table import picked_by_accuracy
from reseed.report.chart._svg import chart_html
from reseed.scores import Chart, Series

ACCURACY, CURVES, DISAGREEMENT = "Accuracy of each run", "How they learned", "Which runs disagree"
_LINES = 8  # curves of single runs; of more a band
_MAPPED = 60  # runs in the map of disagreement
_FEWEST = 5  # runs of which one may stand out
_FAR = 3.5  # modified z-score above which a run stands out, after Iglewicz and Hoaglin (1993)


def runs_section(data: ReportData, charts: Mapping[str, str], parts: Parts) -> str:
    """Return the section; nothing where nothing is known of single runs.

    Args:
        data: What the page shows.
        charts: Charts by name, of which it shows ``rarefaction``.
        parts: Takes note of what cannot be made.
    """
    makers = {ACCURACY: accuracies, CURVES: curves, DISAGREEMENT: disagreement}
    shown = [drawn(title, partial(make, data), parts) for title, make in makers.items()]
    shown.append(charts.get("rarefaction", ""))
    table = parts.make("The table 'Which run to ship' is missing", lambda: _ship(data), "")
    if not any(shown) and not table:
        return ""
    return (
        '<section id="runs" aria-labelledby="runs-title"><h2 id="runs-title">Runs</h2>'
        f'<div class="drawings">{"".join(shown)}</div>{table}</section>'
    )


def _numbers(data: ReportData) -> tuple[int, ...]:
    count = 0 if data.run_labels is None else len(data.run_labels)
    return data.complete_runs if len(data.complete_runs) == count else tuple(range(count))


def accuracies(data: ReportData) -> str:
    """The accuracy of each run, as a dot."""
    known = data.targets >= 0
    if data.run_labels is None or not known.any():
        return ""
    values = 100 * (data.run_labels[:, known] == data.targets[known]).mean(1)
    numbers = _numbers(data)
    low, high = int(values.argmin()), int(values.argmax())
    sentence = (
        f"From {text.decimal(values[low], 2)} % (run {numbers[low]}) to {text.decimal(values[high], 2)} % "
        f"(run {numbers[high]}). Runs of equal accuracy may be right on different samples."
    )
    series = Series("", tuple(map(float, numbers)), tuple(values.tolist()))
    return chart_html(Chart("scatter", ACCURACY, sentence, "run", "accuracy (%)", (series,)))


def curves(data: ReportData) -> str:
    """Accuracy along training: a line for each of a few runs, the mean and the range of many."""
    if data.history is None or data.history.accuracy is None:
        return ""
    values, steps, numbers = 100 * data.history.accuracy, data.history.all_steps, _numbers(data)
    end = f"At the end they are {text.decimal(np.ptp(values[:, -1]), 2)} percentage points apart"
    half = int(np.ptp(values, axis=0).argmax())
    sentence = (
        f"{end}; furthest apart, by {text.decimal(np.ptp(values[:, half]), 2)}, at step {text.count(steps[half])}."
    )
    if len(values) <= _LINES:
        series = tuple(
            Series(f"run {number}", steps, tuple(row.tolist())) for number, row in zip(numbers, values, strict=True)
        )
    else:
        sentence = f"The line is the mean of the runs, the band goes from the least to the most accurate. {sentence}"
        ends = (tuple(values.min(0).tolist()), tuple(values.max(0).tolist()))
        series = (Series("mean", steps, tuple(values.mean(0).tolist()), *ends),)
    return chart_html(Chart("lines", CURVES, sentence, "training step", "accuracy (%)", series))


def disagreement(data: ReportData) -> str:
    """On how many answers every two runs disagree, similar runs side by side, and which run stands out."""
    if data.run_labels is None or len(data.run_labels) < 3 or not data.run_labels.shape[1]:
        return ""
    between, numbers = np.asarray(churn_matrix(data.run_labels)), _numbers(data)
    mean = between.sum(0) / (len(between) - 1)
    apart = outlying(mean)
    order = by_similarity(between)
    shown = order if len(order) <= _MAPPED else _thinned(order, apart[: _MAPPED // 2])
    cells = 100 * between[np.ix_(shown, shown)]
    np.fill_diagonal(cells, np.nan)
    sentence = f"Runs that agree stand side by side. {_told_apart(mean, apart, numbers)}"
    if len(shown) < len(order):
        sentence += (
            f" {len(shown)} of {text.count(len(order))} runs are drawn, an even choice and those that stand out."
        )
    names = tuple(f"run {numbers[run]}" for run in shown)
    rows = tuple(tuple(row) for row in cells.tolist())
    return chart_html(Chart("heat map", DISAGREEMENT, sentence, "", "answers that differ (%)", (), names, names, rows))


def _thinned(order: Int[np.ndarray, " run"], apart: Int[np.ndarray, " run"]) -> Int[np.ndarray, " shown"]:
    """Return the runs that stand out and an even choice of the others, in their order."""
    others = order[~np.isin(order, apart)]
    even = others[np.linspace(0, len(others) - 1, _MAPPED - len(apart)).round().astype(int)]
    return order[np.isin(order, np.concatenate([even, apart]))]


def _told_apart(mean: Float[np.ndarray, " run"], apart: Int[np.ndarray, " run"], numbers: Sequence[int]) -> str:
    if len(mean) < _FEWEST:
        return f"They are too few to tell whether one stands out; that takes {_FEWEST}."
    if not len(apart):
        return "No run stands out from the others."
    usual = text.percent(float(np.median(mean)))
    said = [f"run {numbers[run]} ({text.percent(float(mean[run]))})" for run in apart[:5].tolist()]
    more = f" and {len(apart) - 5} more" if len(apart) > 5 else ""
    return (
        f"Far from the others: {', '.join(said)}{more}; the median run differs from another on {usual} of the answers."
    )


def by_similarity(between: Float[np.ndarray, "run run"]) -> Int[np.ndarray, " run"]:
    """Return the order in which runs stand that puts similar ones side by side: leaves of an average linkage.

    Args:
        between: How much every two runs differ, symmetric.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import squareform

    distances = squareform(between, checks=False)
    return np.asarray(leaves_list(optimal_leaf_ordering(linkage(distances, "average"), distances)))


def outlying(mean: Float[np.ndarray, " run"]) -> Int[np.ndarray, " run"]:
    """Return the runs that differ from the others far more than usual, the furthest first.

    By the modified z-score above 3.5: the distance from the median over 1.4826 median absolute deviations, or over
    1.2533 mean ones where the median one is 0.

    Args:
        mean: How much each run differs from the others on average.

    References:
        Iglewicz and Hoaglin, "How to Detect and Handle Outliers", ASQC 1993.
    """
    if len(mean) < _FEWEST:
        return np.zeros(0, dtype=np.int64)
    away = mean - np.median(mean)
    spread = 1.4826 * np.median(np.abs(away)) or 1.2533 * np.abs(away).mean()
    far = np.flatnonzero(away > _FAR * spread) if spread else np.zeros(0, dtype=np.int64)
    return far[np.argsort(-mean[far], kind="stable")]


def _ship(data: ReportData) -> str:
    """The table of which run to ship; nothing for fewer than three runs or two samples."""
    if data.run_labels is None or len(data.run_labels) < 3 or data.run_labels.shape[1] < 2:
        return ""
    found = medoid(data.run_labels, data.targets, runs=_numbers(data))
    body = "".join(_choices(found)) + _row("Medoid above a run at random", found.agreement_gain, found.accuracy_gain)
    columns = ("Chosen", "Agrees with the others", "Accuracy")
    shown = _sections.table("Which run to ship", columns, body, numeric=(1, 2))
    caption = (
        f"{term('medoid', 'Medoid')}: the run whose answers agree most with all others. Judged on samples that did not "
        "choose the run: one half of them at random chose, the other judged, and the other way round. Small print: "
        "95 % intervals over samples, of these runs; the last row is in percentage points."
    )
    if found.spread is not None:
        caption += f'</p><p class="caption">{text.escape(picked_by_accuracy(found.spread))}'
    return f'<div class="single">{_sections.block("Which run to ship", shown)}<p class="caption">{caption}</p></div>'


def _choices(found: Medoid) -> list[str]:
    rows = {"Medoid": found.medoid, "Most accurate": found.most_accurate, "At random": found.at_random}
    return [
        _row(name if row.run is None else f"{name}: run {row.run}", row.agreement, row.accuracy)
        for name, row in rows.items()
        if row is not None
    ]


def _row(name: str, *figures: Estimate) -> str:
    cells = "".join(f'<td class="number">{_figure(figure)}</td>' for figure in figures)
    return f"<tr><td>{text.escape(name)}</td>{cells}</tr>"


def _figure(figure: Estimate) -> str:
    if figure.value != figure.value:
        return text.missing("no gold labels")
    value, low, high = (text.decimal(100 * each, 2) for each in (figure.value, figure.low, figure.high))
    ends = f'<span class="spread">{low} to {high}</span>' if figure.low == figure.low else ""
    return f"{value}{text.NBSP}%{ends}"
