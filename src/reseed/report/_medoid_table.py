"""The table of which run to ship."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reseed.instability import AccuracySpread, Medoid
from reseed.statistics import Estimate

if TYPE_CHECKING:
    from rich.console import Console


def print_medoid(found: Medoid, console: Console) -> None:
    """Print the choices with agreement and accuracy, and what the medoid is above a run at random."""
    from rich.table import Table

    table = Table(title="Which run to ship", title_justify="left")
    table.add_column("chosen", overflow="fold")
    for column in ("agrees with the others, %", "accuracy, %"):
        table.add_column(column, justify="right")
    rows = {"medoid": found.medoid, "most accurate": found.most_accurate, "at random": found.at_random}
    for name, row in rows.items():
        if row is not None:
            named = name if row.run is None else f"{name}: run {row.run}"
            table.add_row(named, _percent(row.agreement), _percent(row.accuracy))
    gains = (_percent(found.agreement_gain), _percent(found.accuracy_gain))
    table.add_row("medoid above random, points", *gains)
    console.print(table)
    line = (
        "Judged on samples that did not choose the run: one half of them at random chose, the other judged, and the "
        "other way round. 95 % intervals over samples, of these runs."
    )
    console.print(line, markup=False, highlight=False)
    if (spread := found.spread) is not None:
        console.print(picked_by_accuracy(spread), markup=False, highlight=False)


def picked_by_accuracy(spread: AccuracySpread) -> str:
    """Return, in a sentence or two, how much better the most accurate run looks than it is, in percentage points."""
    optimism, std = spread.best_run_optimism, spread.std_of_distribution
    return (
        f"Picking by accuracy: the most accurate of {spread.runs} runs looks {_points(optimism)} points better here "
        f"than on other samples. Accuracies have a standard deviation of {100 * spread.std:.2f} points on these "
        f"samples, on others of their kind of about {_points(std)}."
    )


def _points(figure: Estimate) -> str:
    ends = f" [{100 * figure.low:.2f}, {100 * figure.high:.2f}]" if figure.low == figure.low else ""
    return f"{100 * figure.value:.2f}{ends}"


def _percent(figure: Estimate) -> str:
    if figure.value != figure.value:
        return "-"
    return f"{100 * figure.value:.2f}\n[{100 * figure.low:.2f}, {100 * figure.high:.2f}]"
