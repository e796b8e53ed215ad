"""How much more label entropy a method takes away than a second batch of the control does."""

from typing import Literal

import numpy as np
from jaxtyping import Float, Integer

from reseed._arrays import ArrayLike, undefined
from reseed._errors import InputError
from reseed.instability._rounding import highest_reached
from reseed.instability.intervals._estimate import run_by_sample
from reseed.instability.intervals._leave_one_out import per_sample, without_each_run
from reseed.instability.intervals._reduction import percent
from reseed.statistics import (
    Estimate,
    Method,
    check_level,
    check_method,
    jackknife_variance,
    no_estimate,
    two_way,
)

_NAMES = ("method", "null", "control")


def reduction_beyond_null(
    method: ArrayLike,
    null: ArrayLike,
    control: ArrayLike,
    *,
    subset: Literal["high"] | None = None,
    threshold: float = 0.56,
    interval: Method = "two-way",
    level: float = 0.95,
) -> Estimate:
    """Returns a method's label-entropy reduction less that of a second control, in percentage points.

        difference = 100 (sum_i LE_null(i) - sum_i LE_method(i)) / sum_i LE_control(i)

    A method whose interval includes 0 cannot be told from training the control again. Choosing samples by the
    control's entropy shifts `label_entropy_reduction` of method and null alike (regression to the mean), and so
    hardly their difference.

    Runs of the three batches count as independent, samples as paired: a jackknife over the runs of each batch, and for
    samples the linearised bootstrap of the ratio; "two-way" as in `label_entropy_reduction`. The chosen subset is held
    fixed.

    Args:
        method: labels of runs with the method [run, sample], integers or strings.
        null: labels of as many other runs without it [run, sample], samples in the same order.
        control: labels of as many runs without it [run, sample].
        subset: None for all samples, "high" for those above the threshold.
        threshold: control entropy in nats that a sample must exceed to be in the high subset.
        interval: what it covers: "jackknife" (other runs), "samples" (other samples) or "two-way" (both).
        level: confidence level of the interval.

    Returns:
        The difference in percentage points; NaN, with a warning, when the control's entropy sums to 0 or the subset is
        empty.

    Raises:
        InputError: batches over different samples or of different numbers of runs, too few runs, unusable labels, or
            an unknown option.

    Example:
        >>> control = [[0, 0, 5], [1, 1, 5], [0, 0, 5], [1, 1, 5]]
        >>> method = [[0, 0, 5], [0, 1, 5], [0, 0, 5], [0, 1, 5]]
        >>> reduction_beyond_null(method, control, control).value
        50.0
    """
    if subset not in (None, "high"):
        raise InputError(f"subset={subset!r} is unknown; pass None for all samples or 'high'.")
    check_method(interval, "interval")
    check_level(level)
    batches = [
        run_by_sample(labels, interval, name) for labels, name in zip((method, null, control), _NAMES, strict=True)
    ]
    if len({batch.shape for batch in batches}) > 1:
        shapes = ", ".join(f"{name} {batch.shape}" for name, batch in zip(_NAMES, batches, strict=True))
        raise InputError(f"batches differ in shape [run, sample]: {shapes}; pass as many runs of the same samples.")
    runs = len(batches[0])
    if subset == "high":
        chosen = per_sample(batches[2], "label_entropy") > highest_reached(threshold)
        batches = [batch[:, chosen] for batch in batches]
    entropies = [per_sample(batch, "label_entropy") for batch in batches]
    samples = len(entropies[0])
    if not entropies[2].sum() > 0:
        why = f"no sample's control entropy exceeds {threshold}" if subset else "the control's runs agree everywhere"
        undefined(f"{why}; the difference is NaN.")
        return no_estimate(interval, runs, samples)
    reached, base, untreated = entropies
    value = float((base.sum() - reached.sum()) / untreated.sum())
    parts: list[tuple[float, int]] = []
    over_samples = own = 0.0
    if interval != "samples":
        parts, own = _over_runs(batches, entropies)
    if interval != "jackknife":
        residual = base - reached - value * untreated
        over_samples = float(np.sum(residual**2) / untreated.sum() ** 2) if samples > 1 else float("nan")
    variance, degrees = two_way(parts, over_samples, own, samples)
    if np.isnan(variance):
        undefined("a single sample, or a control that agrees once a run is left out, gives no error; it is NaN.")
    return percent(value, variance, interval, runs, samples, level=level, degrees=degrees)


def _over_runs(
    batches: list[Integer[np.ndarray, "run sample"]], entropies: list[Float[np.ndarray, " sample"]]
) -> tuple[list[tuple[float, int]], float]:
    """Returns the jackknife variances over the runs of all three with their degrees, and each sample's own part."""
    reached, base, untreated = (float(values.mean()) for values in entropies)
    method, null, control = (without_each_run(batch, "label_entropy") for batch in batches)
    if not (control.means > 0).all():
        return [(float("nan"), len(batches[0]) - 1)], float("nan")
    parts = (method.means / untreated, null.means / untreated, (base - reached) / control.means)
    own = (method.own_variance + null.own_variance) / untreated**2
    own += control.own_variance * (base - reached) ** 2 / untreated**4
    return [(jackknife_variance(part), len(part) - 1) for part in parts], own
