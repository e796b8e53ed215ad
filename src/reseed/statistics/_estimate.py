"""A number with an interval: how much of it is an accident of the runs, or of the samples?"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from scipy.special import ndtri, stdtrit

from reseed._errors import InputError

Method: TypeAlias = Literal["jackknife", "samples", "two-way"]
METHODS = ("jackknife", "samples", "two-way")


@dataclass(frozen=True)
class Estimate:
    """A number and how far it can be trusted.

    Attributes:
        value: the estimate.
        low: lower end of the interval.
        high: upper end of the interval.
        standard_error: its standard error.
        method: what varied: "jackknife" (runs), "samples", or "two-way" (both).
        runs: runs it was computed from (in each batch, for a comparison).
        samples: samples it was computed from.
    """

    value: float
    low: float
    high: float
    standard_error: float
    method: str
    runs: int
    samples: int


def check_method(method: object, name: str) -> None:
    """Raises on an unknown method; `name` is what the caller calls the argument."""
    if method not in METHODS:
        raise InputError(
            f"{name}={method!r} is unknown; pass 'jackknife' (runs vary), 'samples' or 'two-way'. A "
            "bootstrap over runs is not offered: copies of a run agree, so it is biased low."
        )


def check_level(level: float) -> None:
    """Raises on a confidence level that is none."""
    if not 0 < level < 1:
        raise InputError(f"level must be strictly between 0 and 1, got {level!r}; pass for example 0.95.")


def interval(
    value: float,
    variance: float,
    method: str,
    runs: int,
    samples: int,
    *,
    level: float,
    bottom: float = -np.inf,
    top: float = np.inf,
    degrees: float | None = None,
    root_scale: bool = False,
) -> Estimate:
    """Puts an interval around a value and cuts it off at the ends of the range.

    Student's t has `degrees` of freedom, by default one less than runs; intervals over samples alone are normal. The
    interval is symmetric around the value or, for means of numbers of which most are 0 (such as label entropies), on
    the scale of the root, where the variance of such means hardly depends on them; with q the quantile,

        asin sqrt(value / top) +- q SE / (2 sqrt(value (top - value)))
        sqrt(value) +- q SE / (2 sqrt(value))   without a top

    It reaches further up than down. At the ends of the range, where there is no such scale, it is symmetric.

    Args:
        value: the estimate.
        variance: the square of its standard error.
        method: what varied.
        runs: runs it was computed from.
        samples: samples it was computed from.
        level: confidence level.
        bottom: the lowest value there can be.
        top: the highest.
        degrees: degrees of freedom of the variance.
        root_scale: whether it is symmetric on the scale of the root; of numbers from 0 on.

    References:
        Bartlett, "The use of transformations", Biometrics 1947.
    """
    tail = (1 + level) / 2
    quantile = ndtri(tail) if method == "samples" else stdtrit(runs - 1 if degrees is None else degrees, tail)
    error = float(np.sqrt(variance))
    reach = float(quantile) * error
    low, high = value - reach, value + reach
    if root_scale and 0 < value < top:
        low, high = _on_root_scale(value, reach, top)
        low, high = min(low, value), max(high, value)  # which rounding alone could leave out
    if not np.isnan(error):
        low, high = max(low, bottom), min(high, top)
    return Estimate(value, low, high, error, method, runs, samples)


def _on_root_scale(value: float, reach: float, top: float) -> tuple[float, float]:
    """Returns the ends of an interval that is symmetric on the scale of the root, from its reach on its own scale."""
    if np.isnan(reach):
        return reach, reach
    if np.isinf(top):
        centre = np.sqrt(value)
        away = reach / (2 * centre)
        return float(max(0.0, centre - away) ** 2), float((centre + away) ** 2)
    centre, away = np.arcsin(np.sqrt(value / top)), reach / (2 * np.sqrt(value * (top - value)))
    low, high = np.sin([max(0.0, centre - away), min(np.pi / 2, centre + away)]) ** 2
    return float(top * low), float(top * high)


def no_estimate(method: str, runs: int, samples: int) -> Estimate:
    """Returns an estimate that is NaN throughout."""
    nan = float("nan")
    return Estimate(nan, nan, nan, nan, method, runs, samples)
