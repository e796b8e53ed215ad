"""Means of a number that each run gives each sample, and their differences between two batches of runs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from reseed._arrays import ArrayLike, brief, undefined
from reseed._errors import InputError
from reseed._labels import label_array, same_shape
from reseed.statistics import (
    Estimate,
    Method,
    check_level,
    check_method,
    interval,
    jackknife_variance,
    mean_variance,
    no_estimate,
    two_way,
)


def accuracy_difference(
    method: ArrayLike,
    control: ArrayLike,
    targets: ArrayLike,
    *,
    interval: Method = "two-way",
    level: float = 0.95,
) -> Estimate:
    """Returns by how much a method's mean accuracy over runs exceeds a control's on the same samples.

        difference = mean over runs and samples of [method is right] - the same of the control

    The standard error takes runs of the two batches as independent and samples as paired: the variance of the
    accuracy over runs by the number of runs, of both batches, and for samples the variance of the difference of
    each sample's share of right runs; "two-way" as in `label_entropy_reduction`. Runs that share their seeds are not
    quite independent; the interval is then a little wide.

    Args:
        method: labels of runs with the method [run, sample], integers or strings.
        control: labels of runs without it [run, sample], samples in the same order.
        targets: true labels [sample].
        interval: "jackknife" (other runs), "samples" (other samples) or "two-way" (both).
        level: confidence level of the interval.

    Returns:
        The difference, a share in [-1, 1]; NaN, with a warning, when there are no samples.

    Raises:
        InputError: batches over different samples, fewer than two runs, unusable labels, or an unknown option.

    Example:
        >>> control, method = [[0, 1, 1], [0, 1, 0]], [[0, 1, 1], [0, 1, 1]]
        >>> round(accuracy_difference(method, control, [0, 1, 1]).value, 4)
        0.1667
    """
    check_method(interval, "interval")
    check_level(level)
    treated, untreated = right(method, targets, "method"), right(control, targets, "control")
    if not treated.shape[1]:
        undefined("targets holds no samples; the difference is NaN.")
        return no_estimate(interval, min(len(treated), len(untreated)), 0)
    return difference_of_means(treated, untreated, interval, level, bottom=-1.0, top=1.0)


def right(labels: ArrayLike, targets: ArrayLike, name: str) -> Float[np.ndarray, "run sample"]:
    """Returns 1 where a run's label is the target, else 0; raises where the shapes do not fit."""
    array, gold = label_array(labels, name), label_array(targets, "targets")
    if array.ndim != 2 or len(array) < 2:
        raise InputError(f"{name} must be [run, sample] of two or more runs, got {brief(array)}.")
    same_shape(array[0], gold, (f"each run of {name}", "targets"))
    return np.asarray(array == gold, np.float64)


def mean_of(
    values: Float[np.ndarray, "run sample"],
    method: Method,
    level: float,
    *,
    bottom: float = -np.inf,
    top: float = np.inf,
) -> Estimate:
    """Returns the mean over runs and samples."""
    runs, samples = values.shape
    variance, degrees = _variance(method, (values,))
    return interval(
        float(values.mean()), variance, method, runs, samples, level=level, bottom=bottom, top=top, degrees=degrees
    )


def difference_of_means(
    method: Float[np.ndarray, "run sample"],
    control: Float[np.ndarray, "run sample"],
    covers: Method,
    level: float,
    *,
    bottom: float = -np.inf,
    top: float = np.inf,
) -> Estimate:
    """Returns the mean of one batch less that of another, runs independent and samples paired."""
    value = float(method.mean() - control.mean())
    runs, samples = min(len(method), len(control)), method.shape[1]
    variance, degrees = _variance(covers, (method, control))
    return interval(value, variance, covers, runs, samples, level=level, bottom=bottom, top=top, degrees=degrees)


def _variance(covers: str, batches: tuple[Float[np.ndarray, "run sample"], ...]) -> tuple[float, float]:
    """Returns the variance of a mean, or of the difference of two, and its degrees of freedom."""
    parts, over_samples, own = [], 0.0, 0.0
    if covers != "samples":
        for batch in batches:
            runs, samples = batch.shape
            means = batch.mean(1)  # the mean without a run moves by that run's own distance / (N - 1)
            parts.append((jackknife_variance((means.sum() - means) / (runs - 1)), runs - 1))
            own += float(batch.var(0, ddof=1).sum() / runs / samples**2)
    if covers != "jackknife":
        first, *second = (batch.mean(0) for batch in batches)
        over_samples = mean_variance(first - second[0] if second else first)
    return two_way(parts, over_samples, own, batches[0].shape[1])
