"""What foretells flips, for people who read it in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reseed._plain import plain
from reseed.scores import HALF, Foretelling
from reseed.statistics import Estimate

if TYPE_CHECKING:
    from rich.console import Console

_OF_HALF = (
    "Half of the runs: the label entropy over one half against that over the other; its many zeros rank nothing, which "
    "costs AUROC."
)


def print_foretelling(found: Foretelling, console: Console) -> None:
    """Print each column's figures with their intervals, the highest AUROC first, and what they mean."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title="What foretells flips", title_justify="left")
    table.add_column("column", overflow="fold")
    table.add_column("lens", overflow="fold")
    for column in ("AUROC", "lift in the worst tenth", "tau-b"):
        table.add_column(column, justify="right")
    for row in found.ranked:
        name = "half of the runs, for comparison" if row.name == HALF and not row.lens else row.name
        figures = (_shown(row.found.auroc), _shown(row.found.lift, 2), _shown(row.found.kendall))
        table.add_row(Text(plain(name)), Text(plain(row.lens)), *figures)
    console.print(table)
    lines = (
        f"Each of the {found.runs} runs in turn is the single one: its values rank the {found.samples:,} samples, and "
        f"the other {found.runs - 1} runs say which of them flip ({found.flipping:.1%}). Means over runs.",
        "AUROC: how likely a sample that flips ranks above one that does not; 0.5 is chance, 1 is perfect.",
        "Lift: share that flips among the tenth ranked highest, over the share among all; 1 is chance.",
        "Tau-b: rank correlation with the label entropy over the other runs; 0 is chance.",
        *(() if found.half is None else (_OF_HALF,)),
        "Columns are turned so that larger is worse. 95 % intervals, of other runs and other samples.",
        *(f"note: {note}" for note in found.notes),
    )
    for line in lines:
        console.print(plain(line), markup=False, highlight=False)


def _shown(figure: Estimate, digits: int = 3) -> str:
    if figure.value != figure.value:
        return "-"
    if figure.low != figure.low:
        return f"{figure.value:.{digits}f}"
    return f"{figure.value:.{digits}f}\n[{figure.low:.{digits}f}, {figure.high:.{digits}f}]"
