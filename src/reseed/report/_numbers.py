"""Single numbers of further measures, for people who read them in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reseed.instability import column_of

if TYPE_CHECKING:
    from rich.console import Console


def print_numbers(numbers: Mapping[str, Any], console: Console, *, title: str) -> None:
    """Print numbers by name, each with its unit, direction, and the 95 % interval beside it with what that covers."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    table.add_column("measure")
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_column("unit")
    table.add_column("worse")
    for name, value in numbers.items():
        if "_ci95" in name:
            continue
        ends, covers = _interval(numbers, name.removesuffix("_mean"))
        low_high = Text("" if ends is None else f"[{ends[0]:.4g}, {ends[1]:.4g}], other {covers}")
        found = column_of(name)
        unit, direction = ("", "none") if found is None else (found.unit, found.direction)
        table.add_row(name, _shown(value), low_high, unit, _WORSE[direction])
    console.print(table)


_WORSE = {"higher_is_worse": "higher", "lower_is_worse": "lower", "none": ""}


def _interval(numbers: Mapping[str, Any], name: str) -> tuple[list[float] | None, str]:
    for ending, covers in {"": "samples and runs", "_samples": "samples", "_runs": "runs"}.items():
        if numbers.get(f"{name}_ci95{ending}") is not None:
            return numbers[f"{name}_ci95{ending}"], covers
    return None, ""


def _shown(value: float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
