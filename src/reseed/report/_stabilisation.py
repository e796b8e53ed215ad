"""The tables of a comparison of remedies, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reseed._plain import plain
from reseed.curvature import StabilityTest
from reseed.report._text import mean_text

if TYPE_CHECKING:
    from rich.console import Console

_SHORT = 17  # letters of gradient-clipping: a column that stays whole in a terminal of 80


def print_stabilisation(found: StabilityTest, console: Console, *, title: str) -> None:
    """Print a row for each remedy, how many runs train at each rate, and what tells those that do from the others."""
    from rich.table import Table
    from rich.text import Text

    console.print(plain(title), markup=False, highlight=False)
    names = ("trains up to", "edge at start", "early ratio", "accuracy, %", "label entropy")
    is_short = max(map(len, found.by_remedy)) <= _SHORT

    def table(title: str, names: tuple[str, ...]) -> Table:
        made = Table(title=title, title_justify="left")
        made.add_column("remedy", overflow="fold", no_wrap=is_short)
        for name in names:
            made.add_column(name, overflow="fold")
        return made

    at_largest = table("At the largest rate at which every run trains", names)
    for row in found.remedies:
        cells = (
            "-" if row["largest_lr"] is None else f"{row['largest_lr']:g}{' or more' * row['is_largest_tried']}",
            "-" if row["edge_lr"] is None else f"{row['edge_lr']:.3g}",
            _two_lines(row, "early_ratio_mean", 1, 2),
            _two_lines(row, "accuracy_mean", 100, 1),
            _two_lines(row, "label_entropy_mean", 1, 3),
        )
        at_largest.add_row(*map(Text, (plain(str(row["remedy"])), *cells)))
    console.print(at_largest)
    if found.common_rate is not None:
        at_common = table(f"At {found.common_rate:g}, where all remedies train", names[-2:])
        for row in found.remedies:
            accuracy, entropy = (row, "common_accuracy_mean", 100, 1), (row, "common_label_entropy_mean", 1, 3)
            at_common.add_row(*map(Text, (plain(str(row["remedy"])), mean_text(*accuracy), mean_text(*entropy))))
        console.print(at_common)
    for name, trials in found.by_remedy.items():
        each = ", ".join(f"{one.rate:g}: {int(one.trained(found.level).sum())}/{len(one.accuracy)}" for one in trials)
        console.print(f"runs that train, {plain(name)}: {each}", markup=False, highlight=False)
    words = (
        "in brackets: 95 % interval over runs, of label entropy over runs and samples; edge at start: the rate at "
        "which the initial sharpness is the threshold; early ratio: the highest sharpness over threshold in the first "
        "quarter of the steps; label entropy: in nats"
    )
    console.print(words, markup=False, highlight=False)
    console.print(found.claim, markup=False, highlight=False)
    for note in found.notes:
        console.print(f"note: {plain(note)}", markup=False, highlight=False)


def _two_lines(row: dict[str, Any], name: str, factor: float, digits: int) -> str:
    """Return a number with its interval below, so that the table fits."""
    return mean_text(row, name, factor, digits).replace(" [", "\n[")
