"""Estimates as a chart of bars."""

from __future__ import annotations

from collections.abc import Mapping

from reseed.scores import Chart, Series
from reseed.statistics import Estimate


def bars(title: str, sentence: str, axis: str, values: Mapping[str, Estimate], factor: float = 1.0) -> Chart:
    """Return estimates as bars with their intervals, each times a factor, such as 100 for percent."""
    found = list(values.values())
    y, low, high = (tuple(factor * getattr(one, name) for one in found) for name in ("value", "low", "high"))
    return Chart("bars", title, sentence, "", axis, (Series(axis, tuple(values), y, low, high),))
