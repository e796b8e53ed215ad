"""Bootstrap instability: what predictions do when the training sample is another one."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from reseed._arrays import ArrayLike, Result, brief, check_in_unit, float_array, give_back, undefined
from reseed._errors import InputError
from reseed._simplex import check_simplex
from reseed.instability._rounding import in_type_of, unit_roundoff
from reseed.statistics import Estimate, interval, mean_variance, no_estimate, two_way

_BLOCK = 1 << 20  # numbers that are worked on at a time


@dataclass(frozen=True)
class BootstrapInstability:
    """How far models of resampled training sets are from the original one.

    Attributes:
        mape: mean absolute prediction error of each sample, [sample]; one column a class for distributions,
            [sample, class].
        mean_mape: its mean over samples (and classes).
        index: classification instability index of each sample, [sample].
        mean_index: its mean over samples.
        prediction: the original predictions, the horizontal axis of the instability plot, of the shape of
            `mape`.
        low: lower percentile over resamples of each prediction, of the same shape.
        high: upper percentile.
        bootstraps: number of resamples.
        mape_estimate: `mean_mape` with its 95 % interval.
        index_estimate: `mean_index` with its 95 % interval.
        label: the class that the original decides for, [sample]; 1 for the positive one.
    """

    mape: Result
    mean_mape: float
    index: Result
    mean_index: float
    prediction: Result
    low: Result
    high: Result
    bootstraps: int
    mape_estimate: Estimate
    index_estimate: Estimate
    label: Result


def bootstrap_instability(
    original: ArrayLike,
    resampled: ArrayLike,
    *,
    threshold: float = 0.5,
    percentiles: tuple[float, float] = (2.5, 97.5),
) -> BootstrapInstability:
    """Compares a model with models that the same building process made of bootstrap samples of its data.

    With p_i the original model's prediction for sample i and p_bi that of the model of resample b, both for
    the samples that the original was made of,

        MAPE_i = (1 / B) sum_b |p_bi - p_i|
        index_i = (1 / B) sum_b 1[class(p_bi) != class(p_i)]

    A probability of the positive class, `[sample]`, decides for it at or above `threshold`, which is rounded to the
    type that predictions are given in; a distribution `[sample, class]` decides for its largest entry, the lowest of
    several. The plot of instability shows `low` and `high` against `prediction`.

    The values are means over resamples: their expectation does not depend on B, and their noise falls with
    its root. Percentiles do need many: at least 200 resamples are asked for by the reference, 1000 suggested.
    Intervals cover other resamples and other samples (both variances added, less what both hold, as in `estimate`;
    Student's t with the degrees of `reseed.statistics.two_way`), with the original model as it is; the estimates'
    `method` names what is covered where there is one of a kind only.

    If each model is also trained with a seed of its own, the values hold the seed's effect as well; see
    `nested_instability`, which takes the two apart.

    Args:
        original: predictions of the original model, [sample] or [sample, class], probabilities.
        resampled: predictions of the other models for the same samples, [bootstrap, sample] or [bootstrap,
            sample, class], with classes in the same columns.
        threshold: probability from which on the positive class is predicted; of [sample] predictions only.
        percentiles: lower and upper percentile for the instability plot.

    Returns:
        The measures; means over no samples are NaN, with a warning.

    Raises:
        InputError: shapes that do not fit, no resamples, values that are no probabilities, or a threshold or
            percentiles out of range.

    Example:
        >>> found = bootstrap_instability([0.9, 0.6], [[0.8, 0.4], [1.0, 0.8]])
        >>> found.mape.round(3), found.index, round(found.mean_mape, 3)
        (array([0.1, 0.2]), array([0. , 0.5]), 0.15)

    References:
        Riley and Collins, "Stability of clinical prediction models developed using statistical or machine
        learning methods", Biometrical Journal 2023.
    """
    base, others = float_array(original, "original"), float_array(resampled, "resampled")
    if base.ndim > 2:
        raise InputError(f"original must be [sample] or [sample, class], got {brief(base)}; flatten other axes.")
    if others.shape[1:] != base.shape:
        raise InputError(
            f"resampled is {brief(others)} but original is {brief(base)}; pass [bootstrap, ...] over the same "
            "samples and classes."
        )
    if not len(others):
        raise InputError(f"resampled has no bootstrap models, got {brief(others)}; pass 200 or more.")
    if not 0 <= threshold <= 1:
        raise InputError(f"threshold must be in [0, 1], got {threshold}; pass for example 0.5.")
    if not 0 <= percentiles[0] < percentiles[1] <= 100:
        raise InputError(f"percentiles must be two rising numbers in [0, 100], got {percentiles!r}.")
    _check(base, "original", unit_roundoff(original))
    _check(others, "resampled", unit_roundoff(resampled))
    decided = _decided(base, in_type_of(np.array(threshold), original), base.ndim)
    reached = in_type_of(np.array(threshold), resampled)
    count, samples = others.shape[:2]
    mape, low, high = np.zeros(base.shape), np.zeros(base.shape), np.zeros(base.shape)
    index = np.zeros(samples)
    errors, flips = _Sums(count), _Sums(count)
    step = max(1, _BLOCK // (others[:, :1].size or 1))
    for start in range(0, samples, step):
        some = slice(start, start + step)
        here, there = base[some].astype(np.float64), others[:, some].astype(np.float64)
        apart = np.abs(there - here)
        mape[some] = apart.mean(axis=0)
        if apart.size:
            errors.add(apart.reshape(count, len(here), -1).mean(axis=-1))
        low[some], high[some] = np.percentile(there, percentiles, axis=0)
        differs = _decided(others[:, some], reached, base.ndim) != decided[some]
        index[some] = differs.mean(axis=0)
        flips.add(differs.astype(np.float64))
    if not samples:
        undefined("original holds no samples; the means are NaN.")
    return BootstrapInstability(
        give_back(mape, original, resampled),
        float(mape.mean()) if samples else float("nan"),
        give_back(index, original, resampled),
        float(index.mean()) if samples else float("nan"),
        give_back(base.astype(np.float64), original, resampled),
        give_back(low, original, resampled),
        give_back(high, original, resampled),
        count,
        errors.estimate(mape.reshape(samples, -1).mean(axis=-1) if mape.size else index),
        flips.estimate(index),
        give_back(decided, original, resampled),
    )


class _Sums:
    """Adds up a measure [bootstrap, sample], some samples at a time: what resamples do to its mean, and to each sample.

    Args:
        count: How many resamples there are.
    """

    def __init__(self, count: int) -> None:
        self._total, self._own = np.zeros(count), 0.0

    def add(self, values: Float[np.ndarray, "bootstrap sample"]) -> None:
        """Takes some samples."""
        self._total += values.sum(axis=1)
        if len(values) > 1:
            self._own += float(values.var(axis=0, ddof=1).sum()) / len(values)

    def estimate(self, values: Float[np.ndarray, " sample"]) -> Estimate:
        """Returns the mean with its interval, from the measure of each sample over all resamples."""
        count, samples = len(self._total), len(values)
        if not samples:
            return no_estimate("", count, 0)
        covered = [name for name, several in (("resamples", count > 1), ("samples", samples > 1)) if several]
        parts = [(float((self._total / samples).var(ddof=1)) / count, count - 1)] if count > 1 else []
        over_samples = mean_variance(values) if samples > 1 else 0.0
        own = self._own / samples**2 if len(covered) > 1 else 0.0
        variance, degrees = two_way(parts, over_samples, own, samples) if covered else (float("nan"), 1.0)
        quantile = "two-way" if count > 1 else "samples"
        found = interval(
            float(values.mean()), variance, quantile, count, samples, level=0.95, bottom=0.0, top=1.0, degrees=degrees
        )
        return replace(found, method=", ".join(covered))


def _check(values: Float[np.ndarray, "..."], name: str, unit: float) -> None:
    """Raises unless values are probabilities; with a class axis, distributions."""
    if values.ndim == (2 if name == "original" else 3):
        if not values.shape[-1]:
            raise InputError(f"{name} has no classes, got {brief(values)}; pass a column for each.")
        check_simplex(values, name, unit=unit)
        return
    check_in_unit(values, name)


def _decided(
    values: Float[np.ndarray, "..."], threshold: Float[np.ndarray, ""], axes: int
) -> Int[np.ndarray, "... sample"]:
    """Returns the class that predictions decide for: the largest, or whether they reach a threshold."""
    return np.asarray(values.argmax(axis=-1) if axes == 2 else (values >= threshold).astype(np.int64))
