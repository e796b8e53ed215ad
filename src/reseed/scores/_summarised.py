"""The summary of a lens: means in groups, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed.scores._columns import Column
from reseed.statistics import mean_of_cells, t_interval


def summarised(
    groups: Mapping[str, tuple[str, ...]],
    columns: Mapping[str, Column],
    *,
    cells: Mapping[str, NDArray[Any]],
    of_runs: Mapping[str, NDArray[Any]],
    numbers: Mapping[str, NDArray[Any]] | None = None,
    means: Collection[str] = (),
    **sizes: float,
) -> tuple[dict[str, Any], dict[str, tuple[str, ...]]]:
    """Return a summary as `Scores` has it, and which of its numbers stand under which title.

    Args:
        groups: Names under the titles of their groups; those that nothing is known of are left out.
        columns: What they are; intervals end where their ranges do.
        cells: Values [run, sample], NaN where there is none; their intervals cover runs and samples.
        of_runs: Numbers [run], NaN where there is none; their intervals cover runs.
        numbers: Numbers with their ends, [value, low, high].
        means: Names that already say a mean; the others get ``_mean``.
        sizes: What the letters of ranges stand for, see `Column.ends`.

    Examples:
        >>> length = Column("its length", "none", "[0, inf]", "words", "lengths")
        >>> summarised({"Lengths": ("length",)}, {"length": length}, cells={}, of_runs={"length": np.array([1.0, 3.0])})
        ({'length_mean': 2.0, 'length_ci95_runs': [0.0, 14.706204736174694]}, {'Lengths': ('length_mean',)})
    """
    summary: dict[str, Any] = {}
    shown: dict[str, tuple[str, ...]] = {}
    for title, names in groups.items():
        titles = []
        for name in names:
            bottom, top = columns[name].ends(**sizes) if name in columns else (-math.inf, math.inf)
            if name in cells:
                found = mean_of_cells(cells[name], bottom=bottom, top=top)
                value, low, high = found.value, found.low, found.high
                covers = "" if found.method == "two-way" else "_samples"
            elif name in of_runs:
                values = np.asarray(of_runs[name], np.float64)
                (value, low, high), covers = t_interval(values[np.isfinite(values)], bottom=bottom, top=top), "_runs"
            elif numbers is not None and name in numbers:
                (value, low, high), covers = (float(each) for each in numbers[name]), ""
            else:
                continue
            own = name if name in means else f"{name}_mean"
            summary[own] = _number(value)
            summary[f"{name}_ci95{covers}"] = None if math.isnan(low) else [_number(low), _number(high)]
            titles.append(own)
        if titles:
            shown[title] = tuple(titles)
    return summary, shown


def spread(values: NDArray[Any], places: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Return values [run, sample] of some samples as those of all, NaN for samples that were not asked about."""
    everything = np.full((len(values), count), np.nan)
    everything[:, places] = values
    return everything


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
