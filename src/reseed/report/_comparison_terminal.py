"""The table that sets methods beside their control, for a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reseed._plain import plain
from reseed.instability import ComparedMethod, Comparison, Estimate

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text


def print_comparison(found: Comparison, console: Console) -> None:
    """Print what each method does to stability, to accuracy and at what cost, the null beside it, and what to use."""
    header, samples = found.control.study.header, len(found.control.study.samples)
    _line(console, f"{header.dataset}, {header.model}: {found.runs} runs of each study, {samples:,} samples")
    console.print(_stability(found))
    console.print(_quality(found))
    console.print(_costs(found))
    _line(console, "in brackets: 95 % interval. high: over the control's samples above 0.56 nats; read it beside the")
    _line(console, "second control's, which shows what chance does. *: distinguishable from the second control.")
    for note in found.notes:
        _line(console, f"note: {note}")
    _line(console, f"recommendation: {found.recommendation}")


def _line(console: Console, text: str) -> None:
    console.print(plain(text), markup=False, highlight=False)


def _table(title: str, *columns: str) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    table.add_column("method", overflow="fold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _name(row: ComparedMethod) -> Text:
    from rich.text import Text

    return Text(plain(row.name))


def _stability(found: Comparison) -> Table:
    table = _table("Stability", "label entropy, nats", "reduction, %", "high, %", "unstable, %", "jitter, %")
    for row in found.rows:
        effect = row.effect
        table.add_row(
            _name(row),
            shown(effect.label_entropy, 4),
            shown(effect.reduction, 1, after="*" if effect.is_distinguishable else ""),
            shown(effect.high_reduction, 1),
            shown(effect.unstable_fraction, 1, factor=100),
            shown(effect.jitter, 2, factor=100),
        )
    return table


def _quality(found: Comparison) -> Table:
    table = _table("Quality", "accuracy, %", "less the control's", "negative flips, %", "NLL, nats", "ECE, %")
    for row in found.rows:
        effect = row.effect
        table.add_row(
            _name(row),
            shown(effect.accuracy, 2, factor=100),
            shown(effect.accuracy_difference, 2, factor=100, after=" worse" if effect.loses_accuracy else ""),
            shown(effect.negative_flip_rate, 2, factor=100),
            shown(effect.nll, 4),
            shown(effect.ece, 2, factor=100),
        )
    return table


def _costs(found: Comparison) -> Table:
    table = _table(
        "Cost and samples", "training", "inference", "wall time", "front", "fixes", "eases", "worsens", "breaks"
    )
    for row in found.rows:
        table.add_row(
            _name(row),
            times(row.cost.training),
            times(row.cost.inference),
            times(row.cost.wall),
            {True: "yes", False: "", None: "-"}[row.on_front],
            *(str(row.samples[name]) for name in ("fixes", "eases", "worsens", "breaks")),
        )
    return table


def shown(found: Estimate | None, digits: int, *, factor: float = 1, after: str = "") -> str:
    """A number with its interval, escaped for rich; a dash where there is none."""
    if found is None or math.isnan(found.value):
        return "-"
    value, low, high = (f"{factor * number:.{digits}f}" for number in (found.value, found.low, found.high))
    return f"{value}{after} \\[{low}, {high}]"


def times(value: float) -> str:
    """A multiple of the control's cost; a dash where it is not known."""
    return "-" if math.isnan(value) else f"{value:.2f}x"
