"""How well one run foretells the others, for people who read it in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reseed.instability import RunMean, SignalQuality

if TYPE_CHECKING:
    from rich.console import Console


def print_one_run_table(rows: Sequence[SignalQuality], console: Console, *, top: int) -> None:
    """Print each signal's figures with their intervals, the combination first, then the highest Spearman."""
    from rich.table import Table
    from rich.text import Text

    names = {"score": "score (combination)", "half_of_the_runs": "half of the runs, for comparison"}
    first = [row for row in rows if row.signal == "score"]
    others = [row for row in rows if row.signal != "score"]
    others.sort(key=lambda row: (row.spearman.mean != row.spearman.mean, -row.spearman.mean))
    table = Table(title="What one run foretells of the others", title_justify="left")
    table.add_column("signal", overflow="fold")
    for column in ("Spearman", "among flipping", "tau-b", "AUROC", f"precision at {top}"):
        table.add_column(column, justify="right")
    for row in (*first, *others):
        figures = (row.spearman, row.spearman_flipping, row.kendall, row.auroc, row.precision)
        table.add_row(Text(names.get(row.signal, row.signal)), *(_shown(figure) for figure in figures))
    console.print(table)
    lines = (
        "Each run in turn is the single one; compared with label entropy over the final labels of the others. AUROC "
        f"and precision: does a sample ever flip in them, also among the {top} ranked highest.",
        "95 % intervals over the single runs, which share the others: somewhat too narrow.",
        "The score has exact zeros, which Spearman rewards where most samples never flip, and AUROC does not.",
    )
    for line in lines:
        console.print(line, markup=False, highlight=False)


def _shown(figure: RunMean) -> str:
    if figure.mean != figure.mean:
        return "-"
    if figure.low != figure.low:
        return f"{figure.mean:.3f}"
    return f"{figure.mean:.3f}\n[{figure.low:.3f}, {figure.high:.3f}]"
