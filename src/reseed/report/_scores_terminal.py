"""Scores of lenses for people who read them in a terminal, whichever lenses these are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from reseed._plain import plain
from reseed.report import _text as text
from reseed.report._scores_rows import columns_of, digits, headline, run_rows, spans, summary_rows
from reseed.scores import Scores

if TYPE_CHECKING:
    from rich.console import Console

_WORDS = 2_000


def print_kept_scores(scores: Sequence[Scores], console: Console) -> None:
    """Print which scores are kept with a study, a line each; nothing where there are none."""
    from rich.table import Table
    from rich.text import Text

    if not scores:
        return
    table = Table(
        title="Scores of lenses",
        title_justify="left",
        caption="reseed inspect STUDY --scores LENS shows one.",
        caption_justify="left",
    )
    for column in ("lens", "samples", "runs", "columns", "first mean"):
        table.add_column(column, overflow="fold")
    for one in scores:
        row = (one.lens, one.split, spans(one.runs) or "-", str(len(columns_of(one))), headline(one) or "-")
        table.add_row(*(Text(plain(cell)) for cell in row))
    console.print(table)


def print_scores(scores: Scores, console: Console) -> None:
    """Print what a lens says: its notes, its numbers with their intervals, and what runs have each."""
    from rich.table import Table
    from rich.text import Text

    runs = f", runs {spans(scores.runs)}" if scores.runs else ""
    about = f"{scores.lens}, {scores.split}: {len(scores.ids):,} samples{runs}"
    console.print(plain(about), markup=False, highlight=False)
    for note in scores.notes:
        console.print(f"note: {plain(text.clip(note, _WORDS))}", markup=False, highlight=False)
    for group, rows in groupby(summary_rows(scores), key=lambda row: row.group):
        table = Table(title=Text(plain(text.clip(group, _WORDS)) or "Numbers"), title_justify="left")
        for column, justify in (("number", "left"), ("value", "right"), ("95 % interval", "right"), ("unit", "left")):
            table.add_column(column, justify="right" if justify == "right" else "left", overflow="fold")
        table.add_column("worse")
        for row in rows:
            ends = "\n".join(f"[{low}, {high}], other {plain(covers)}" for low, high, covers in row.intervals)
            cells = (plain(row.name), plain(row.value) or "-", ends, plain(row.unit), row.worse)
            table.add_row(*map(Text, cells))
        console.print(table)
    if found := run_rows(scores):
        table = Table(title="Numbers of each run", title_justify="left")
        table.add_column("number", overflow="fold")
        for column in ("mean", "least", "greatest", "runs"):
            table.add_column(column, justify="right")
        table.add_column("unit", overflow="fold")
        for each in found:
            numbers = [digits(value) or "-" for value in (each.mean, each.least, each.greatest)]
            table.add_row(*map(Text, (plain(each.name), *numbers, str(each.count), plain(each.unit))))
        console.print(table)
