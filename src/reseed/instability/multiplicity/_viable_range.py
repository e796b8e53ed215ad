"""Predictive multiplicity of probabilities: how far a sample's probability moves between models."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from reseed._arrays import ArrayLike, Result, give_back, undefined
from reseed._errors import InputError
from reseed.instability._probabilities import class_runs
from reseed.instability._rounding import lowest_reaching, unit_roundoff
from reseed.instability.multiplicity._rashomon import kept_base, kept_runs


@dataclass(frozen=True)
class ViableRange:
    """The smallest and the largest probability that surviving runs give.

    Attributes:
        low: smallest probability, [sample, class], or [sample] for one class.
        high: largest probability, of the same shape.
        width: high - low, in [0, 1], of the same shape.
    """

    low: Result
    high: Result
    width: Result


def viable_prediction_range(
    probabilities: ArrayLike, *, class_index: int | None = None, keep: ArrayLike | None = None
) -> ViableRange:
    """Returns between which values each sample's probability lies over the surviving runs.

        V(x_i) = [ min_{h in S} p_h(x_i), max_{h in S} p_h(x_i) ]

    Over R trained runs this is a lower bound of the range over all models of about that loss, and it grows with
    R: compare ranges at equal numbers of runs only.

    Args:
        probabilities: class probabilities [run, sample, class].
        class_index: the one class to look at, the positive one of two for example; every class when None.
        keep: boolean [run], the survivors; see `rashomon_set`. All runs when None.

    Returns:
        Smallest, largest and width, each [sample, class], or [sample] for one class, float64; NaN, with a
        warning, with fewer than two survivors.

    Raises:
        InputError: probabilities are no distributions [run, sample, class], or an option cannot be used.

    Example:
        >>> viable_prediction_range([[[0.7, 0.3]], [[0.5, 0.5]], [[0.6, 0.4]]], class_index=1).width.round(4)
        array([0.2])

    References:
        Watson-Daniels, Parkes and Ustun, "Predictive Multiplicity in Probabilistic Classification", AAAI 2023.
    """
    array = class_runs(probabilities, class_index)
    kept = kept_runs(keep, len(array))
    if kept.sum() < 2:
        undefined(f"keep leaves {kept.sum()} runs, fewer than the 2 that can differ; the viable range is NaN.")
        low = high = np.full(array.shape[1:], np.nan)
    else:
        low, high = lowest_and_highest(array, np.flatnonzero(kept))
    return ViableRange(*(give_back(np.asarray(part), probabilities) for part in (low, high, high - low)))


def lowest_and_highest(
    probabilities: Float[np.ndarray, "run ..."], chosen: Int[np.ndarray, " chosen"]
) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """Returns the smallest and the largest probability over some runs."""
    low = probabilities[chosen[0]].astype(np.float64)
    high = low.copy()
    for run in chosen[1:]:
        np.minimum(low, probabilities[run], out=low)
        np.maximum(high, probabilities[run], out=high)
    return low, high


def risk_ambiguity(
    probabilities: ArrayLike,
    delta: float,
    *,
    base: int = 0,
    class_index: int | None = None,
    keep: ArrayLike | None = None,
) -> float:
    """Returns the share of samples whose probability some surviving run moves by `delta` or more.

        (1 / n) sum_i max_{h in S} 1[ |p_h(x_i) - p_0(x_i)| >= delta ]

    This is ambiguity for probabilities. The largest move of any class counts, which is our extension to several
    classes: of two, both move alike. A move that misses delta by rounding alone, in the type that probabilities are
    given in, reaches it. Over R trained runs the share is a lower bound, and it grows with R.

    Args:
        probabilities: class probabilities [run, sample, class].
        delta: the move that matters, in (0, 1].
        base: index of the run whose probabilities are p_0.
        class_index: the one class to look at; every class when None.
        keep: boolean [run], the survivors; see `rashomon_set`. All runs when None.

    Returns:
        The share in [0, 1]; NaN, with a warning, with fewer than two survivors or no samples.

    Raises:
        InputError: probabilities are no distributions [run, sample, class], or an option cannot be used.

    Example:
        >>> risk_ambiguity([[[0.7, 0.3], [0.9, 0.1]], [[0.5, 0.5], [0.9, 0.1]]], 0.2)
        0.5

    References:
        Watson-Daniels, Parkes and Ustun, "Predictive Multiplicity in Probabilistic Classification", AAAI 2023.
    """
    array = class_runs(probabilities, class_index)
    if not 0 < delta <= 1:
        raise InputError(f"delta={delta!r} is outside (0, 1]; pass how far a probability must move.")
    kept = kept_runs(keep, len(array))
    start = array[kept_base(base, kept)].astype(np.float64)
    if kept.sum() < 2 or not len(start):
        why = f"{kept.sum()} runs survive, fewer than the 2 needed" if len(start) else "probabilities holds no samples"
        undefined(f"{why}; the risk ambiguity is NaN.")
        return float("nan")
    unit = unit_roundoff(probabilities)
    least = lowest_reaching(delta)
    moved = np.zeros(len(start), np.bool_)
    for run in np.flatnonzero(kept):
        far = np.abs(array[run] - start) + unit * (array[run] + start) >= least
        moved |= far if far.ndim == 1 else far.any(axis=1)
    return float(moved.mean())
