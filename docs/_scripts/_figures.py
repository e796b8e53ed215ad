"""What expressions of the pages' comments are made of: the committed raw numbers, and short ways to speak of them."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterable
from functools import cache
from math import floor, log, log10
from pathlib import Path
from statistics import mean, median
from typing import Any

from reseed.mitigations import described, parse_mitigations
from reseed.training import default_recipe
from reseed.workflows._mitigate import DEFAULT_METHODS

FOLDER = Path(__file__).parents[2] / "benchmarks"
NAMING = ("name", "case", "recipe", "source", "kind")
TABLES = (
    "bias_table",
    "coverage_tables",
    "foretelling_tables",
    "flatness_tables",
    "how_many_runs",
    "label_error_tables",
    "label_noise_tables",
    "readme_tables",
    "results_tables",
    "scale_tables",
    "selection_bias",
    "single_run_tables",
    "six_tasks_tables",
    "speed_tables",
    "stability_tables",
)


class Figures(dict[str, Any]):
    """A JSON object whose values are also attributes: ``figures.share.error``."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no {name!r}; there are: {', '.join(self)}") from None


class Rows(list[Any]):
    """A JSON array whose objects can be asked for by their name: ``rows["ema"]``."""

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            return super().__getitem__(key)
        for row in self:
            if any(row.get(naming) == key for naming in NAMING):
                return row
        raise KeyError(key)


def headed(columns: str) -> list[str]:
    """Returns the first two lines of a table whose columns are parted by bars; lines are added to them."""
    return [f"| {columns} |", "|" + "---|" * (columns.count("|") + 1)]


@cache
def read(name: str) -> Figures:
    """Returns the raw numbers of ``benchmarks/NAME.json``."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"), object_hook=_objects)


def _objects(found: dict[str, Any]) -> Figures:
    return Figures({key: _arrays(value) for key, value in found.items()})


def _arrays(value: Any) -> Any:
    return Rows(_arrays(each) for each in value) if isinstance(value, list) else value


def gone(comparison: Figures, method: str) -> tuple[float, float, float]:
    """Returns by how many percent a method lowers label entropy, with its interval."""
    row = comparison.methods[method]
    return (row.reduction, *row.reduction_ci95)


def points(comparison: Figures, method: str) -> tuple[float, float, float]:
    """Returns how many points of accuracy a method gains, with its interval."""
    row = comparison.methods[method]
    return (100 * row.accuracy_difference, *(100 * end for end in row.accuracy_difference_ci95))


def near(value: float, wanted: float, share: float = 0.1) -> bool:
    """Tells whether a value is what a sentence says in words, give or take a share of it."""
    return abs(value - wanted) <= share * abs(wanted)


def about(value: float, digits: int = 1) -> float:
    """Returns a value rounded to so many significant digits."""
    return round(value, digits - 1 - floor(log10(abs(value)))) if value else 0.0


def ends(values: Iterable[float]) -> tuple[float, float]:
    """Returns the smallest and the largest value."""
    found = list(values)
    return min(found), max(found)


def entropy(*counts: float) -> float:
    """Returns the entropy, in nats, of labels that so many runs give."""
    shares = [count / sum(counts) for count in counts]
    return -sum(share * log(share) for share in shares if share)


def fenced(lines: list[str], language: str = "text") -> list[str]:
    """Returns lines between the fences of a block of code."""
    return [f"```{language}", *lines, "```"]


def namespace() -> dict[str, Any]:
    """Returns the names that every expression can use: these functions, and the scripts that make tables."""
    functions: tuple[Callable[..., Any], ...] = (read, gone, points, near, about, ends, entropy, fenced, mean, median)
    code = (default_recipe, described, parse_mitigations)  # what is said of defaults is what the code has
    return {
        "DEFAULT_METHODS": DEFAULT_METHODS,
        **{function.__name__: function for function in (*functions, *code)},
        **{name: importlib.import_module(name) for name in TABLES},
    }
