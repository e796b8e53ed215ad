"""Memorisation: how much oftener a sample's label is answered by networks that were trained on it."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from reseed._arrays import ArrayLike, Result, brief, give_back, to_numpy, undefined
from reseed._errors import InputError
from reseed.memorization.suspects._taken import check_same_runs, taken_inside


@dataclass(frozen=True, eq=False)
class Memorization:
    """How far each sample's label has to be learned by heart.

    Attributes:
        value: share right among runs that were trained on the sample minus that among the others, [sample].
        low: lower end of the 95 % interval over other runs and subsets, [sample].
        high: upper end.
        inside: runs that were trained on the sample, [sample].
        outside: runs that were not.
    """

    value: Result
    low: Result
    high: Result
    inside: Result
    outside: Result


def memorization(correct: ArrayLike, trained_on: ArrayLike) -> Memorization:
    """Returns how much oftener each sample is right where it was trained on.

        mem_i = mean over runs with i of correct_i - mean over runs without i of correct_i

    Near 1 for a sample that no other tells the label of, near 0 for one that needs not be seen. It is not a detector
    of wrong labels: rare right ones are memorised as well. Few runs give wide intervals (Agresti and Caffo's, for the
    difference of two shares); an estimate takes some tens of runs on each side.

    Args:
        correct: True where a run gives the sample's label [run, sample].
        trained_on: True where the run was trained on the sample [run, sample]; see `reseed.Study.trained_on`.

    Returns:
        Values in [-1, 1] with their intervals; NaN, with a warning, for samples that all runs saw, or none.

    Raises:
        InputError: shapes differ, or values other than True and False.

    Example:
        >>> found = memorization([[1, 1], [1, 1], [0, 1], [0, 1]], [[1, 1], [1, 0], [0, 1], [0, 0]])
        >>> found.value.tolist()
        [1.0, 0.0]

    References:
        Feldman and Zhang, "What Neural Networks Memorize and Why", NeurIPS 2020.
    """
    inside, right = taken_inside(trained_on), to_numpy(correct, "correct")
    if right.ndim != 2 or not np.isin(right, (0, 1)).all():
        raise InputError(f"correct must hold True and False [run, sample], got {brief(right)}.")
    check_same_runs(inside, right, "correct")
    seen, unseen = inside.sum(0), (~inside).sum(0)
    wins, losses = (right * inside).sum(0, dtype=np.float64), (right * ~inside).sum(0, dtype=np.float64)
    is_known = (seen > 0) & (unseen > 0)
    if not is_known.all():
        undefined(
            f"memorisation of {np.count_nonzero(~is_known)} of {is_known.size} samples is NaN: all runs were trained "
            "on them, or none; it takes runs of both kinds."
        )
    with np.errstate(invalid="ignore", divide="ignore"):
        value = wins / seen - losses / unseen
    first, second = (wins + 1) / (seen + 2), (losses + 1) / (unseen + 2)
    half = ndtri(0.975) * np.sqrt(first * (1 - first) / (seen + 2) + second * (1 - second) / (unseen + 2))
    low, high = (np.clip(first - second + sign * half, -1, 1) for sign in (-1, 1))
    known = [np.where(is_known, one, np.nan) for one in (value, np.minimum(low, value), np.maximum(high, value))]
    return Memorization(*(give_back(np.asarray(one), correct, trained_on) for one in (*known, seen, unseen)))
