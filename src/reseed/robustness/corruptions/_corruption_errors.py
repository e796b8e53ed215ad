"""Errors under common corruptions in one number, alone or relative to those of a baseline model."""

import warnings
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from reseed._arrays import ArrayLike, Result, brief, check_in_unit, float_array, give_back
from reseed._errors import InputError
from reseed.robustness._reduction import Reduction, check_reduction


def mean_corruption_error(
    errors: ArrayLike,
    baseline: ArrayLike | None = None,
    *,
    names: Sequence[str] | None = None,
    reduction: Reduction = "mean",
) -> Result:
    """Return the mean corruption error (mCE).

        CE_c = sum_s E_(c, s) / sum_s B_(c, s),  mCE = mean of CE_c over corruptions c

    with E the errors and B those of a baseline model. Sums are divided, not errors. Without a baseline CE_c is the mean
    error over severities. Tables of others often multiply by 100.

    Args:
        errors: Shares of wrong answers [..., corruption, severity], such as [run, corruption, severity].
        baseline: The baseline model's [corruption, severity].
        names: Of the corruptions, for warnings; default: their numbers.
        reduction: "mean", or "none" for the value of each corruption.

    Returns:
        The mean, in [0, inf), 1 for the baseline itself, a float or [...]; or values [..., corruption], float64. A
        corruption on which the baseline makes no error has no value: it is NaN and left out of the mean, for every
        model alike, with a warning.

    Raises:
        InputError: Errors are outside [0, 1], shapes do not fit, or the reduction is unknown.

    Examples:
        >>> mean_corruption_error([[0.2, 0.4], [0.1, 0.2]], [[0.4, 0.8], [0.1, 0.2]], reduction="none")
        array([0.5, 1. ])
        >>> round(mean_corruption_error([[0.2, 0.4], [0.1, 0.2]]), 4)
        0.225

    References:
        Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations",
        ICLR 2019.
    """
    check_reduction(reduction)
    own = _table(errors, "errors")
    if baseline is None:
        return _mean(np.asarray(own.mean(axis=-1)), reduction, errors)
    other = _baseline(baseline, own.shape[-2:], "baseline")
    ratio = _ratio(own.sum(axis=-1), other.sum(axis=-1), names, "the baseline makes no error on {}; its ratio")
    return _mean(ratio, reduction, errors, baseline)


def relative_corruption_error(
    errors: ArrayLike,
    clean: ArrayLike,
    baseline: ArrayLike | None = None,
    baseline_clean: float | None = None,
    *,
    names: Sequence[str] | None = None,
    reduction: Reduction = "mean",
) -> Result:
    """Return the mean relative corruption error (RmCE): what corruptions add to the clean error.

        RCE_c = sum_s (E_(c, s) - E_clean) / sum_s (B_(c, s) - B_clean),  RmCE = mean of RCE_c over corruptions c

    with E the errors and B those of a baseline model. Sums are divided, not errors. Without a baseline RCE_c is the
    mean over severities of what is added.

    Args:
        errors: Shares of wrong answers [..., corruption, severity], such as [run, corruption, severity].
        clean: The share on clean inputs, a number or [...].
        baseline: The baseline model's [corruption, severity].
        baseline_clean: The baseline model's share on clean inputs.
        names: Of the corruptions, for warnings; default: their numbers.
        reduction: "mean", or "none" for the value of each corruption.

    Returns:
        The mean, 1 for the baseline itself, negative where corruptions help, a float or [...]; or values
        [..., corruption], float64. A corruption that adds nothing to the baseline's error has no value: it is NaN and
        left out of the mean, for every model alike, with a warning.

    Raises:
        InputError: Errors are outside [0, 1], shapes do not fit, one of the two numbers of the baseline is missing, or
            the reduction is unknown.

    Examples:
        >>> round(relative_corruption_error([[0.2, 0.4]], 0.1, [[0.4, 0.6]], 0.2), 4)  # 0.4 / 0.6
        0.6667
        >>> round(relative_corruption_error([[0.2, 0.4]], 0.1), 4)
        0.2

    References:
        Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations",
        ICLR 2019.
    """
    check_reduction(reduction)
    own, own_clean = _table(errors, "errors"), _clean(clean, "clean")
    if own_clean.shape not in ((), own.shape[:-2]):
        raise InputError(
            f"clean is {brief(own_clean)} but errors is {brief(own)}; pass one clean error, or one for each run."
        )
    if (baseline is None) != (baseline_clean is None):
        lacking = "baseline" if baseline is None else "baseline_clean"
        raise InputError(f"{lacking} is missing; pass the baseline's errors with and without corruption, or neither.")
    added = np.asarray((own - own_clean[..., None, None]).sum(axis=-1))
    if baseline is None or baseline_clean is None:
        return _mean(added / own.shape[-1], reduction, errors)
    other = _baseline(baseline, own.shape[-2:], "baseline") - _clean(baseline_clean, "baseline_clean")
    ratio = _ratio(added, other.sum(axis=-1), names, "{} adds nothing to the baseline's error; the ratio")
    return _mean(ratio, reduction, errors, baseline)


