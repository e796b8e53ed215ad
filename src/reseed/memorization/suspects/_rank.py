"""The ranking of training samples by how suspicious their labels are, and how many are thought wrong."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata

from reseed._arrays import ArrayLike, Result, brief, give_back, to_numpy
from reseed._errors import InputError
from reseed.memorization.suspects._held_out import log_margin
from reseed.memorization.suspects._label_matrix import estimated, taken_answers
from reseed.memorization.suspects._sharpened import sharpened


@dataclass(frozen=True, eq=False)
class Suspects:
    """Which labels are suspected, by a fixed recipe.

    Attributes:
        score: mean of the ranks by each signal, in (0, 1], higher is more suspicious, [sample].
        order: samples, the most suspicious first, [sample].
        is_issue: whether the label is thought wrong, [sample].
        likely: the most probable class other than the given label, [sample].
        right: how likely the given label is right, [sample]; see `label_matrix`.
        matrix: from true classes to given labels; see `label_matrix`.
        count: how many are thought wrong.
    """

    score: Result
    order: Result
    is_issue: Result
    likely: Result
    right: Result
    matrix: Result
    count: int


def rank_suspects(probabilities: ArrayLike, labels: ArrayLike, margin: ArrayLike | None = None) -> Suspects:
    """Returns which training labels are suspected, and in which order.

    A sample's score is the mean of its ranks by three signals, each between 0 and 1:

    - the posterior of its given label under the estimated matrix of labels, see `label_matrix`, of answers to a power:
      the square root of that under which the given labels are most likely, a share of wrong ones allowed for;
    - the margin of its given label in what networks say that did not see it, see `held_out_probabilities`;
    - the area under its margin in those that did, see `in_sample_margin`, where that is given.

    As many are thought wrong as the matrix expects, the sum of all 1 - posterior, rounded: the most suspicious ones.
    That is an estimate: networks that cannot learn the task make it too large or too small. A suspect may as well be
    a rare or ambiguous sample with the right label, so look at each before changing it.

    Args:
        probabilities: what networks say of samples that they were not trained on [sample, class].
        labels: given labels, places of classes [sample].
        margin: margins in the networks that were trained on a sample [sample]; None: two signals.

    Returns:
        Scores, order and likely labels.

    Raises:
        InputError: shapes differ, something is NaN, or they are no probabilities or labels.

    Example:
        >>> answers = [[0.9, 0.1]] * 10 + [[0.1, 0.9]] * 10
        >>> found = rank_suspects(answers, [1] + [0] * 9 + [1] * 10)
        >>> found.order[0], found.likely[0], found.count
        (np.int64(0), np.int64(0), 1)
    """
    array, given = taken_answers(probabilities, labels)
    matrix, posterior = estimated(sharpened(array, given), given)
    rows = np.arange(len(given))
    right = posterior[rows, given]
    signals = [right, log_margin(array, given)]
    if margin is not None:
        inside = to_numpy(margin, "margin")
        if inside.shape != given.shape or inside.dtype.kind not in "iuf" or np.isnan(inside).any():
            raise InputError(
                f"margin must hold {len(given)} numbers [sample], got {brief(inside)}; leave samples out that no run "
                "was trained on."
            )
        signals.append(inside)
    score = mean_rank(signals)
    # Of equal scores the first sample comes first, so that the order is the same everywhere.
    order = np.argsort(-score, kind="stable")
    count = int(np.rint(np.clip(1 - right, 0, 1).sum()))
    is_issue = np.zeros(len(given), np.bool_)
    is_issue[order[:count]] = True
    others = posterior.copy()
    others[rows, given] = -1
    found = (score, order, is_issue, others.argmax(1), right, matrix)
    given_back = (give_back(one, probabilities, labels) for one in found)
    return Suspects(*given_back, count=count)  # type: ignore[misc]  # six of them


def mean_rank(signals: list[Float[np.ndarray, " sample"]]) -> Float[np.ndarray, " sample"]:
    """Returns the mean over signals of a sample's rank, in (0, 1]: 1 where all signals are lowest."""
    ranks = np.stack([rankdata(-signal) for signal in signals])
    return np.asarray(ranks.mean(0) / ranks.shape[1])
