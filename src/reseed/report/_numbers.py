"""Single numbers of further measures, for people who read them in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def print_numbers(numbers: Mapping[str, Any], console: Console, *, title: str) -> None:
    """Print numbers by name, each with the 95 % interval that stands beside it, and what that covers."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    table.add_column("measure")
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    for name, value in numbers.items():
        if "_ci95_" in name:
            continue
        ends, covers = _interval(numbers, name.removesuffix("_mean"))
        low_high = Text("" if ends is None else f"[{ends[0]:.4g}, {ends[1]:.4g}], other {covers}")
        table.add_row(name, _shown(value), low_high)
    console.print(table)


def _interval(numbers: Mapping[str, Any], name: str) -> tuple[list[float] | None, str]:
    for covers in ("samples", "runs"):
        if numbers.get(f"{name}_ci95_{covers}") is not None:
            return numbers[f"{name}_ci95_{covers}"], covers
    return None, ""


def _shown(value: float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
