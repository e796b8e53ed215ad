"""How far the runs' probabilities are spread: variance, and the entropy that comes from the choice of run."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import entr

from reseed._arrays import ArrayLike, Result, brief, give_back
from reseed._errors import InputError
from reseed.instability._probabilities import class_runs, probability_runs

_BLOCK = 1_000_000  # probabilities in one block


def score_variance(probabilities: ArrayLike, *, class_index: int | None = None) -> Result:
    """Returns the variance over runs of each sample's probabilities.

        Var_m p_m = (1 / R) sum_m (p_m - mean p)^2

    The divisor is R: over R runs it is (1 - 1 / R) of the variance over all seeds on average.

    Args:
        probabilities: class probabilities [run, sample, class].
        class_index: the one class to look at; every class when None.

    Returns:
        Variances in [0, 1/4], [sample, class], or [sample] for one class, float64.

    Raises:
        InputError: fewer than two runs, or probabilities that are no distributions [run, sample, class].

    Example:
        >>> score_variance([[[0.9, 0.1]], [[0.7, 0.3]]]).round(4)
        array([[0.01, 0.01]])
    """
    array = class_runs(probabilities, class_index)
    _need_two(array)
    return give_back(np.asarray(array.var(axis=0, dtype=np.float64)), probabilities)


@dataclass(frozen=True)
class EntropyDecomposition:
    """Entropies of each sample in nats; total = expected + mutual_information.

    Attributes:
        total: entropy of the mean probabilities, [sample].
        expected: mean over runs of the entropy of a run's probabilities, [sample].
        mutual_information: between the label and the choice of run, [sample].
    """

    total: Result
    expected: Result
    mutual_information: Result


def entropy_decomposition(probabilities: ArrayLike) -> EntropyDecomposition:
    """Returns how much of each sample's uncertainty the runs share, and how much is their disagreement.

        H(mean_m p_m)  =  mean_m H(p_m)  +  mean_m KL(p_m || mean p)

    The last term is the mutual information of label and run, often called epistemic uncertainty: 0 where all
    runs give the same probabilities. Of certain predictions it is all, and equals their label entropy. Over R
    runs it is too low on average, by a share that shrinks with R.

    Args:
        probabilities: class probabilities [run, sample, class].

    Returns:
        The three terms, each [sample], at least 0, in nats, float64.

    Raises:
        InputError: fewer than two runs, or probabilities that are no distributions [run, sample, class].

    Example:
        >>> found = entropy_decomposition([[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]]])
        >>> found.total.round(4), found.expected.round(4), found.mutual_information.round(4)
        (array([0.6931, 0.6931]), array([0.    , 0.6931]), array([0.6931, 0.    ]))

    References:
        Depeweg et al., "Decomposition of Uncertainty in Bayesian Deep Learning", ICML 2018.
    """
    array = probability_runs(probabilities)
    _need_two(array)
    return EntropyDecomposition(*(give_back(part, probabilities) for part in decomposed(array)))


def decomposed(
    probabilities: Float[np.ndarray, "run sample class"],
) -> tuple[Float[np.ndarray, " sample"], Float[np.ndarray, " sample"], Float[np.ndarray, " sample"]]:
    """Returns total and expected entropy and mutual information of checked probabilities of two or more runs."""
    runs, samples, classes = probabilities.shape
    total, expected, between = np.empty(samples), np.empty(samples), np.empty(samples)
    step = max(1, _BLOCK // (runs * classes))
    for start in range(0, samples, step):
        at = slice(start, start + step)
        p = probabilities[:, at].astype(np.float64)
        p /= p.sum(axis=2, keepdims=True)  # rows may miss one by rounding, which entropies would not add up with
        total[at] = entr(p.mean(axis=0)).sum(axis=1)
        expected[at] = entr(p).sum(axis=2).mean(axis=0)
        # Rounding leaves a trace where runs agree; there the total is the expected entropy.
        agree = (p == p[0]).all(axis=(0, 2))
        between[at] = np.where(agree, 0.0, np.maximum(total[at] - expected[at], 0.0))
    return total, expected, between


def _need_two(array: Float[np.ndarray, "run ..."]) -> None:
    if len(array) < 2:
        raise InputError(
            f"probabilities has {len(array)} runs, fewer than the 2 needed; pass {brief(array)} with more."
        )
