"""The tables of a search for a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reseed._plain import plain
from reseed.report import print_comparison
from reseed.workflows._tune import Tuning

if TYPE_CHECKING:
    from rich.console import Console


def print_tuning(found: Tuning, console: Console) -> None:
    """Print every rung, the confirmation, and what to use."""
    from rich.table import Table
    from rich.text import Text

    for number, rung in enumerate(found.rungs):
        table = Table(title=f"Rung {number}: {rung[0].runs} runs, validation samples", title_justify="left")
        for column in ("candidate", "label entropy", "reduction, %", "accuracy, points", "cost", "outcome"):
            table.add_column(column, overflow="fold")
        for row in rung:
            numbers = (
                ("", "", "")
                if row.diverged
                else (f"{row.label_entropy:.4f}", f"{row.reduction:.1f}", f"{100 * row.accuracy_difference:+.2f}")
            )
            table.add_row(Text(plain(row.name)), *numbers, f"{row.cost:.2f}x", row.outcome)
        console.print(table)
    if found.comparison is not None:
        print_comparison(found.comparison, console)
    console.print(plain(found.conclusion), markup=False, highlight=False)
    console.print(f"spent {found.spent:.1f} of {found.budget:g} trainings", markup=False, highlight=False)
