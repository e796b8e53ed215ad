"""Single numbers of further measures, for people who read them in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def print_numbers(numbers: Mapping[str, float | int], console: Console, *, title: str) -> None:
    """Print numbers by name."""
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    table.add_column("measure")
    table.add_column("value", justify="right")
    for name, value in numbers.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int) else f"{value:.4g}")
    console.print(table)
