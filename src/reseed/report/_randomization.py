"""The table of a randomisation test, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reseed._plain import plain
from reseed.memorization import RandomizationTest
from reseed.report._text import mean_text

if TYPE_CHECKING:
    from rich.console import Console


def print_randomization(found: RandomizationTest, console: Console, *, title: str) -> None:
    """Print a row for each version: when it was fitted, how well, and how it answers what it has not seen."""
    from rich.table import Table
    from rich.text import Text

    console.print(plain(title), markup=False, highlight=False)
    table = Table()
    names = ("version", "fitted", "epochs to fit", "times true", "train, %", "test, %", "best test, %", "label entropy")
    for name in names:
        table.add_column(name, overflow="fold")
    for row in found.rows:
        cells = [
            plain(row["said"]),
            f"{row['runs_fitted']}/{row['runs']}",
            mean_text(row, "epochs_to_fit_mean", 1, 1),
            mean_text(row, "slow_down", 1, 2),
            *(
                mean_text(row, f"{name}_mean", 100, 1)
                for name in ("train_accuracy", "test_accuracy", "best_test_accuracy")
            ),
            mean_text(row, "label_entropy_mean", 1, 3),
        ]
        table.add_row(*map(Text, cells))
    console.print(table)
    words = (
        "in brackets: 95 % interval over runs; times true: geometric mean over seeds that fitted both; best test: at "
        "the best moment, chosen with the evaluation samples; label entropy: of evaluation answers over runs, in nats"
    )
    console.print(words, markup=False, highlight=False)
    if complexity := found.complexity:
        interval = complexity["rademacher_lower_bound_ci95"]
        ends = "" if interval is None else f" [{interval[0]:.3f}, {interval[1]:.3f}]"
        console.print(
            f"empirical Rademacher complexity: at least {complexity['rademacher_lower_bound_mean']:.3f}{ends}, "
            f"{complexity['rademacher_draws']} draws of labels",
            markup=False,
            highlight=False,
        )
    for note in found.notes:
        console.print(f"note: {plain(note)}", markup=False, highlight=False)
