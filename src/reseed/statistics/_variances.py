"""Variances of a mean over other runs, over other samples, and over both."""

from typing import TypeVar

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

_Variance = TypeVar("_Variance", float, NDArray[np.float64])


def jackknife_variance(left_out: Float[np.ndarray, " run"]) -> float:
    """Returns (N - 1) / N sum (T_r - mean T)^2."""
    runs = len(left_out)
    return float((runs - 1) / runs * np.sum((left_out - left_out.mean()) ** 2))


def mean_variance(values: Float[np.ndarray, " sample"]) -> float:
    """Returns the variance of the bootstrapped mean over samples; NaN for a single one."""
    samples = len(values)
    return float(np.sum((values - values.mean()) ** 2) / samples**2) if samples > 1 else float("nan")


def counted_once(over_runs: _Variance, over_samples: _Variance, own: _Variance) -> _Variance:
    """Returns the variance over other runs and other samples, of one number or of many.

    How runs differ on each sample on its own is in the variance over runs and in that over samples, so it is taken off
    once. Where it is all there is, as in many a difference of two batches, the plain sum would be twice too large. The
    estimate can fall short by chance, but not below either variance: an interval for other runs and other samples does
    not claim a smaller error than one for other runs alone.

    References:
        Cameron, Gelbach and Miller, "Robust inference with multiway clustering", Journal of Business & Economic
        Statistics 2011.
    """
    larger: _Variance = np.maximum(over_runs, over_samples)
    found: _Variance = np.maximum(over_runs + over_samples - own, larger)
    return found
