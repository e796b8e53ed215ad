"""How clear the majority among the runs is: the counts of the two most frequent labels, and rules that abstain."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Integer
from scipy.special import bdtrc

from reseed._arrays import ArrayLike, Result, give_back, undefined
from reseed._errors import InputError
from reseed._labels import encode, run_axis_first
from reseed.instability._rounding import highest_reached, lowest_reaching
from reseed.instability.labels._counts import blocks
from reseed.instability.labels._jitter import self_consistency

ABSTAIN = -1


def label_stability(labels: ArrayLike) -> Result:
    """Returns by how much of the runs each sample's most frequent label leads the second.

        (n_(1) - n_(2)) / R

    With two classes this is the usual ``|n_1 - n_0| / R``; taking the two most frequent of several is our
    generalisation.

    Args:
        labels: predicted labels [run, sample], integers or strings.

    Returns:
        Shares [sample] in [0, 1], float64: 1 where all runs agree, 0 where two labels tie.

    Raises:
        InputError: fewer than two runs, or labels that are neither whole numbers nor strings.

    Example:
        >>> label_stability([[0, 1, 1], [0, 1, 2], [0, 1, 3], [0, 2, 3]])
        array([1.  , 0.5 , 0.25])

    References:
        Virny, a library that audits the stability and fairness of classifiers (two classes).
    """
    array = run_axis_first(labels, least=2)
    codes, _ = encode(array)
    _, first, second = top_two(codes.reshape(len(codes), -1) if codes.size else codes.reshape(len(codes), 0))
    return give_back(((first - second) / len(codes)).reshape(array.shape[1:]), labels)


@dataclass(frozen=True)
class SelectiveEnsemble:
    """What an ensemble answers that abstains where its members do not agree clearly; see `selective_ensemble`.

    Attributes:
        labels: the most frequent label, or -1 where the ensemble abstains, [sample].
        p_values: of the two-sided binomial test, [sample].
        abstention_rate: share of samples with -1; NaN when there are none.
        runs: number of members.
    """

    labels: Result
    p_values: Result
    abstention_rate: float
    runs: int


def selective_ensemble(labels: ArrayLike, *, alpha: float = 0.05) -> SelectiveEnsemble:
    """Returns the majority's labels where a binomial test finds the majority clear, and -1 elsewhere.

    With n_A and n_B the counts of a sample's two most frequent labels, the test asks whether n_A of n_A + n_B is
    compatible with a fair coin, two-sided; the ensemble answers A where p <= alpha. No sample can pass with
    fewer than six runs at alpha = 0.05 (5 against 0 has p = 0.0625): then all are abstained from, with a warning.

    Args:
        labels: predicted labels [run, sample], integers other than -1.
        alpha: level of the test, in (0, 1).

    Returns:
        Labels, p-values and abstention rate; the rate is NaN, with a warning, when there are no samples.

    Raises:
        InputError: no runs, labels that are strings or hold -1, or an alpha outside (0, 1).

    Example:
        >>> runs = [[0, 1]] * 8 + [[0, 2]] * 2
        >>> found = selective_ensemble(runs)
        >>> found.labels, found.p_values.round(5), found.abstention_rate
        (array([ 0, -1]), array([0.00195, 0.10938]), 0.5)

    References:
        Black, Leino and Fredrikson, "Selective Ensembles for Consistent Predictions", ICLR 2022.
    """
    if not 0 < alpha < 1:
        raise InputError(f"alpha={alpha!r} is outside (0, 1); pass for example 0.05.")
    array = _members(labels, 1)
    runs, shape = len(array), array.shape[1:]
    mode, first, second = top_two(array.reshape(runs, int(np.prod(shape))))
    total = first + second
    # At 1/2 both tails are alike, so that the two-sided p-value is twice the upper tail, and 1 at a tie.
    p_values = np.where(first > second, np.minimum(1.0, 2 * bdtrc(first - 1.0, total, 0.5)), 1.0)
    if 2 * 0.5**runs > alpha:
        undefined(
            f"{runs} runs cannot reach p <= {alpha} even where all agree (p = {min(1.0, 2 * 0.5**runs):.4g}); "
            "the ensemble abstains everywhere."
        )
    answers = np.where(p_values <= highest_reached(alpha), mode, ABSTAIN)
    rate = _abstention_rate(answers)
    return SelectiveEnsemble(
        give_back(answers.reshape(shape), labels), give_back(p_values.reshape(shape), labels), rate, runs
    )


@dataclass(frozen=True)
class SelfConsistencyEnsemble:
    """What an ensemble answers that abstains where its members contradict each other often.

    Attributes:
        labels: the most frequent label, or -1 where the ensemble abstains, [sample].
        self_consistency: share of the pairs of runs that agree, [sample].
        abstention_rate: share of samples with -1; NaN when there are none.
        runs: number of members.
    """

    labels: Result
    self_consistency: Result
    abstention_rate: float
    runs: int


def self_consistency_ensemble(labels: ArrayLike, *, threshold: float) -> SelfConsistencyEnsemble:
    """Returns the majority's labels where self-consistency reaches a threshold, and -1 elsewhere.

    Args:
        labels: predicted labels [run, sample], integers other than -1.
        threshold: the least share of pairs of runs that must agree, in [0, 1].

    Returns:
        Labels, self-consistency and abstention rate; the rate is NaN, with a warning, when there are no samples.

    Raises:
        InputError: fewer than two runs, labels that are strings or hold -1, or a threshold outside [0, 1].

    Example:
        >>> found = self_consistency_ensemble([[0, 1], [0, 1], [0, 2], [0, 3]], threshold=0.5)
        >>> found.labels, found.abstention_rate
        (array([ 0, -1]), 0.5)

    References:
        Cooper et al., "Arbitrariness and Social Prediction", arXiv 2301.11562.
    """
    if not 0 <= threshold <= 1:
        raise InputError(f"threshold={threshold!r} is outside [0, 1]; pass the least share of pairs that must agree.")
    array = _members(labels, 2)
    shape = array.shape[1:]
    consistency = np.asarray(self_consistency(array))
    mode, _, _ = top_two(array.reshape(len(array), int(np.prod(shape))))
    answers = np.where(consistency >= lowest_reaching(threshold), mode.reshape(shape), ABSTAIN)
    rate = _abstention_rate(answers)
    return SelfConsistencyEnsemble(give_back(answers, labels), give_back(consistency, labels), rate, len(array))


def top_two(
    labels: Integer[np.ndarray, "run sample"],
) -> tuple[Integer[np.ndarray, " sample"], Int[np.ndarray, " sample"], Int[np.ndarray, " sample"]]:
    """Returns each sample's most frequent label (the lowest of several), its count, and the second label's."""
    runs, samples = labels.shape
    mode = labels[0].copy()
    first, second = np.full(samples, runs), np.zeros(samples, np.int64)
    for block in blocks(labels):
        own = block.own().astype(np.int64)
        highest = own.max(axis=0)
        lowest = np.where(own == highest, block.codes, block.width).argmin(axis=0)
        chosen = np.take_along_axis(block.codes, lowest[None], axis=0)
        mode[block.positions] = np.take_along_axis(block.labels, lowest[None], axis=0)[0]
        first[block.positions] = highest
        second[block.positions] = np.where(block.codes == chosen, 0, own).max(axis=0)
    return mode, first, second


def _members(labels: ArrayLike, least: int) -> Integer[np.ndarray, "run ..."]:
    array = run_axis_first(labels, least=least)
    if array.dtype.kind in "UT":
        raise InputError("labels holds strings, among which -1 cannot mark an abstention; pass integer codes.")
    if (array == ABSTAIN).any():
        raise InputError("labels holds -1, which marks an abstention; number the classes from 0.")
    if array.dtype.kind == "O" or array.dtype == np.uint64:
        raise InputError(
            "labels holds numbers beyond 64 bits, beside which -1 cannot mark an abstention; number the classes from 0."
        )
    return array.astype(np.int64) if array.dtype.kind == "u" else array


def _abstention_rate(answers: Integer[np.ndarray, "..."]) -> float:
    if not answers.size:
        undefined("labels holds no samples; the abstention rate is NaN.")
        return float("nan")
    return float((answers == ABSTAIN).mean())
