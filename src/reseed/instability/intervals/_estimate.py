"""Data-set values with intervals: how much of a number is an accident of the runs, or of the samples?"""

import numpy as np
from jaxtyping import Float, Integer

from reseed._arrays import ArrayLike, brief, undefined
from reseed._errors import InputError
from reseed._labels import encode, run_axis_first
from reseed.instability.intervals._leave_one_out import (
    STATISTICS,
    LeftOut,
    Statistic,
    highest,
    per_sample,
    without_each_run,
)
from reseed.instability.labels._entropy_table import Correction, check_correction
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
      N - 1 degrees where all of it is the runs', more where samples make most of it (see `reseed.statistics.two_way`).

    Runs are never bootstrapped: a resample with replacement holds some runs twice, a run agrees with its own
    copy, and so the mean of the bootstrapped jitter is (1 - 1/N) times the jitter. Leaving runs out has no
    such bias. The jackknife assumes a smooth statistic: for `unstable_fraction`, which depends on single
    runs, take it as a rough guide and see `rarefaction`.

    Intervals are symmetric on the scale of the root, asin sqrt(value / top) with top the value where every run gives
    another label (log N for label entropy). So they end within the range, reach further up than down, and hold where
    few samples are unstable.

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
    return mean_estimate(values, left_out, statistic, method, runs, level=level, correction=correction)


def mean_estimate(
    values: Float[np.ndarray, " sample"],
    left_out: LeftOut | None,
    statistic: Statistic,
    method: Method,
    runs: int,
    *,
    level: float = 0.95,
    correction: Correction | None = None,
) -> Estimate:
    """Returns the mean of a measure that was taken, from its values and its means without each run (None: samples)."""
    if method != "jackknife" and len(values) < 2:
        undefined(f"labels holds a single sample, which says nothing about other samples; {method} error is NaN.")
    return mean_of_measure(values, left_out, method, runs, level=level, top=highest(statistic, runs, correction))


def mean_of_measure(
    values: Float[np.ndarray, " sample"],
    left_out: LeftOut | None,
    method: str,
    runs: int,
    *,
    level: float,
    top: float,
) -> Estimate:
    """Returns the mean of any measure that is 0 for most samples, with an interval on the scale of the root."""
    samples = len(values)
    parts = [] if left_out is None else [(jackknife_variance(left_out.means), runs - 1)]
    own = 0.0 if left_out is None else left_out.own_variance
    over_samples = 0.0 if method == "jackknife" else mean_variance(values)
    variance, degrees = two_way(parts, over_samples, own, samples)
    value = float(values.mean())
    return interval(
        value, variance, method, runs, samples, level=level, bottom=0.0, top=top, degrees=degrees, root_scale=True
    )


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
