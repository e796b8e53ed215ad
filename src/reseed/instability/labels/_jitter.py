"""Jitter: the share of run pairs that disagree about one sample."""

import numpy as np
from jaxtyping import Float

from reseed._arrays import ArrayLike, Result, warn_lost
from reseed.instability.labels._counted import counted_where
from reseed.instability.labels._counts import Tally


def disagreement(counted: Tally) -> Float[np.ndarray, " sample"]:
    """Returns (N^2 - sum n_k^2) / (N (N - 1)) for each sample; NaN where N < 2."""
    runs = counted.present.astype(np.int64)
    pairs = runs * (runs - 1)
    return np.where(pairs > 0, (runs * runs - counted.squares) / np.maximum(pairs, 1), np.nan)


def jitter(labels: ArrayLike, *, mask: ArrayLike | None = None) -> Result:
    """Returns, for each sample, the share of the pairs of runs that give it different labels.

        jitter = (N^2 - sum_k n_k^2) / (N (N - 1))

    with `n_k` of N runs predicting label k. Its mean over samples is the mean churn over all pairs of runs.
    It is between 0 and 1 and, unlike entropy, unbiased for every N >= 2: its expectation is the probability
    that two fresh runs disagree.

    Args:
        labels: predicted labels [run, sample], integers or strings.
        mask: boolean [run, sample], True where a run's label is present; N is then counted for each sample.

    Returns:
        Shares [sample], float64; NaN, with a warning, where a mask leaves fewer than two runs.

    Raises:
        InputError: fewer than two runs, or labels or a mask that cannot be used.

    Example:
        >>> jitter([[0, 1], [0, 1], [0, 2]]).round(4)
        array([0.    , 0.6667])

    References:
        Milani Fard et al., "Launch and Iterate: Reducing Prediction Churn", NeurIPS 2016 (churn of one pair).
    """
    found = counted_where(labels, mask, least=2)
    values = disagreement(found.tally)
    warn_lost(np.isnan(values), "jitter", 2)
    return found.shaped(values)


def self_consistency(labels: ArrayLike, *, mask: ArrayLike | None = None) -> Result:
    """Returns, for each sample, the share of the pairs of runs that agree: 1 - jitter.

    With two classes its smallest value is about 1/2: five runs against five agree in 0.4444 of the pairs.

    Args:
        labels: predicted labels [run, sample], integers or strings.
        mask: boolean [run, sample], True where a run's label is present.

    Returns:
        Shares [sample] in [0, 1], float64; NaN, with a warning, where a mask leaves fewer than two runs.

    Raises:
        InputError: fewer than two runs, or labels or a mask that cannot be used.

    Example:
        >>> self_consistency([[0], [0], [0], [0], [0], [1], [1], [1], [1], [1]]).round(4)
        array([0.4444])

    References:
        Cooper et al., "Arbitrariness and Social Prediction", arXiv 2301.11562.
    """
    found = counted_where(labels, mask, least=2)
    values = 1.0 - disagreement(found.tally)
    warn_lost(np.isnan(values), "self-consistency", 2)
    return found.shaped(values)
