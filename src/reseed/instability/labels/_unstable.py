"""Samples that flip at least once, and what the number of runs hides."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from reseed._arrays import ArrayLike, Result, give_back, to_numpy, undefined
from reseed._errors import InputError
from reseed._labels import encode, run_axis_first
from reseed._numbers import is_whole
from reseed.instability.labels._counted import counted
from reseed.instability.labels._counts import counts_of_counts


def unstable_fraction(labels: ArrayLike) -> float:
    """Returns the share of samples that do not receive the same label from all runs.

    It grows with the number of runs: publish that number with it, and see `rarefaction`.

    Args:
        labels: predicted labels [run, sample], integers or strings.

    Returns:
        The share in [0, 1]; NaN, with a warning, when there are no samples.

    Raises:
        InputError: fewer than two runs, or labels that are neither whole numbers nor strings.

    Example:
        >>> unstable_fraction([[0, 1, 2, 3], [0, 1, 2, 4]])
        0.25

    References:
        Hidey et al., "Reducing Model Churn", SIGDIAL 2022 (its complement, agreement of all runs).
    """
    distinct = counted(labels, least=2).tally.distinct
    if not distinct.size:
        undefined("labels holds no samples; the unstable fraction is NaN.")
        return float("nan")
    return float(np.mean(distinct > 1))


@dataclass(frozen=True)
class Rarefaction:
    """The unstable fraction as a function of the number of runs.

    Attributes:
        sizes: numbers of runs, [size].
        unstable_fraction: expected share of unstable samples in a random subset of so many runs, [size].
    """

    sizes: Result
    unstable_fraction: Result


def rarefaction(labels: ArrayLike, sizes: ArrayLike | None = None) -> Rarefaction:
    """Returns how many samples a smaller number of runs would have shown to be unstable.

    For a random subset of m of the N runs the expected share is exact, averaged over samples:

        U(m) = 1 - sum_k C(n_k, m) / C(N, m)

    Two studies with different numbers of runs are compared at the same m. A curve that still rises at m = N
    says that more runs would find more unstable samples.

    Args:
        labels: predicted labels [run, sample], integers or strings.
        sizes: subset sizes m, between 1 and the number of runs; all of them when None.

    Returns:
        The curve; U(1) = 0, and U(N) is `unstable_fraction`. NaN, with a warning, when there are no samples.

    Raises:
        InputError: no runs, unusable labels, or sizes that are not whole numbers in 1 .. N.

    Example:
        >>> rarefaction([[0, 1], [0, 1], [0, 2]]).unstable_fraction.round(4)
        array([0.    , 0.3333, 0.5   ])

    References:
        Hurlbert, "The nonconcept of species diversity", Ecology 1971 (rarefaction).
    """
    array, _ = encode(run_axis_first(labels))
    runs = len(array)
    wanted = np.arange(1, runs + 1) if sizes is None else np.atleast_1d(to_numpy(sizes, "sizes"))
    if wanted.dtype.kind not in "iu" or wanted.ndim != 1 or ((wanted < 1) | (wanted > runs)).any():
        raise InputError(f"sizes must be whole numbers between 1 and the {runs} runs, got {sizes!r}; pass such a list.")
    flat = array.reshape(runs, -1)
    curve = rarefaction_curve(counts_of_counts(flat), wanted, flat.shape[1])
    if not flat.shape[1]:
        undefined("labels holds no samples; the unstable fraction is NaN.")
    return Rarefaction(give_back(wanted, labels), give_back(curve, labels))


def rarefaction_curve(
    pairs: Int[np.ndarray, " count"], sizes: Int[np.ndarray, " size"], samples: int
) -> Float[np.ndarray, " size"]:
    """Returns the curve from the (sample, label) pairs with n_k = c, for c = 0 .. runs; NaN without samples."""
    if not samples:
        return np.full(len(sizes), np.nan)
    runs, counts = len(pairs) - 1, np.flatnonzero(pairs)
    # C(c, m) / C(N, m) = prod_{j < m} (c - j) / (N - j): all factors are at most 1, so nothing can overflow,
    # and terms too small for a float are zero as they should be.
    j = np.arange(int(sizes.max(initial=1)))[:, None]
    stable = np.cumprod(np.maximum(counts - j, 0) / (runs - j), axis=0) @ pairs[counts]
    return np.asarray(np.clip(1.0 - stable[sizes - 1] / samples, 0.0, 1.0))


def flip_probability_upper_bound(runs: int, confidence: float = 0.95) -> float:
    """Returns how likely flips may still be for a sample that did not flip in any of `runs` runs.

        bound = 1 - (1 - confidence)^(1 / runs)

    If fresh runs gave other labels than the observed one with a larger probability, `runs` independent runs
    would all have agreed on it less than 1 - confidence of the time. No flip is not the same as stable.

    Args:
        runs: number of runs without a flip, at least 1.
        confidence: confidence of the one-sided bound, strictly between 0 and 1.

    Returns:
        The upper bound of the probability.

    Raises:
        InputError: runs or confidence out of range.

    Example:
        >>> [round(flip_probability_upper_bound(runs), 3) for runs in (5, 10, 20, 50)]
        [0.451, 0.259, 0.139, 0.058]

    References:
        Clopper and Pearson, "The use of confidence or fiducial limits", Biometrika 1934 (the case of no
        events).
    """
    if not is_whole(runs) or runs < 1:
        raise InputError(f"runs must be a whole number of at least 1, got {runs!r}; pass the number of runs.")
    if not 0 < confidence < 1:
        raise InputError(f"confidence must be strictly between 0 and 1, got {confidence!r}; pass for example 0.95.")
    return float(-np.expm1(np.log1p(-confidence) / runs))
