"""Data-set values with intervals: how much of a number is an accident of the runs, or of the samples?"""

from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from jaxtyping import Float, Integer
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from reseed._errors import InputError
from reseed.instability._arrays import ArrayLike, brief, undefined
from reseed.instability._labels import encode, run_axis_first
from reseed.instability.intervals._leave_one_out import STATISTICS, LeftOut, Statistic, per_sample, without_each_run
from reseed.instability.labels._entropy_table import Correction, check_correction

Method: TypeAlias = Literal["jackknife", "samples", "two-way"]
METHODS = ("jackknife", "samples", "two-way")
_Variance = TypeVar("_Variance", float, NDArray[np.float64])


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


def estimate(
    labels: ArrayLike,
    statistic: Statistic = "label_entropy",
    method: Method = "jackknife",
    *,
    level: float = 0.95,
    correction: Correction | None = None,
) -> Estimate:
    """Returns the mean of a measure over the data set, with a standard error and an interval.

    - `"jackknife"`: other runs, the same samples. Delete-one-run jackknife,
      SE^2 = (N - 1) / N sum_r (T_r - mean T)^2 with T_r the value without run r; Student's t, N - 1 degrees.
    - `"samples"`: other samples, the same runs. Standard error of the ordinary bootstrap over samples in
      closed form (the limit of infinitely many resamples), sqrt(sum_i (x_i - mean x)^2) / n; normal
      quantiles.
    - `"two-way"`: both. The two variances added, less what both hold: how runs differ on each sample on its own,
      (N - 1) / N sum_i sum_r (x_ir - mean_r x_ir)^2 / n^2 with x_ir the value of sample i without run r; Student's t,
      N - 1 degrees.

    Runs are never bootstrapped: a resample with replacement holds some runs twice, a run agrees with its own
    copy, and so the mean of the bootstrapped jitter is (1 - 1/N) times the jitter. Leaving runs out has no
    such bias. The jackknife assumes a smooth statistic: for `unstable_fraction`, which depends on single
    runs, take it as a rough guide and see `rarefaction`.

    Intervals are symmetric, then cut off at 0 below and, but for label entropy, at 1 above.

    Args:
        labels: predicted labels [run, sample], integers or strings.
        statistic: "label_entropy" (nats), "jitter", "unstable_fraction" or "variation_ratio".
        method: "jackknife", "samples" or "two-way".
        level: confidence level of the interval.
        correction: None, "miller-madow" or "digamma"; for label entropy only.

    Returns:
        The estimate; NaN, with a warning, for a value without samples and for an error that needs more than
        one.

    Raises:
        InputError: fewer than two runs (three for the jackknife, because one run that is left cannot
            disagree), labels that are not [run, sample], or an unknown statistic, method, level or
            correction.

    Example:
        >>> found = estimate([[0, 1, 1], [0, 1, 2], [0, 1, 1], [0, 1, 1]], "jitter")
        >>> round(found.value, 4), round(found.standard_error, 4), found.runs, found.samples
        (0.1667, 0.1667, 4, 3)

    References:
        Efron and Stein, "The jackknife estimate of variance", Annals of Statistics 1981. Cameron, Gelbach and Miller,
        "Robust inference with multiway clustering", Journal of Business & Economic Statistics 2011 (what is taken off).
    """
    if statistic not in STATISTICS:
        raise InputError(f"statistic={statistic!r} is unknown; pass one of {', '.join(map(repr, STATISTICS))}.")
    if correction is not None and statistic != "label_entropy":
        raise InputError(
            f"correction={correction!r} applies to label entropy only, not to {statistic!r}; leave it out."
        )
    check_correction(correction)
    check_method(method, "method")
    check_level(level)
    codes = run_by_sample(labels, method)
    runs, samples = codes.shape
    if not samples:
        undefined(f"labels holds no samples; the {statistic} is NaN.")
        return no_estimate(method, runs, 0)
    values = per_sample(codes, statistic, correction)
    left_out = None if method == "samples" else without_each_run(codes, statistic, correction)
    return mean_estimate(values, left_out, statistic, method, runs, level=level)


def mean_estimate(
    values: Float[np.ndarray, " sample"],
    left_out: LeftOut | None,
    statistic: Statistic,
    method: Method,
    runs: int,
    *,
    level: float = 0.95,
) -> Estimate:
    """Returns the mean of a measure that was taken, from its values and its means without each run (None: samples)."""
    samples, over_samples = len(values), 0.0
    over_runs, own = (0.0, 0.0) if left_out is None else (jackknife_variance(left_out.means), left_out.own_variance)
    if method != "jackknife":
        if samples < 2:
            undefined(f"labels holds a single sample, which says nothing about other samples; {method} error is NaN.")
        over_samples = mean_variance(values)
    variance = counted_once(over_runs, over_samples, own)
    top = np.inf if statistic == "label_entropy" else 1.0
    return interval(float(values.mean()), variance, method, runs, samples, level=level, bottom=0.0, top=top)


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


def run_by_sample(labels: ArrayLike, method: str, name: str = "labels") -> Integer[np.ndarray, "run sample"]:
    """Checks that labels are [run, sample] with enough runs for the method, and encodes them as integers."""
    codes, _ = encode(run_axis_first(labels, least=2, name=name))
    if codes.ndim != 2:
        raise InputError(f"{name} must be [run, sample], got {brief(codes)}; flatten the other axes into samples.")
    if method != "samples" and len(codes) < 3:
        raise InputError(
            f"{name} has {len(codes)} runs; the jackknife leaves one out and needs at least 3. Pass more "
            "runs, or take 'samples'."
        )
    return codes


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
    estimate can fall short by chance, but not below either variance.

    References:
        Cameron, Gelbach and Miller, "Robust inference with multiway clustering", Journal of Business & Economic
        Statistics 2011.
    """
    larger: _Variance = np.maximum(over_runs, over_samples)
    found: _Variance = np.maximum(over_runs + over_samples - own, larger)
    return found


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
) -> Estimate:
    """Puts a symmetric interval around a value and cuts it off at the ends of the range.

    Student's t has `degrees` of freedom, by default one less than runs; intervals over samples alone are normal.
    """
    tail = (1 + level) / 2
    quantile = ndtri(tail) if method == "samples" else stdtrit(runs - 1 if degrees is None else degrees, tail)
    error, quantile = float(np.sqrt(variance)), float(quantile)
    low, high = value - quantile * error, value + quantile * error
    if not np.isnan(error):
        low, high = max(low, bottom), min(high, top)
    return Estimate(value, low, high, error, method, runs, samples)


def t_interval(values: Float[np.ndarray, " run"], level: float = 0.95) -> tuple[float, float, float]:
    """Returns the mean of one number a run, and the ends of Student's interval for it; NaN where it has no value."""
    runs, nan = len(values), float("nan")
    if runs < 2:
        return (float(values[0]) if runs else nan), nan, nan
    mean = float(values.mean())
    reach = float(stdtrit(runs - 1, (1 + level) / 2) * values.std(ddof=1) / np.sqrt(runs))
    return mean, mean - reach, mean + reach


def no_estimate(method: str, runs: int, samples: int) -> Estimate:
    """Returns an estimate that is NaN throughout."""
    nan = float("nan")
    return Estimate(nan, nan, nan, nan, method, runs, samples)
