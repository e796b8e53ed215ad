"""The chart of what each method costs and what it does."""

import math

from reseed.instability import ComparedMethod, Comparison
from reseed.report import _text as text
from reseed.report._charts import Chart

PARETO = "Training cost against reduction of label entropy"


def pareto_chart(found: Comparison) -> Chart:
    """Training cost against reduction of label entropy, the methods on the Pareto front marked."""
    name, title = "pareto", PARETO
    rows = [row for row in (found.control, *found.methods) if not math.isnan(row.cost.training) and _is_known(row)]
    if len(rows) < 2:
        reason = "The chart needs the cost of training, which these studies did not record."
        return Chart(name, title, reason, reason)
    groups = {
        "front": [row for row in rows if row.on_front],
        "other": [row for row in rows if not row.on_front],
    }
    traces = [_trace(kind, group, found) for kind, group in groups.items() if group]
    ends = [math.log10(pick(row.cost.training for row in rows)) for pick in (min, max)]
    margin = 0.1 + 0.15 * (ends[1] - ends[0])  # room for the names
    layout = {
        "xaxis": {
            "title": {"text": "training cost (times the control's)"},
            "type": "log",
            "range": [round(ends[0] - margin, 4), round(ends[1] + margin, 4)],
        },
        "yaxis": {"title": {"text": "reduction of label entropy (%)"}},
        "hovermode": "closest",
    }
    caption = (
        "Up is more stable, left is cheaper. Lines: 95 % intervals. Coloured: by these "
        "estimates no other method does as much at no higher cost in training and at inference."
    )
    front = ", ".join(row.name for row in groups["front"])
    alternative = f"Scatter plot of {text.plural(len(rows), 'method')}. On the Pareto front: {front or 'none'}."
    numbers = tuple(
        (text.escape(text.clip(row.name, 120)), text.decimal(row.cost.training, 2), text.decimal(_gain(row), 1))
        for row in rows
    )
    columns = ("Method", "Training", "Reduction (%)")
    return Chart(name, title, caption, alternative, {"data": traces, "layout": layout}, columns, numbers)


def _is_known(row: ComparedMethod) -> bool:
    return not math.isnan(_gain(row))


def _gain(row: ComparedMethod) -> float:
    return 0.0 if row.effect.reduction is None else row.effect.reduction.value


def _trace(kind: str, rows: list[ComparedMethod], found: Comparison) -> dict[str, object]:
    reach = [0.0 if row.effect.reduction is None else row.effect.reduction.high - _gain(row) for row in rows]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": kind,
        "x": [round(row.cost.training, 4) for row in rows],
        "y": [round(_gain(row), 4) for row in rows],
        "error_y": {"type": "data", "array": [round(each, 4) if math.isfinite(each) else 0 for each in reach]},
        "text": [text.escape_chart(text.clip(row.name, 30)) for row in rows],
        "textposition": "top center" if kind == "front" else "bottom center",
        "hovertext": [_hover(row) for row in rows],
        "hoverinfo": "text",
        "marker": {"size": 10},
        "cliponaxis": False,
    }


def _hover(row: ComparedMethod) -> str:
    networks = "" if math.isnan(row.cost.inference) else f", {text.plural(int(row.cost.inference), 'network')}"
    lines = (text.clip(row.name, 80), f"{_gain(row):.1f} % at {row.cost.training:.2f}\u00d7 training{networks}")
    return "<br>".join(map(text.escape_chart, lines))
