"""Stability of models that may abstain: how much they answer, and how stable their answers are."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from reseed._arrays import ArrayLike, brief, to_numpy, undefined
from reseed._errors import InputError
from reseed._labels import encode, present_runs, run_axis_first
from reseed.instability.intervals._estimate import estimate
from reseed.statistics import interval, jackknife_variance, t_interval


@dataclass(frozen=True)
class Answered:
    """How much runs answer, and how stable that is; see `answered`.

    Attributes:
        coverage: share of the samples that a run answers, mean over runs.
        coverage_ci95: its interval, Student's t over runs; NaN for a single run.
        always: share of the samples that every run answers.
        label_entropy: mean over the samples that every run answers, in nats; NaN where there are none.
        label_entropy_ci95: its interval over runs and samples; over samples alone with two runs.
        jitter: share of disagreements among all pairs of answers of two runs to a sample; NaN where there are none.
        jitter_ci95: its interval, by the jackknife over runs; NaN with two runs.
    """

    coverage: float
    coverage_ci95: tuple[float, float]
    always: float
    label_entropy: float
    label_entropy_ci95: tuple[float, float]
    jitter: float
    jitter_ci95: tuple[float, float]


def answered(labels: ArrayLike, abstains: ArrayLike) -> Answered:
    """Returns how much runs answer that may abstain, and how stable their answers are.

    Samples that every run answers are fewer with more runs: compare label entropies at equal numbers of runs. The
    jitter, sum over samples of pairs of answers that differ / sum over samples of pairs of answers, has no such bias.

    Args:
        labels: predicted labels [run, sample], integers or strings; what stands where a run abstains does not matter.
        abstains: whether a run abstains, [run, sample], booleans or zeros and ones.

    Returns:
        Coverage, label entropy and jitter with 95 % intervals, clipped at 0 and, but for label entropy, at 1.

    Raises:
        InputError: fewer than two runs, arrays of different shapes, or other values of `abstains`.

    Example:
        >>> found = answered([[0, 1, 1], [0, 1, 2], [0, 1, 1]], [[0, 0, 0], [0, 0, 1], [0, 0, 0]])
        >>> round(found.coverage, 4), found.label_entropy, found.jitter
        (0.8889, 0.0, 0.0)
    """
    silent = run_axis_first(abstains, least=2, name="abstains")
    if not np.isin(silent, (0, 1)).all():
        raise InputError("abstains must hold zeros and ones, or booleans; pass abstains == value for other codes.")
    silent = silent.astype(bool)
    given = to_numpy(labels, "labels")
    if given.ndim != 2 or given.shape != silent.shape:
        raise InputError(
            f"labels is {brief(given)} but abstains {brief(silent)}; both are [run, sample] of the same runs."
        )
    array, _ = encode(present_runs(labels, ~silent)[0])
    nan = (float("nan"), float("nan"))
    if not array.shape[1]:
        undefined("labels holds no samples; coverage and what follows are NaN.")
        return Answered(nan[0], nan, nan[0], nan[0], nan, nan[0], nan)
    speaks = ~silent
    coverage, low, high = t_interval(speaks.mean(1), bottom=0.0, top=1.0)
    always = speaks.all(0)
    entropy, entropy_ends = nan[0], nan
    if always.any():
        found = estimate(array[:, always], "label_entropy", "two-way" if len(array) > 2 else "samples")
        entropy, entropy_ends = found.value, (found.low, found.high)
    else:
        undefined("no sample is answered by every run; label entropy is NaN.")
    jitter, jitter_ends = _jitter(*_pairs(np.asarray(array), speaks))
    return Answered(coverage, (low, high), float(always.mean()), entropy, entropy_ends, jitter, jitter_ends)


def _pairs(
    labels: np.ndarray, speaks: Bool[np.ndarray, "run sample"]
) -> tuple[Float[np.ndarray, "run run"], Float[np.ndarray, "run run"]]:
    """Returns for each pair of runs how many samples both answer, and how many of them differently."""
    runs = len(labels)
    both, differ = np.zeros((runs, runs)), np.zeros((runs, runs))
    for run in range(runs - 1):
        shared = speaks[run + 1 :] & speaks[run]
        both[run, run + 1 :] = shared.sum(1)
        differ[run, run + 1 :] = (shared & (labels[run + 1 :] != labels[run])).sum(1)
    return both + both.T, differ + differ.T


def _jitter(
    both: Float[np.ndarray, "run run"], differ: Float[np.ndarray, "run run"]
) -> tuple[float, tuple[float, float]]:
    """Returns the share of differing pairs with the jackknife's interval."""
    nan, runs = float("nan"), len(both)
    if not both.sum():
        undefined("no two runs answer the same sample; the jitter of answers is NaN.")
        return nan, (nan, nan)
    value = float(differ.sum() / both.sum())
    left = both.sum() - 2 * both.sum(1)
    if runs < 3 or not left.all():
        return value, (nan, nan)
    without = (differ.sum() - 2 * differ.sum(1)) / left
    variance = jackknife_variance(without)
    found = interval(value, variance, "jackknife", runs, 0, level=0.95, bottom=0.0, top=1.0, root_scale=True)
    return value, (found.low, found.high)
