"""The table that sets methods beside their control, for a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reseed._plain import plain
from reseed.instability import ComparedMethod, Comparison, Estimate
from reseed.report._changed_samples import judged

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text


def print_comparison(found: Comparison, console: Console, *, details: bool = False) -> None:
    """Print what to use, and a line for each method: what it does beside chance, to accuracy, at what cost.

    Args:
        found: What to print.
        console: Where to.
        details: Whether to print every measure of every method as well.
    """
    header, samples = found.control.study.header, len(found.control.study.samples)
    _line(console, f"{header.dataset}, {header.model}: {found.runs} runs of each study, {samples:,} samples")
    _line(console, f"recommendation: {found.recommendation}")
    if found.fresh is None:
        console.print(_overview(found))
    else:
        _line(console, "with other seeds, the training data the same:")
        console.print(_overview(found))
        _line(console, f"under fresh data, {found.fresh_data}:")
        console.print(_overview(found.fresh))
    if any(row.effect.ece is not None for row in found.rows):
        console.print(_calibration_overview(found))
    _line(console, f"in brackets: 95 % interval, {COVERS[found.interval]}; cost: of training, the control's is 1")
    if found.null is not None:
        _line(console, "beyond chance: lower or higher than with other seeds of the control, by more than intervals")
    for note in found.notes:
        _line(console, f"note: {note}")
    if not details:
        _line(console, "--details prints every measure of every method")
        return
    for table in (_stability(found), _answers(found), _quality(found), _calibration(found), _costs(found)):
        console.print(table)
    if found.fresh is not None:
        _line(console, f"under fresh data, {found.fresh_data}:")
        for table in (_stability(found.fresh), _answers(found.fresh), _quality(found.fresh)):
            console.print(table)
    _line(console, "reductions are of label entropy, in % of the control's")
    _line(console, "high: over the control's samples above 0.56 nats, of which chance alone settles some")
    _line(
        console,
        "beyond: points more than the second control's; a star where its interval and the reduction's exclude 0",
    )
    _line(console, "settles: the control's runs differ, the method's agree; right: on the gold label")
    _line(console, "unsettles: the other way round; right: the control's runs had agreed on the gold label")
    _line(console, "after temperature: of probabilities scaled by a temperature fitted on held-out training samples")
    _line(console, "training: passes; wall time: only of runs that had the machine to themselves")


def _overview(found: Comparison) -> Table:
    """A line for each method, of at most 80 letters where names are short."""
    table = _narrow("entropy lower by, %", "beyond\nchance", "accuracy, points", "cost")
    for row in found.rows:
        effect = row.effect
        table.add_row(
            _name(row),
            shown(effect.reduction, 1),
            {True: "yes", False: "no", None: "-"}[effect.is_distinguishable],
            shown(effect.accuracy_difference, 2, factor=100),
            times(row.cost.training),
        )
    return table


def _calibration_overview(found: Comparison) -> Table:
    """What answering calmly does to confidence, as it is and after scaling, as narrow."""
    table = _narrow("calibration error, %", "after temperature scaling")
    for row in found.rows:
        effect = row.effect
        table.add_row(_name(row), shown(effect.ece, 1, factor=100), shown(effect.tempered_ece, 1, factor=100))
    return table


def _narrow(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("method", overflow="ellipsis", no_wrap=True, max_width=20)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


COVERS = {
    "two-way": "for other runs and other samples",
    "jackknife": "for other runs on these samples",
    "samples": "for other samples",
}
"""What an interval covers, in words."""


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
    table = _table("Label entropy", "nats", "reduction, %", "beyond", "high, %", "beyond")
    for row in found.rows:
        effect = row.effect
        table.add_row(
            _name(row),
            shown(effect.label_entropy, 4),
            shown(effect.reduction, 1),
            shown(effect.beyond_null, 1, after="*" if effect.is_distinguishable else ""),
            shown(effect.high_reduction, 1),
            shown(effect.high_beyond_null, 1),
        )
    return table


def _answers(found: Comparison) -> Table:
    table = _table(
        "Answers", "unstable, %", "jitter, %", "negative flips, %", "settles", "eases", "worsens", "unsettles"
    )
    counted = judged(found)
    for row in found.rows:
        effect = row.effect
        table.add_row(
            _name(row),
            shown(effect.unstable_fraction, 1, factor=100),
            shown(effect.jitter, 2, factor=100),
            shown(effect.negative_flip_rate, 2, factor=100),
            counted[row.name]["settles"],
            str(row.samples["eases"]),
            str(row.samples["worsens"]),
            counted[row.name]["unsettles"],
        )
    return table


def _quality(found: Comparison) -> Table:
    table = _table("Quality", "accuracy, %", "less the control's")
    for row in found.rows:
        effect = row.effect
        table.add_row(
            _name(row),
            shown(effect.accuracy, 2, factor=100),
            shown(effect.accuracy_difference, 2, factor=100, after=" worse" if effect.loses_accuracy else ""),
        )
    return table


def _calibration(found: Comparison) -> Table:
    after = "after temperature"
    table = _table("Calibration", "ECE, %", after, "NLL, nats", after, "temperature")
    for row in found.rows:
        effect = row.effect
        table.add_row(
            _name(row),
            shown(effect.ece, 2, factor=100, after=" worse" if _is_above(effect.ece_difference) else ""),
            shown(
                effect.tempered_ece, 2, factor=100, after=" worse" if _is_above(effect.tempered_ece_difference) else ""
            ),
            shown(effect.nll, 4),
            shown(effect.tempered_nll, 4),
            "-" if row.temperature is None else f"{row.temperature:.3g}",
        )
    return table


def _is_above(difference: Estimate | None) -> bool:
    return difference is not None and difference.low > 0


def _costs(found: Comparison) -> Table:
    table = _table(
        "Cost, relative to the control", "training", "networks that answer", "processor", "wall time", "Pareto front"
    )
    for row in found.rows:
        table.add_row(
            _name(row),
            times(row.cost.training),
            "-" if math.isnan(row.cost.inference) else f"{row.cost.inference:.0f}",
            times(row.cost.processor),
            times(row.cost.wall),
            {True: "yes", False: "no", None: "-"}[row.on_front],
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
