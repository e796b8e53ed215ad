"""Tables of what the training sample does, for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from reseed._plain import plain
from reseed.instability import BootstrapInstability, Estimate, NestedEstimates

if TYPE_CHECKING:
    from rich.console import Console


def print_nested(found: NestedEstimates, console: Console, *, title: str, notes: Iterable[str] = ()) -> None:
    """Print what the seed does and what the training sample adds."""
    rows = [
        ("inconsistency: same sample, other seeds, nats", found.inconsistency, 1),
        ("instability: means of two samples, nats", found.instability, 1),
        ("sum, nats", found.divergence, 1),
        ("variance, seed", found.seed_variance, 1),
        ("variance, training sample", found.data_variance, 1),
        ("training sample's share of variance, %", found.data_share, 100),
        ("labels that change: other seed, %", found.seed_churn, 100),
        ("labels that change: other seed and sample, %", found.churn, 100),
    ]
    about = f"{found.training_sets} training samples, {found.runs} runs on each, {found.churn.samples:,} samples"
    _print(rows, console, f"{title}: {about}", found.churn.method, notes)


def print_bootstrap(
    found: BootstrapInstability,
    seeds: BootstrapInstability | None,
    console: Console,
    *,
    title: str,
    notes: Iterable[str] = (),
) -> None:
    """Print how far models of resamples are from the original, and models of other seeds if there are such."""
    rows = [
        ("mean absolute prediction error", found.mape_estimate, 1),
        ("classification instability index, %", found.index_estimate, 100),
    ]
    if seeds is not None:
        rows += [
            (f"other seeds on all data ({seeds.bootstraps}): prediction error", seeds.mape_estimate, 1),
            (f"other seeds on all data ({seeds.bootstraps}): index, %", seeds.index_estimate, 100),
        ]
    about = f"{found.bootstraps} bootstrap resamples, {found.mape_estimate.samples:,} samples"
    _print(rows, console, f"{title}: {about}", found.mape_estimate.method, notes)


def _print(
    rows: Iterable[tuple[str, Estimate, int]], console: Console, about: str, covered: str, notes: Iterable[str]
) -> None:
    from rich.table import Table
    from rich.text import Text

    console.print(plain(about), markup=False, highlight=False)
    table = Table()
    for column in ("measure", "value", "95 % interval"):
        table.add_column(column, overflow="fold")
    for name, found, scale in rows:
        value, low, high = (_number(scale * number) for number in (found.value, found.low, found.high))
        table.add_row(name, value, Text(f"[{low}, {high}]" if low != "-" else "-"))
    console.print(table)
    if covered:
        console.print(f"intervals cover other {covered}", markup=False, highlight=False)
    for note in notes:
        console.print(f"note: {plain(note)}", markup=False, highlight=False)


def _number(value: float) -> str:
    """Return three figures of a number, in plain notation where that is short; a dash for what has no value."""
    if math.isnan(value):
        return "-"
    return f"{value:.3g}" if math.isinf(value) or value == 0 or abs(value) >= 1e-4 else f"{value:.2e}"
