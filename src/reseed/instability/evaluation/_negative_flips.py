"""Negative flips between retrainings of the same recipe: right in one run, wrong in the next."""

import numpy as np
from jaxtyping import Bool, Float

from reseed._arrays import ArrayLike, undefined
from reseed._errors import InputError
from reseed.instability.intervals._estimate import mean_of_measure
from reseed.instability.intervals._leave_one_out import LeftOut
from reseed.instability.intervals._run_means import right
from reseed.statistics import Estimate, Method, check_level, check_method, no_estimate


def retraining_negative_flip_rate(
    labels: ArrayLike, targets: ArrayLike, *, method: Method = "two-way", level: float = 0.95
) -> Estimate:
    """Returns how many samples a retraining gets wrong that the run before it got right.

        mean over samples and ordered pairs of runs (a, b) of [a is right and b is wrong]
        = mean over samples of k (N - k) / (N (N - 1))

    with k of N runs right. It is `negative_flip_rate`, averaged over which run is replaced by which. Half of what
    changes between right and wrong; flips from one wrong label to another do not count.

    Args:
        labels: predicted labels [run, sample], integers or strings.
        targets: true labels [sample].
        method: what the interval covers: "jackknife" (other runs), "samples" (other samples) or "two-way" (both).
        level: confidence level of the interval.

    Returns:
        The rate, in [0, 0.5] for many runs; NaN, with a warning, when there are no samples.

    Raises:
        InputError: fewer than two runs, three for the jackknife; unusable labels; an unknown option.

    Example:
        >>> labels = [[0, 1], [0, 0], [0, 1]]
        >>> round(retraining_negative_flip_rate(labels, [0, 1]).value, 4)
        0.1667

    References:
        Yan et al., "Positive-Congruent Training: Towards Regression-Free Model Updates", CVPR 2021 (the rate of one
        pair).
    """
    check_method(method, "method")
    check_level(level)
    is_right = right(labels, targets, "labels").astype(bool)
    runs, samples = is_right.shape
    if method != "samples" and runs < 3:
        raise InputError(
            f"labels has {runs} runs; the jackknife leaves one out and needs at least 3. Pass more runs, or take "
            "'samples'."
        )
    if not samples:
        undefined("targets holds no samples; the negative flip rate is NaN.")
        return no_estimate(method, runs, 0)
    count = is_right.sum(0)
    values = _flips(count, runs)
    left_out = None if method == "samples" else LeftOut(_without_each_run(is_right), _own_variance(count, runs))
    return mean_of_measure(values, left_out, method, runs, level=level, top=_highest(runs))


def _highest(runs: int) -> float:
    """Returns the rate where half of the runs are right, the largest there is."""
    return float(_flips(np.array(runs // 2), runs))


def _flips(count: np.ndarray, runs: int) -> Float[np.ndarray, " sample"]:
    return np.asarray(count * (runs - count) / (runs * (runs - 1)))


def _own_variance(count: np.ndarray, runs: int) -> float:
    """Returns how runs differ on each sample on its own: leaving out a run that is right, or one that is wrong."""
    apart = _flips(count - 1, runs - 1) - _flips(count, runs - 1)
    return float((runs - 1) / runs * np.sum(count * (runs - count) / runs * apart**2) / len(count) ** 2)


def _without_each_run(is_right: Bool[np.ndarray, "run sample"]) -> Float[np.ndarray, " run"]:
    count = is_right.sum(0)
    return np.array([_flips(count - row, len(is_right) - 1).mean() for row in is_right])
