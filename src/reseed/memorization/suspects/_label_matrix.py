"""How often each true class is given each label: estimated from held-out answers, without knowing any true label."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from reseed._arrays import ArrayLike, Result, brief, check_in_unit, float_array, give_back
from reseed._errors import InputError
from reseed.memorization.suspects._taken import taken_labels

_STEPS, _ENOUGH = 200, 1e-4
_FIRST_RIGHT = 0.9
# What each class counts besides its samples: one spread over all labels, so that no rate is estimated as exactly
# nothing, and five that are rightly labelled, so that a rare class is not explained away by another one's errors.
_SPREAD, _RIGHT = 1.0, 5.0
_LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class LabelMatrix:
    """Which labels are given to which classes.

    Attributes:
        matrix: probability of each given label for each true class, [true class, given label]; rows sum to 1.
        posterior: probability of each class being the true one, by answers and given label together, [sample, class].
        right: posterior of the given label, [sample]: how likely the label is right.
    """

    matrix: Result
    posterior: Result
    right: Result


def label_matrix(probabilities: ArrayLike, labels: ArrayLike) -> LabelMatrix:
    """Returns an estimate of the matrix from true to given labels, and what it makes of each sample.

    With p_i(y) what networks say of sample i and s_i its given label, in turns until nothing moves:

        q_i(y) = p_i(y) T(y, s_i) / sum_y' p_i(y') T(y', s_i),    T(y, s) = sum_(i: s_i = s) q_i(y) / sum_i q_i(y)

    begun with 0.9 on the diagonal; each class counts five rightly labelled samples more, and one spread over all
    labels. The answers must come from networks that did not see the sample. Networks that are too sure make the
    estimate of errors too large, and such as say truly how often labels are the given ones too small: rates are
    rough, ranks are what they are for.

    Args:
        probabilities: what networks say of samples that they were not trained on [sample, class].
        labels: given labels, places of classes [sample].

    Returns:
        The matrix, and posteriors of classes and of given labels.

    Raises:
        InputError: shapes differ, or they are no probabilities or labels.

    Example:
        >>> answers = [[0.9, 0.1]] * 40 + [[0.1, 0.9]] * 40
        >>> found = label_matrix(answers, [0] * 30 + [1] * 10 + [1] * 40)
        >>> found.matrix.round(1).tolist(), bool(found.right[30] < found.right[79])
        ([[0.8, 0.2], [0.0, 1.0]], True)
    """
    array, given = taken_answers(probabilities, labels)
    matrix, posterior = estimated(array, given)
    right = posterior[np.arange(len(given)), given]
    return LabelMatrix(*(give_back(one, probabilities, labels) for one in (matrix, posterior, right)))


def taken_answers(
    probabilities: ArrayLike, labels: ArrayLike
) -> tuple[Float[np.ndarray, "sample class"], Int[np.ndarray, " sample"]]:
    """Returns held-out answers and given labels as arrays; raises unless they are such."""
    array = float_array(probabilities, "probabilities")
    if array.ndim != 2 or 0 in array.shape or array.shape[1] < 2:
        raise InputError(
            f"probabilities must be [sample, class], got {brief(array)}; of several runs take their mean first, see "
            "held_out_probabilities."
        )
    check_in_unit(array, "probabilities")
    return array.astype(np.float64), taken_labels(labels, array.shape[1], len(array))


def estimated(
    probabilities: Float[np.ndarray, "sample class"], labels: Int[np.ndarray, " sample"]
) -> tuple[Float[np.ndarray, "true given"], Float[np.ndarray, "sample class"]]:
    """Returns the matrix and the posteriors that it gives."""
    answers = np.maximum(probabilities, _LEAST)
    classes = answers.shape[1]
    matrix = np.full((classes, classes), (1 - _FIRST_RIGHT) / (classes - 1))
    np.fill_diagonal(matrix, _FIRST_RIGHT)
    for _ in range(_STEPS):
        before, counts = matrix, np.full((classes, classes), _SPREAD / classes) + _RIGHT * np.eye(classes)
        np.add.at(counts.T, labels, _posterior(answers, labels, matrix))
        matrix = counts / counts.sum(1, keepdims=True)
        if np.abs(matrix - before).max() < _ENOUGH:
            break
    return matrix, _posterior(answers, labels, matrix)


def _posterior(
    answers: Float[np.ndarray, "sample class"],
    labels: Int[np.ndarray, " sample"],
    matrix: Float[np.ndarray, "true given"],
) -> Float[np.ndarray, "sample class"]:
    joint = answers * matrix[:, labels].T
    shares: Float[np.ndarray, "sample class"] = joint / joint.sum(1, keepdims=True)
    return shares
