"""The table that says where instability comes from, for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from reseed._plain import plain
from reseed.instability import Estimate, SourceEffects

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text


def print_sources(effects: SourceEffects, console: Console, *, title: str, notes: Iterable[str] = ()) -> None:
    """Print what all sources do, what each does alone, and what is left when it alone is fixed."""
    from rich.text import Text

    about = f"{plain(title)}: {effects.jitter.runs} runs in each study, {effects.jitter.samples:,} samples"
    console.print(about, markup=False, highlight=False)
    table = _table("runs differ in", "of all, %")
    table.add_row("all sources", _share(effects.jitter), _nats(effects.label_entropy), "100")
    for effect in effects.effects:
        only = f"{plain(effect.source)} only"
        table.add_row(Text(only), _share(effect.jitter), _nats(effect.label_entropy), _whole(effect.share))
    console.print(table)
    table = _table("fixed alone", "gone, %")
    for effect in effects.effects:
        left, name = effect.fixed_jitter, Text(plain(effect.source))
        table.add_row(name, _share(left), _nats(effect.fixed_label_entropy), _whole(effect.drop))
    console.print(table)
    console.print("in brackets: 95 % interval; the last column is about jitter", markup=False, highlight=False)
    for note in notes:
        console.print(f"note: {plain(note)}", markup=False, highlight=False)


def _table(first: str, last: str) -> Table:
    from rich.table import Table

    table = Table()
    for column in (first, "jitter, %", "label entropy, nats", last):
        table.add_column(column, overflow="fold")
    return table


def _share(found: Estimate) -> Text:
    return _shown(100 * found.value, 100 * found.low, 100 * found.high, 2)


def _whole(found: Estimate) -> Text:
    return _shown(100 * found.value, 100 * found.low, 100 * found.high, 0)


def _nats(found: Estimate) -> Text:
    return _shown(found.value, found.low, found.high, 3)


def _shown(value: float, low: float, high: float, digits: int) -> Text:
    """Return a number with its interval as text, in which brackets are no markup; a dash for what has no value."""
    from rich.text import Text

    return Text("-" if math.isnan(value) else f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]")
