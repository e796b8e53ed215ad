"""When samples are fitted along a training, clean and corrupted ones apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from reseed._arrays import ArrayLike, Result, brief, float_array, for_good, give_back, undefined
from reseed._errors import InputError
from reseed.memorization.nodes._given import Array, mask_of, zeros_and_ones
from reseed.scores import auroc


@final
@dataclass(frozen=True, eq=False)
class LearningCurves:
    """The share of training samples that are right, against the labels that they were given.

    Attributes:
        clean: Of the clean samples, [checkpoint] or [run, checkpoint]; NaN if there is none.
        corrupted: Of the corrupted samples, the same.
    """

    clean: Result
    corrupted: Result


@final
@dataclass(frozen=True, eq=False)
class DoubleDescent:
    """Where accuracy falls along a training and comes back: of one run numbers, of several arrays [run].

    Attributes:
        depth: The smaller of the fall from the best checkpoint before and the rise to the best one after, at the
            checkpoint where that is largest; 0 or more.
        found: Whether the depth exceeds the tolerance.
        peak: The best checkpoint before, -1 where accuracy never falls and rises.
        dip: The checkpoint at the bottom, -1 likewise.
        recovery: The best checkpoint after, -1 likewise.
    """

    depth: Result
    found: Result
    peak: Result
    dip: Result
    recovery: Result


def fit_order(correct: ArrayLike) -> Result:
    """Return the first checkpoint from which on each sample stays right until the end.

    Args:
        correct: Whether the predicted label is the one that the sample was given, wrong ones included,
            [checkpoint, sample], any axes before these two.

    Returns:
        Numbers of checkpoints from 0 on, [sample] or [run, sample], later is harder. NaN where the last checkpoint is
        wrong: the sample is not fitted yet, and a warning counts these.

    Raises:
        InputError: There is no checkpoint, or values are not True and False.

    Examples:
        >>> fit_order([[0, 1, 1], [1, 1, 0], [0, 1, 1], [1, 1, 1]])
        array([3., 0., 2.])
    """
    order = for_good(_trajectory(correct))
    if lost := int(np.isinf(order).sum()):
        undefined(f"{lost} of {order.size} samples are not right at the end; their order is NaN.")
    return give_back(np.where(np.isinf(order), np.nan, order), correct)


def fit_order_auroc(correct: ArrayLike, corrupted: ArrayLike) -> Result:
    """Return how likely a corrupted sample is fitted later than a clean one, ties counted half.

    Samples that are never fitted come last, all at once.

    Args:
        correct: As of `fit_order`, [checkpoint, sample], or with runs before.
        corrupted: Which samples are corrupted, [sample].

    Returns:
        One number, or [run]: 0.5 by chance, 1 if every clean sample is fitted before the first corrupted one. NaN, with
        a warning, where all samples are corrupted or none is.

    Raises:
        InputError: As of `fit_order`, or ``corrupted`` has another length.

    Examples:
        >>> fit_order_auroc([[1, 0, 0], [1, 1, 0], [1, 1, 1]], [False, False, True])
        1.0
    """
    right = _trajectory(correct)
    mask = mask_of(corrupted, right.shape[-1])
    if mask.all() or not mask.any():
        undefined(
            f"{int(mask.sum())} of {len(mask)} samples are corrupted; there is nothing to tell apart, AUROC is NaN."
        )
    order = for_good(right)
    found = np.array([auroc(row, mask) for row in order.reshape(-1, order.shape[-1])]).reshape(order.shape[:-1])
    return float(found) if not found.ndim else give_back(found, correct)


def learning_curves(correct: ArrayLike, corrupted: ArrayLike) -> LearningCurves:
    """Return how many of the clean and of the corrupted samples are right at each checkpoint.

    Args:
        correct: As of `fit_order`, [checkpoint, sample], or with runs before.
        corrupted: Which samples are corrupted, [sample].

    Raises:
        InputError: As of `fit_order`, or ``corrupted`` has another length.

    Examples:
        >>> curves = learning_curves([[1, 0, 0], [1, 1, 0], [1, 1, 1]], [False, False, True])
        >>> curves.clean, curves.corrupted
        (array([0.5, 1. , 1. ]), array([0., 0., 1.]))
    """
    right = _trajectory(correct)
    mask = mask_of(corrupted, right.shape[-1])
    curves = []
    for name, which in (("clean", ~mask), ("corrupted", mask)):
        if not which.any():
            undefined(f"no sample is {name}; its curve is NaN.")
            curves.append(np.full(right.shape[:-1], np.nan))
        else:
            curves.append(right[..., which].mean(-1))
    return LearningCurves(give_back(curves[0], correct), give_back(curves[1], correct))


def double_descent(accuracy: ArrayLike, tolerance: float = 0.02) -> DoubleDescent:
    """Return whether accuracy falls along a training and comes back, and where.

        depth = max_t min(max_{s < t} a_s - a_t, max_{u > t} a_u - a_t)

    Args:
        accuracy: Of evaluation samples at each checkpoint, [checkpoint] or [run, checkpoint].
        tolerance: What both the fall and the rise must exceed. Accuracy of n samples at p has a standard error of
            sqrt(p (1 - p) / n), and moves by more with each step of training: a tolerance of that size finds noise.

    Raises:
        InputError: There are fewer than one checkpoint, or the tolerance is negative.

    Examples:
        >>> found = double_descent([0.5, 0.9, 0.7, 0.6, 0.8, 0.95])
        >>> found.found, found.peak, found.dip, found.recovery, round(found.depth, 3)
        (True, 1, 3, 5, 0.3)
        >>> double_descent([0.5, 0.9, 0.7, 0.6]).found
        False
    """
    values = float_array(accuracy, "accuracy").astype(np.float64)
    if values.ndim > 2 or not values.shape[-1]:
        raise InputError(f"accuracy is {brief(values)}; pass [checkpoint] or [run, checkpoint].")
    if not np.isfinite(tolerance) or tolerance < 0:
        raise InputError(f"tolerance must be 0 or more, got {tolerance!r}.")
    rows = values.reshape(-1, values.shape[-1])
    each = [_descent(row) for row in rows]
    depth, peak, dip, recovery = (np.array(column) for column in zip(*each, strict=True))
    if values.ndim == 1:
        places = (int(peak[0]), int(dip[0]), int(recovery[0]))
        return DoubleDescent(float(depth[0]), bool(depth[0] > tolerance), *places)
    return DoubleDescent(*(give_back(found, accuracy) for found in (depth, depth > tolerance, peak, dip, recovery)))


def _descent(row: Array) -> tuple[float, int, int, int]:
    if len(row) < 3:
        return 0.0, -1, -1, -1
    before, after = np.maximum.accumulate(row)[:-2], np.maximum.accumulate(row[::-1])[::-1][2:]
    depths = np.minimum(before, after) - row[1:-1]
    dip = int(depths.argmax()) + 1
    if depths[dip - 1] <= 0:
        return 0.0, -1, -1, -1
    return float(depths[dip - 1]), int(row[:dip].argmax()), dip, dip + 1 + int(row[dip + 1 :].argmax())


def _trajectory(correct: ArrayLike) -> NDArray[np.bool_]:
    right = zeros_and_ones(correct, "correct")
    if right.ndim < 2 or not right.shape[-2]:
        raise InputError(f"correct must be a trajectory, got {brief(right)}; pass [checkpoint, sample].")
    return right
