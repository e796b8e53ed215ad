"""The variance of predictions that the seed causes, and the variance that the training sample adds."""

from dataclasses import dataclass

import numpy as np

from reseed._arrays import ArrayLike, Result, brief, float_array, give_back, undefined
from reseed._errors import InputError
from reseed._simplex import check_simplex
from reseed.instability._rounding import unit_roundoff

_BLOCK = 1 << 20  # numbers that are worked on at a time


@dataclass(frozen=True)
class NestedVariance:
    """Variance of predicted distributions, summed over classes: seed + data = total.

    Attributes:
        seed: between runs on one training set, [sample].
        data: what another training set adds, [sample]; an unbiased estimate, which may be below 0.
        mean_seed: mean of `seed` over samples.
        mean_data: mean of `data` over samples.
        training_sets: number of training sets.
        runs: runs on each of them.
    """

    seed: Result
    data: Result
    mean_seed: float
    mean_data: float
    training_sets: int
    runs: int

    @property
    def mean_total(self) -> float:
        """Half the mean squared distance between two runs that differ in seed and training set."""
        return self.mean_seed + self.mean_data


def nested_variance(probabilities: ArrayLike) -> NestedVariance:
    """Splits the variance of predicted distributions into what the seed does and what the training set adds.

    With p_kr the distribution that run r on training set k predicts for a sample,

        seed = 1/2 mean over k, and over pairs r != s, of ||p_kr - p_ks||^2
        total = 1/2 mean over pairs k != l, and over pairs r != s, of ||p_kr - p_ls||^2
        data = total - seed

    These are the components of variance of a two-way layout, from its mean squares: the seed's holds what it does
    on every set alike and what it does on single ones. All are unbiased for any number of sets and runs, whether run
    r has the same seed on every set (crossed) or one of its own (nested); `data` may therefore come out below 0 where
    the training set does little. Compare `nested_instability`, whose divergence between sets still carries some of
    the seed's noise.

    Args:
        probabilities: distributions [training_set, run, sample, class] for the same samples, preferably held out.

    Returns:
        Both components; means over no samples are NaN, with a warning.

    Raises:
        InputError: an array of other axes, fewer than two training sets or runs, no classes, or values that are no
            distributions.

    Example:
        Runs on one set agree, and the two sets differ.

        >>> found = nested_variance([[[[0.5, 0.5]], [[0.5, 0.5]]], [[[0.7, 0.3]], [[0.7, 0.3]]]])
        >>> found.mean_seed, round(found.mean_data, 4)
        (0.0, 0.04)
    """
    array = float_array(probabilities, "probabilities")
    if array.ndim != 4 or min(array.shape[:2]) < 2 or not array.shape[3]:
        raise InputError(
            "probabilities must be [training_set, run, sample, class] with two or more training sets and runs, "
            f"got {brief(array)}."
        )
    check_simplex(array, "probabilities", unit=unit_roundoff(probabilities))
    sets, runs, samples, classes = array.shape
    if not samples:
        undefined("probabilities holds no samples; the means are NaN.")
    seed, data = np.zeros(samples), np.zeros(samples)
    step = max(1, _BLOCK // (sets * runs * classes))
    for start in range(0, samples, step):
        some = slice(start, start + step)
        p = array[:, :, some].astype(np.float64)
        p -= p[0, 0].copy()  # distances stay, and equal runs give exactly 0
        of_set, of_run = p.mean(axis=1), p.mean(axis=0)
        residual = p - of_set[:, None] - of_run + p.mean(axis=(0, 1))
        noise = (residual**2).sum(axis=(0, 1, -1)) / ((sets - 1) * (runs - 1))
        seed[some] = p.var(axis=1, ddof=1).mean(axis=0).sum(axis=-1)
        data[some] = of_set.var(axis=0, ddof=1).sum(axis=-1) - noise / runs
    return NestedVariance(
        give_back(seed, probabilities),
        give_back(data, probabilities),
        float(seed.mean()) if samples else float("nan"),
        float(data.mean()) if samples else float("nan"),
        sets,
        runs,
    )