def mean_flip_rate(
    flips: ArrayLike,
    baseline: ArrayLike | None = None,
    *,
    names: Sequence[str] | None = None,
    reduction: Reduction = "mean",
) -> Result:
    """Return the mean flip rate (mFR): how often answers change along sequences of perturbed images.

        FR_p = FP_p / FP_p of the baseline,  mFR = mean of FR_p over perturbations p

    Without a baseline it is the mean flip probability.

    Args:
        flips: Flip probabilities [..., perturbation], such as `flip_probability` gives.
        baseline: The baseline model's [perturbation].
        names: Of the perturbations, for warnings; default: their numbers.
        reduction: "mean", or "none" for the value of each perturbation.

    Returns:
        The mean, in [0, inf), 1 for the baseline itself, a float or [...]; or values [..., perturbation], float64. A
        perturbation under which the baseline never flips has no value: it is NaN and left out of the mean, for every
        model alike, with a warning.

    Raises:
        InputError: Probabilities are outside [0, 1], shapes do not fit, or the reduction is unknown.

    Examples:
        >>> mean_flip_rate([0.1, 0.3], [0.2, 0.3])
        0.75

    References:
        Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations",
        ICLR 2019.
    """
    check_reduction(reduction)
    own = float_array(flips, "flips").astype(np.float64)
    check_in_unit(own, "flips")
    if baseline is None:
        return _mean(own, reduction, flips)
    other = _baseline(baseline, own.shape[-1:], "baseline")
    ratio = _ratio(own, other, names, "the baseline never flips under {}; its ratio")
    return _mean(ratio, reduction, flips, baseline)


def _table(errors: ArrayLike, name: str) -> Float[np.ndarray, "... corruption severity"]:
    array = float_array(errors, name).astype(np.float64)
    if array.ndim < 2 or 0 in array.shape[-2:]:
        raise InputError(f"{name} is {brief(array)}; pass shares of wrong answers [corruption, severity].")
    _check_errors(array, name)
    return array


def _clean(error: ArrayLike, name: str) -> Float[np.ndarray, "..."]:
    array = np.asarray(float_array(np.atleast_1d(np.asarray(error)), name), np.float64)
    _check_errors(array, name)
    return array if np.ndim(error) else array[0][()] * np.ones(())


def _baseline(errors: ArrayLike, shape: tuple[int, ...], name: str) -> Float[np.ndarray, "..."]:
    array = float_array(errors, name).astype(np.float64)
    if array.shape != shape:
        raise InputError(f"{name} is {brief(array)}, but the model's numbers are {list(shape)}; pass one for each.")
    _check_errors(array, name)
    return array


def _check_errors(array: Float[np.ndarray, "..."], name: str) -> None:
    outside = (array < 0) | (array > 1)
    if outside.any():
        place = tuple(int(i) for i in np.argwhere(outside)[0])
        raise InputError(
            f"{name} holds {array[place]:.6g} at position {place}, outside [0, 1]; pass shares, and divide percents "
            "by 100."
        )


def _ratio(
    above: Float[np.ndarray, "... kind"], below: Float[np.ndarray, " kind"], names: Sequence[str] | None, why: str
) -> Float[np.ndarray, "... kind"]:
    """Return ratios that are NaN where the lower number is not above 0, with a warning that names these."""
    called = [str(number) for number in range(len(below))] if names is None else list(names)
    if len(called) != len(below):
        raise InputError(f"names are {len(called)}, but there are {len(below)}; pass one for each.")
    empty = ~(below > 1e-12)  # a sum of differences can miss 0 by rounding
    if empty.any():
        lost = ", ".join(name for name, bad in zip(called, empty, strict=True) if bad)
        warnings.warn(
            f"{why.format(lost)} is NaN and left out of the mean.",
            RuntimeWarning,
            stacklevel=3,
        )
    return np.asarray(above / np.where(empty, np.nan, below))


def _mean(values: Float[np.ndarray, "... kind"], reduction: Reduction, *like: object) -> Result:
    """Return the mean of what has a value; `_ratio` has warned of the rest."""
    if reduction == "none":
        return give_back(values, *like)
    defined = ~np.isnan(values)
    number = np.count_nonzero(defined, axis=-1)
    with np.errstate(invalid="ignore"):
        mean = np.asarray(np.where(defined, values, 0.0).sum(axis=-1) / number)
    return float(mean) if mean.ndim == 0 else give_back(mean, *like)
