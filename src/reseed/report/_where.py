"""Where instability lives, for people who read it in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reseed._plain import plain
from reseed.instability import ClusteringTest, WhereUnstable

if TYPE_CHECKING:
    from rich.console import Console


def print_where(found: WhereUnstable, console: Console, *, top: int = 10) -> None:
    """Print the ``top`` groups that stand out most, and the line of the test."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(plain(f"Where instability lives: by {found.by}")), title_justify="left")
    table.add_column("group", overflow="fold")
    for column in ("samples", "label entropy", "unstable", "excess", "p"):
        table.add_column(column, justify="right")
    for row in found.table.slice(0, top).to_pylist():
        table.add_row(
            Text(plain(row["group"])),
            f"{row['samples']:,}",
            f"{row['label_entropy']:.4f} [{row['low']:.4f}, {row['high']:.4f}]".replace("[nan, nan]", ""),
            f"{row['unstable_fraction']:.1%}",
            f"{row['excess']:+.4f}",
            p_text(row["corrected_p_value"]),
        )
    console.print(table)
    groups = found.table.num_rows
    more = f"; {top} of {groups} are shown" if groups > top else ""
    lines = (
        f"groups: {found.about}{more}",
        verdict(found.test),
        "p: chance that any group stands out upwards as much as this one, all groups counted.",
        *(f"note: {note}" for note in found.notes),
    )
    for line in lines:
        console.print(plain(line), markup=False, highlight=False)


def verdict(test: ClusteringTest) -> str:
    """What the test says, in one sentence."""
    if test.statistic != test.statistic:
        return "There is nothing to test."
    return (
        f"The groups explain {test.statistic:.1%} of the variance of label entropy; chance would explain "
        f"{test.null_mean:.1%} (95 % of the time up to {test.null_quantile:.1%}): p = {test.p_value:.2g} "
        f"from {test.permutations:,} permutations."
    )


def p_text(value: float) -> str:
    """A p-value, or a dash where there is none."""
    return "-" if value != value else f"{value:.3f}"
