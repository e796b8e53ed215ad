"""How much of the control's label entropy a method takes away."""

from typing import Literal

import numpy as np

from reseed._arrays import ArrayLike, undefined
from reseed._errors import InputError
from reseed.instability._rounding import highest_reached
from reseed.instability.intervals._estimate import run_by_sample
from reseed.instability.intervals._leave_one_out import per_sample, without_each_run
from reseed.instability.labels._entropy_table import Correction, check_correction
from reseed.statistics import (
    Estimate,
    Method,
    check_level,
    check_method,
    interval,
    jackknife_variance,
    no_estimate,
    two_way,
)


def label_entropy_reduction(
    method: ArrayLike,
    control: ArrayLike,
    *,
    subset: Literal["high"] | None = None,
    threshold: float = 0.56,
    interval: Method = "two-way",
    level: float = 0.95,
    correction: Correction | None = None,
) -> Estimate:
    """Returns by how many percent a method lowers label entropy, relative to a control on the same samples.

        reduction = 100 (1 - sum_i LE_method(i) / sum_i LE_control(i))

    Positive is better. With `subset="high"` both sums run over the samples whose control entropy exceeds
    `threshold`; the default of 0.56 nats lies just below that of a 75/25 split (0.5623).

    **The high subset is biased.** It is chosen by the control runs, so part of what they show there is
    chance, and another batch of the same control shows a reduction as well (regression to the mean; larger
    with fewer runs). A reduction on the high subset means something only next to its null: this function with
    a second control batch as `method`.

    The standard error treats runs of the two batches as independent and samples as paired: a jackknife over
    the method's runs, one over the control's, and for samples the linearised bootstrap of the ratio,
    100 sqrt(sum_i (LE_method(i) - q LE_control(i))^2) / sum_i LE_control(i), with q the ratio of the sums.
    For "two-way" they are added, less what both hold: how runs differ on each sample on its own. The chosen subset is
    held fixed, so the interval does not cover its choice. Intervals are cut off at 100.

    Args:
        method: labels of runs with the method [run, sample].
        control: labels of as many runs without it [run, sample], samples in the same order.
        subset: None for all samples, "high" for those above the threshold.
        threshold: control entropy in nats that a sample must exceed to be in the high subset.
        interval: "jackknife" (other runs), "samples" (other samples) or "two-way" (both).
        level: confidence level of the interval.
        correction: None, "miller-madow" or "digamma", for both sides and for the choice of the subset.

    Returns:
        The reduction in percent; NaN, with a warning, when the control's entropy sums to 0 or the subset is
        empty.

    Raises:
        InputError: batches over different samples or of different numbers of runs (small batches look more
            stable), too few runs, unusable labels, or an unknown option.

    Example:
        Of two samples on which the control's runs were split, the method settles one.

        >>> control = [[0, 0, 5], [1, 1, 5], [0, 0, 5], [1, 1, 5]]
        >>> method = [[0, 0, 5], [0, 1, 5], [0, 0, 5], [0, 1, 5]]
        >>> label_entropy_reduction(method, control).value
        50.0

    References:
        Datta et al., "Measuring and Mitigating Local Instability in Deep Neural Networks", Findings of ACL
        2023; Cameron, Gelbach and Miller, "Robust inference with multiway clustering", Journal of Business &
        Economic Statistics 2011 (what is taken off).
    """
    if subset not in (None, "high"):
        raise InputError(f"subset={subset!r} is unknown; pass None for all samples or 'high'.")
    check_method(interval, "interval")
    check_level(level)
    check_correction(correction)
    treated = run_by_sample(method, interval, "method")
    untreated = run_by_sample(control, interval, "control")
    if treated.shape[1] != untreated.shape[1]:
        raise InputError(
            f"method covers {treated.shape[1]} samples and control {untreated.shape[1]}; pass the same "
            "samples in the same order."
        )
    runs = len(treated)
    if runs != len(untreated):
        raise InputError(
            f"method has {runs} runs and control {len(untreated)}; label entropy grows with the number of "
            f"runs, so pass {min(runs, len(untreated))} of each."
        )
    base = per_sample(untreated, "label_entropy", correction)
    if subset == "high":
        chosen = base > highest_reached(threshold)
        base, treated, untreated = base[chosen], treated[:, chosen], untreated[:, chosen]
    samples = len(base)
    total = base.sum()
    if not total > 0:
        why = f"no sample's control entropy exceeds {threshold}" if subset else "the control's runs agree everywhere"
        undefined(f"{why}; the reduction is NaN.")
        return no_estimate(interval, runs, samples)
    reached = per_sample(treated, "label_entropy", correction)
    ratio = float(reached.sum() / total)
    parts: list[tuple[float, int]] = []
    over_samples = own = 0.0
    if interval != "samples":
        parts, own = _over_runs(treated, untreated, float(reached.mean()), float(base.mean()), correction)
    if interval != "jackknife":
        over_samples = float(np.sum((reached - ratio * base) ** 2) / total**2) if samples > 1 else float("nan")
    variance, degrees = two_way(parts, over_samples, own, samples)
    if np.isnan(variance):
        undefined("a single sample, or a control that agrees once a run is left out, gives no error; it is NaN.")
    return percent(1 - ratio, variance, interval, runs, samples, level=level, degrees=degrees, top=100.0)


def _over_runs(
    treated: np.ndarray, untreated: np.ndarray, reached: float, base: float, correction: Correction | None
) -> tuple[list[tuple[float, int]], float]:
    """Returns the ratio's jackknife variance over the runs of each with its degrees, and each sample's own part."""
    above = without_each_run(treated, "label_entropy", correction)
    below = without_each_run(untreated, "label_entropy", correction)
    if not (below.means > 0).all():
        return [(float("nan"), len(untreated) - 1)], float("nan")
    parts = [(jackknife_variance(means), len(means) - 1) for means in (above.means / base, reached / below.means)]
    return parts, above.own_variance / base**2 + below.own_variance * reached**2 / base**4


def percent(
    value: float,
    variance: float,
    method: str,
    runs: int,
    samples: int,
    *,
    level: float,
    degrees: float,
    top: float = np.inf,
) -> Estimate:
    """Returns an estimate in percent of a share's value and variance."""
    return interval(100 * value, 100**2 * variance, method, runs, samples, level=level, degrees=degrees, top=top)
