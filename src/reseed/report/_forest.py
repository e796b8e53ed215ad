"""The forest plot of a comparison: a row for each method, what it does, beside what chance does, at what cost.

Rows are elements of a table whose places are shares of a column's width, so that the plot is as wide as its window and
is read like any table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from reseed.instability import ComparedMethod, Comparison, Estimate
from reseed.report import _text as text
from reseed.report.chart._axis import Axis, make_axis

_LOWEST, _HIGHEST = -200.0, 100.0  # percent of the control's label entropy; intervals go on beyond
_LETTERS = 120


def forest(found: Comparison) -> str:
    """Return the plot: methods by their reduction, the second control as a row and as a band behind all."""
    rows = sorted(found.methods, key=lambda row: -_value(row.effect.reduction, -math.inf))
    rows += [] if found.null is None else [found.null]
    reduction = _axis((row.effect.reduction for row in rows), 1.0, (_LOWEST, _HIGHEST))
    accuracy = _axis((row.effect.accuracy_difference for row in rows), 100.0, (-100.0, 100.0))
    band = None if found.null is None else found.null.effect.reduction
    body = "".join(_row(row, reduction, accuracy, band, found.margin) for row in rows)
    head = (
        '<tr><th scope="col">Method</th>'
        f'<th scope="col">Label entropy lower by (%){_ticks(reduction)}</th>'
        f'<th scope="col">Accuracy, points{_ticks(accuracy)}</th><th scope="col">Cost</th></tr>'
    )
    return (
        '<div class="scroll" role="region" aria-label="Methods, forest plot" tabindex="0">'
        f'<table class="forest"><thead>{head}</thead><tbody>{body}</tbody></table></div>'
        f'<p class="caption">{_words(found)}</p>'
    )


def _words(found: Comparison) -> str:
    band = (
        "The shaded band is what the second control, which is the control with other seeds, seems to do by chance. "
        if found.null is not None
        else ""
    )
    return (
        f"Dots with their 95 % intervals; to the right is better. {band}Cost: training relative to the control, and "
        "how many networks answer."
    )


def _axis(estimates: Iterable[Estimate | None], factor: float, ends: tuple[float, float]) -> Axis:
    """Return an axis that holds zero and all intervals, but for what lies beyond its utmost ends."""
    values = [0.0]
    for one in estimates:
        if one is not None:
            values += [min(max(factor * each, ends[0]), ends[1]) for each in (one.value, one.low, one.high)]
    return make_axis(values, padding=0.06, most=4)


def _row(row: ComparedMethod, reduction: Axis, accuracy: Axis, band: Estimate | None, margin: float) -> str:
    kind = ' class="muted"' if row.role == "null" else ""
    cells = (
        f'<th scope="row"><bdi>{text.escape(text.clip(row.name, _LETTERS))}</bdi></th>',
        _cell(
            _mark(row.effect.reduction, reduction, band),
            _said(row.effect.reduction, 1.0, 1, _verdict(row)),
        ),
        _cell(
            _mark(row.effect.accuracy_difference, accuracy, None, 100.0),
            _said(row.effect.accuracy_difference, 100.0, 2, loss(row, margin)),
        ),
        f"<td>{_cost(row)}</td>",
    )
    return f"<tr{kind}>{''.join(cells)}</tr>"


def _cell(mark: str, said: str) -> str:
    return f'<td><div class="beside">{mark}<span>{said}</span></div></td>'


def _verdict(row: ComparedMethod) -> str:
    return {True: "beyond chance", False: "may be chance", None: ""}[row.effect.is_distinguishable]


def loss(row: ComparedMethod, margin: float) -> str:
    """Return what is to be said of a method's accuracy; nothing where it stays within a margin."""
    if row.effect.loses_accuracy:
        return "significant loss"
    unsure = row.role == "method" and row.effect.keeps_accuracy(margin) is False
    return f"loss of {margin:g} not excluded" if unsure else ""


def _mark(found: Estimate | None, axis: Axis, band: Estimate | None, factor: float = 1.0) -> str:
    """Return a line from end to end with a dot on it, over zero and the band; hidden from readers of the words."""
    parts = []
    if band is not None:
        parts.append(f'<span class="chance" style="{_span(band, axis, factor)}"></span>')
    parts.append(f'<span class="nothing" style="left:{_share(0.0, axis)}"></span>')
    if found is not None and not math.isnan(found.value):
        if not math.isnan(found.low):
            parts.append(f'<span class="whisker" style="{_span(found, axis, factor)}"></span>')
        parts.append(f'<span class="dot" style="left:{_share(factor * found.value, axis)}"></span>')
    return f'<span class="track" aria-hidden="true">{"".join(parts)}</span>'


def _span(found: Estimate, axis: Axis, factor: float) -> str:
    low, high = (min(max(axis.share(factor * end), 0.0), 1.0) for end in (found.low, found.high))
    return f"left:{100 * low:.2f}%;width:{100 * (high - low):.2f}%"


def _share(value: float, axis: Axis) -> str:
    return f"{100 * min(max(axis.share(value), 0.0), 1.0):.2f}%"


def _ticks(axis: Axis) -> str:
    marks = "".join(
        f'<span style="left:{_share(tick, axis)}">{label}</span>'
        for tick, label in zip(axis.ticks, axis.labels, strict=True)
    )
    return f'<span class="beside" aria-hidden="true"><span class="ticks">{marks}</span></span>'


def _said(found: Estimate | None, factor: float, digits: int, verdict: str) -> str:
    if found is None or math.isnan(found.value):
        return text.missing("does not apply, or was not recorded")
    value, low, high = (text.decimal(factor * each, digits) for each in (found.value, found.low, found.high))
    ends = "" if math.isnan(found.low) else f'<span class="spread">{low} to {high}</span>'
    judged = f'<span class="spread">{verdict}</span>' if verdict else ""
    return f"{value}{ends}{judged}"


def _cost(row: ComparedMethod) -> str:
    if math.isnan(row.cost.training):
        return text.missing("not known")
    networks = "" if math.isnan(row.cost.inference) else f", {text.plural(int(row.cost.inference), 'network')}"
    return f"{text.decimal(row.cost.training, 2)}\u00d7 training{networks}"


def _value(found: Estimate | None, instead: float) -> float:
    return instead if found is None or math.isnan(found.value) else found.value
