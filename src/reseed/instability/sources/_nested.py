"""Seed noise and data noise taken apart: several runs on each of several training sets."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import xlogy

from reseed._arrays import ArrayLike, Result, brief, float_array, give_back, undefined
from reseed._errors import InputError
from reseed._simplex import check_simplex
from reseed.instability._rounding import unit_roundoff

_BLOCK = 1 << 20  # numbers that are worked on at a time


@dataclass(frozen=True)
class NestedInstability:
    """How far runs on one training set are apart, and how far training sets are.

    Attributes:
        inconsistency: mean divergence between two runs on the same set, in nats, [sample].
        mean_inconsistency: its mean over samples.
        instability: mean divergence between the mean predictions of two sets, in nats, [sample].
        mean_instability: its mean over samples.
        training_sets: number of training sets.
        runs: runs on each of them.
    """

    inconsistency: Result
    mean_inconsistency: float
    instability: Result
    mean_instability: float
    training_sets: int
    runs: int


def nested_instability(probabilities: ArrayLike, *, epsilon: float | None = None) -> NestedInstability:
    """Returns what the seed does and what the training set does to predicted distributions.

    With p_kr the distribution that run r on training set k predicts for a sample, and q_k its mean over runs,

        inconsistency = mean over k, and over ordered pairs a != b of runs, of KL(p_ka || p_kb)
        instability = mean over ordered pairs k != l of training sets of KL(q_k || q_l)

    with KL(p || q) = sum_c p_c ln(p_c / q_c). The first is the noise of the seed, the second that of the data. A
    class that one run rules out (probability 0) and another does not makes the divergence infinite;
    `epsilon` mixes that much of the uniform distribution into every prediction, p -> (1 - epsilon) p + epsilon / C,
    which lowers all divergences.

    Inconsistency is unbiased for any number of runs. Instability is biased upward with few runs on each set,
    because the means q_k still carry some of the seed's noise; it falls towards its value as runs are added.

    Args:
        probabilities: distributions [training_set, run, sample, class] for the same samples, preferably held out.
        epsilon: None, or a share in (0, 1) of the uniform distribution.

    Returns:
        Both measures; NaN, with a warning, for inconsistency with one run on each set, for instability with a
        single training set, and for means over no samples.

    Raises:
        InputError: an array of other axes, without training sets, runs or classes, values that are no
            distributions, or an `epsilon` out of range.

    Example:
        Runs on one set agree, and the two sets differ.

        >>> found = nested_instability([[[[0.5, 0.5]], [[0.5, 0.5]]], [[[0.75, 0.25]], [[0.75, 0.25]]]])
        >>> found.mean_inconsistency, round(found.mean_instability, 4)
        (0.0, 0.1373)

    References:
        Johnson and Zhang, "Inconsistency, Instability, and Generalization Gap of Deep Neural Network Training",
        NeurIPS 2023 (the two quantities; averaging over every ordered pair and `epsilon` are ours).
    """
    array = float_array(probabilities, "probabilities")
    if array.ndim != 4 or 0 in (*array.shape[:2], array.shape[3]):
        raise InputError(
            f"probabilities must be [training_set, run, sample, class] with one or more of each, got {brief(array)}."
        )
    if epsilon is not None and not 0 < epsilon < 1:
        raise InputError(f"epsilon must be strictly between 0 and 1, got {epsilon}; pass None to mix nothing in.")
    check_simplex(array, "probabilities", unit=unit_roundoff(probabilities))
    sets, runs, samples, classes = array.shape
    inconsistency, instability = np.full(samples, np.nan), np.full(samples, np.nan)
    if runs < 2:
        undefined("probabilities has one run on each training set; inconsistency is NaN.")
    if sets < 2:
        undefined("probabilities has a single training set; instability is NaN.")
    if not samples:
        undefined("probabilities holds no samples; the means are NaN.")
    step = max(1, _BLOCK // (sets * runs * classes))
    for start in range(0, samples, step):
        some = slice(start, start + step)
        p = array[:, :, some].astype(np.float64)
        if epsilon is not None:
            p = (1 - epsilon) * p + epsilon / classes
        if runs > 1:
            inconsistency[some] = np.mean([_mean_divergence(of_set) for of_set in p], axis=0)
        if sets > 1:
            instability[some] = _mean_divergence(p.mean(axis=1))
    return NestedInstability(
        give_back(inconsistency, probabilities),
        float(inconsistency.mean()) if samples else float("nan"),
        give_back(instability, probabilities),
        float(instability.mean()) if samples else float("nan"),
        sets,
        runs,
    )


def _mean_divergence(p: Float[np.ndarray, "model sample class"]) -> Float[np.ndarray, " sample"]:
    """Returns the mean of KL(p_a || p_b) over ordered pairs a != b, from sums over models instead of over pairs.

    sum_{a != b} KL(p_a || p_b) = sum_c [M sum_a p_a ln p_a - (sum_a p_a) (sum_b ln p_b)], where a zero of p_b
    is infinitely far from any other model's positive p_a and costs nothing where all are zero.
    """
    models = len(p)
    is_zero = p == 0
    logs = np.log(np.where(is_zero, 1.0, p))
    terms = models * xlogy(p, p).sum(axis=0) - p.sum(axis=0) * logs.sum(axis=0)
    total = np.maximum(terms.sum(axis=-1), 0.0)  # rounding may leave less than nothing
    is_infinite = (is_zero.any(axis=0) & ~is_zero.all(axis=0)).any(axis=-1)
    agree = (p == p[0]).all(axis=(0, 2))  # exactly 0, which cancellation would miss by an ulp
    return np.asarray(np.where(is_infinite, np.inf, np.where(agree, 0.0, total / (models * (models - 1)))))
