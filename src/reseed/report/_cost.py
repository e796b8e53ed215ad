"""What a study cost, as rows of words for the terminal and for the page."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reseed.report import _text as text


@dataclass(frozen=True)
class CostTable:
    """Rows (figure, in total, per run) of plain text, and a sentence about the runs."""

    rows: tuple[tuple[str, str, str], ...]
    about: str


def cost_table(summary: Mapping[str, object]) -> CostTable | None:
    """Return what a summary's ``cost_`` entries say; None where there are none."""
    runs = text.number(summary.get("cost_runs"))
    if runs is None:
        return None
    rows = []
    for name, title, shown in _FIGURES:
        total = text.number(summary.get(f"cost_{name}"))
        middle = text.number(summary.get(f"cost_{name}_median"))
        ends = text.pair(summary.get(f"cost_{name}_range"))
        if total is None or middle is None or ends is None:
            continue
        low, median, high = shown(ends[0]), shown(middle), shown(ends[1])
        rows.append((title, shown(total), median if low == high else f"{median} ({low} to {high})"))
    return CostTable(tuple(rows), _about(int(runs), text.pair(summary.get("cost_runs_per_program"))))


def _about(runs: int, together: tuple[float, float] | None) -> str:
    how = ""
    if together is not None:
        fewest, most = map(int, together)
        size = str(most) if fewest == most else f"{fewest} to {most}"
        how = ", each trained by itself" if most == 1 else f", {size} at a time as one program, sharing its time evenly"
    return (
        f"{text.plural(runs, 'finished run')}{how}. Per run: median (smallest to largest). In total: the sum, whether "
        "or not runs went side by side; of peaks the largest, of the rate the mean over all that time."
    )


def _count(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.3g}"


def _duration(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{_three_digits(seconds / size)} {unit}"
    return f"{_three_digits(seconds)} s"


def _size(size: float) -> str:
    step = max(0, min(5, math.floor(math.log10(size) / 3))) if size >= 1 else 0
    return f"{_three_digits(size / 1000**step)} {('B', 'kB', 'MB', 'GB', 'TB', 'PB')[step]}"


def _three_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


_FIGURES: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("steps", "Training steps", _count),
    ("samples_seen", "Training samples seen", _count),
    ("forward_passes", "Samples predicted for recording", _count),
    ("wall_s", "Wall time", _duration),
    ("cpu_s", "Processor time", _duration),
    ("samples_per_s", "Training samples per second", _count),
    ("weights_bytes", "Weights kept", _size),
    ("peak_memory_bytes", "Peak memory of the process", _size),
    ("peak_device_memory_bytes", "Peak memory on the device", _size),
)
