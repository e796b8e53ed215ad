"""The mean of values of runs and samples, with an interval that covers other runs and other samples."""

import numpy as np
from jaxtyping import Shaped

from reseed.statistics._estimate import Estimate, interval, no_estimate
from reseed.statistics._two_way import two_way


def mean_of_cells(
    values: Shaped[np.ndarray, "run sample"], *, level: float = 0.95, bottom: float = -np.inf, top: float = np.inf
) -> Estimate:
    """Returns the mean of values [run, sample], NaN ones left out, with its two-way interval.

    With v the values, m their mean over W cells and e = v - m, the variance is A + B - C: A the sum over runs of (sum
    of e)^2 times R / (R - 1), B that over samples, C the sum of e^2, each over W^2; `two_way` tells its degrees of
    freedom. Of a single run the interval covers other samples alone. The first axis is the runs'.

    Args:
        values: Numbers or truth values.
        level: Of the interval.
        bottom: The lowest value there can be, where the interval is cut off.
        top: The highest.

    References:
        Cameron, Gelbach and Miller, "Robust inference with multiway clustering", Journal of Business & Economic
        Statistics 2011.

    Examples:
        >>> found = mean_of_cells(np.array([[1.0, 0.0, 1.0, 1.0], [1.0, 0.0, 0.0, 1.0]]))
        >>> found.value, found.method, found.low < found.value < found.high
        (0.625, 'two-way', True)
    """
    array = np.asarray(values, np.float64)
    known = np.isfinite(array)
    weight = int(known.sum())
    runs, samples = int(known.any(1).sum()), int(known.any(0).sum())
    method = "two-way" if runs > 1 else "samples"
    if not weight:
        return no_estimate(method, runs, samples)
    mean = float(array[known].mean())
    rest = np.where(known, array - mean, 0.0)
    over_samples = float((rest.sum(0) ** 2).sum()) / weight**2 if samples > 1 else float("nan")
    variance, degrees = over_samples, float(samples - 1)
    if runs > 1:
        over_runs = float((rest.sum(1) ** 2).sum()) / weight**2 * runs / (runs - 1)
        own = float((rest**2).sum()) / weight**2
        within = (over_samples, own) if samples > 1 else (0.0, 0.0)
        variance, degrees = two_way([(over_runs, runs - 1)], *within, samples)
    return interval(mean, variance, method, runs, samples, level=level, bottom=bottom, top=top, degrees=degrees)
