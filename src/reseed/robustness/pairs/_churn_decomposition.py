"""What the churn between the runs of a study consists of, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from reseed._arrays import ArrayLike, brief, float_array, to_numpy, undefined
from reseed._errors import InputError
from reseed.robustness._answers import answered_labels, coded
from reseed.robustness.pairs._label_sums import LabelSums
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

_BLOCK = 65_536


@dataclass(frozen=True)
class ChurnDecomposition:
    """What two runs of a study change, on average over all pairs; the first three sum to the churn.

    Attributes:
        rectified: Share of samples that one gets wrong and the other right (CRR).
        sacrificed: Share that one gets right and the other wrong (CSR). As no run comes before another, it is the same
            number: what changes sides, halved.
        wrong_changes: Share that both get wrong, with different labels.
        churn: Share that they answer with different labels.
    """

    rectified: Estimate
    sacrificed: Estimate
    wrong_changes: Estimate
    churn: Estimate


def churn_decomposition(
    answers: ArrayLike, targets: ArrayLike, method: Method = "jackknife", *, level: float = 0.95
) -> ChurnDecomposition:
    """Return what the churn between the runs of a study consists of, on average over all pairs of runs.

        C = CRR + CSR + W

    with C the churn, CRR and CSR the shares that are rectified and sacrificed from one run to another, and W the
    changes from one wrong label to another. For accuracy only CRR - CSR counts, which is 0 on average over runs that
    differ in the seed: all of the churn is then beyond what accuracy sees.

    Args:
        answers: Labels [run, sample], integers or strings, or outputs [run, sample, class].
        targets: True labels [sample].
        method: "jackknife" (other runs), "samples" or "two-way" (both), as in `reseed.instability.estimate`.
        level: Confidence level of the intervals.

    Returns:
        The estimates; NaN, with a warning, where there are no samples, or a single one and the method asks for others.

    Raises:
        InputError: There are fewer than three runs (two with "samples"), shapes or kinds of label do not fit, or the
            method or level is unknown.

    Examples:
        >>> found = churn_decomposition([[0, 1, 2], [0, 0, 1], [0, 1, 2]], [0, 1, 0])
        >>> round(found.rectified.value, 4), round(found.wrong_changes.value, 4), round(found.churn.value, 4)
        (0.1111, 0.2222, 0.4444)
    """
    check_method(method, "method")
    check_level(level)
    array = to_numpy(answers, "answers")
    codes, gold = coded(answered_labels(array, "answers", 2), targets, "answers")
    runs, samples = codes.shape
    _check_runs(runs, method, "answers")
    if not samples:
        undefined("answers holds no samples; the churn and its parts are NaN.")
        return ChurnDecomposition(*(no_estimate(method, runs, 0) for _ in range(4)))
    if samples == 1 and method != "jackknife":
        undefined(f"answers holds a single sample, which says nothing about other samples; {method} error is NaN.")
    sums = LabelSums(runs)
    for start in range(0, samples, _BLOCK):
        part = codes[:, start : start + _BLOCK]
        sums.add(part, np.asarray(part == gold[start : start + _BLOCK]))
    changes, differing = sums.change_counts, sums.differ_counts
    own = sums.own_variances() if runs > 2 else np.zeros(3)
    pairs = runs * (runs - 1) // 2

    def estimate(counts: np.ndarray, of_samples: np.ndarray, own_variance: float, half: bool = False) -> Estimate:
        value = int(counts.sum()) / (2 * pairs * samples)
        parts = [(jackknife_variance(_without_each(counts / samples)), runs - 1)] if method != "samples" else []
        over_samples = mean_variance(of_samples / pairs) if method != "jackknife" else 0.0
        variance, degrees = two_way(parts, over_samples, own_variance if method == "two-way" else 0.0, samples)
        share = 0.5 if half else 1.0
        return interval(
            share * value,
            share**2 * variance,
            method,
            runs,
            samples,
            level=level,
            bottom=0.0,
            top=share,
            degrees=degrees,
            root_scale=True,
        )

    side = estimate(changes, sums.sample_changes, own[0], half=True)
    wrong = estimate(differing - changes, sums.sample_differing - sums.sample_changes, own[1])
    return ChurnDecomposition(side, side, wrong, estimate(differing, sums.sample_differing, own[2]))


def mean_over_pairs(
    matrix: ArrayLike, *, samples: int, level: float = 0.95, bottom: float = -np.inf, top: float = np.inf
) -> Estimate:
    """Return the mean over all pairs of different runs, with an interval over runs.

    Pairs share runs, so that they are no independent values; runs are left out one at a time.

    Args:
        matrix: A value for each pair, [run, run], such as `ModelPairs.output_stability`; the diagonal is not looked at.
        samples: How many samples the values are from, which the estimate says.
        level: Confidence level of the interval.
        bottom: The lowest value there can be, where the interval is cut off.
        top: The highest.

    Returns:
        The estimate, by the jackknife; NaN where a pair has no value.

    Raises:
        InputError: It is no square matrix of three runs or more, or the level is none.

    Examples:
        >>> found = mean_over_pairs([[0.0, 0.1, 0.2], [0.1, 0.0, 0.3], [0.2, 0.3, 0.0]], samples=100)
        >>> round(found.value, 4), round(found.standard_error, 4), found.runs
        (0.2, 0.1155, 3)
    """
    check_level(level)
    array = to_numpy(matrix, "matrix")
    if array.ndim != 2 or array.shape[0] != array.shape[1] or array.dtype.kind not in "iuf":
        raise InputError(f"matrix is {brief(array)}; pass a value for each pair, [run, run].")
    runs = len(array)
    _check_runs(runs, "jackknife", "matrix")
    values = float_array(np.where(np.eye(runs, dtype=bool) | np.isnan(array), 0.0, array), "matrix").astype(np.float64)
    if np.isnan(array[~np.eye(runs, dtype=bool)]).any():
        undefined("matrix holds pairs without a value; their mean is NaN.")
        return no_estimate("jackknife", runs, samples)
    value = float(values.sum() / (runs * (runs - 1)))
    variance = jackknife_variance(_without_each(values))
    return interval(value, variance, "jackknife", runs, samples, level=level, bottom=bottom, top=top)


def _without_each(matrix: Float[np.ndarray, "run run"]) -> Float[np.ndarray, " run"]:
    """Return the mean over pairs of two different runs without each run; the diagonal is 0."""
    runs = len(matrix)
    return np.asarray((matrix.sum() - matrix.sum(axis=0) - matrix.sum(axis=1)) / ((runs - 1) * (runs - 2)))


def _check_runs(runs: int, method: str, name: str) -> None:
    least = 2 if method == "samples" else 3
    if runs < least:
        raise InputError(
            f"{name} has {runs} runs, fewer than the {least} needed"
            f"{'' if least == 2 else ': the jackknife leaves one out'}; pass more runs."
        )
