"""Numbers as JSON can hold them: no value is null, and a mean stands beside its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from reseed.statistics._estimate import Estimate
from reseed.statistics._t_interval import t_interval


def mean_numbers(
    name: str, values: Float[np.ndarray, " run"], *, bottom: float = -math.inf, top: float = math.inf
) -> dict[str, Any]:
    """Returns a mean over runs and Student's interval under the names that summaries have.

    Args:
        name: What was measured.
        values: One a run; NaN does not count.
        bottom: Where its range begins.
        top: Where it ends.

    Examples:
        >>> mean_numbers("length", np.array([1.0, 3.0, np.nan]), bottom=0.0)
        {'length_mean': 2.0, 'length_ci95': [0.0, 14.706204736174694]}
    """
    mean, low, high = t_interval(values[~np.isnan(values)], bottom=bottom, top=top)
    return {f"{name}_mean": mean, f"{name}_ci95": [low, high]}


def estimate_numbers(name: str, found: Estimate | None) -> dict[str, Any]:
    """Returns an estimate and its interval under the names that summaries have."""
    if found is None:
        return {f"{name}_mean": None, f"{name}_ci95": None}
    return {f"{name}_mean": found.value, f"{name}_ci95": [found.low, found.high]}


def json_ready(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Returns numbers and pairs of them with None where one is no number.

    Examples:
        >>> json_ready({"mean": 2.0, "ci95": [float("nan"), 3.0], "spread": float("nan")})
        {'mean': 2.0, 'ci95': None, 'spread': None}
    """
    return {name: _ready(value) for name, value in numbers.items()}


def _ready(value: Any) -> Any:
    if isinstance(value, list):
        return None if any(each is None or math.isnan(each) for each in value) else value
    return None if isinstance(value, float) and math.isnan(value) else value
