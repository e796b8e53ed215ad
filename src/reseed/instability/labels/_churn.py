"""Churn: how much two models' answers differ."""

from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.special import rel_entr

from reseed._arrays import ArrayLike, Result, give_back, undefined
from reseed._errors import InputError
from reseed._labels import encode, label_array, run_axis_first, same_shape
from reseed.instability._probabilities import distributions

_WIDE = 65_536
_SMALLEST = float(np.finfo(np.float64).smallest_subnormal)


def churn(a: ArrayLike, b: ArrayLike) -> float:
    """Returns the share of samples to which two models give different labels.

        C(a, b) = (1 / n) sum_i 1[a_i != b_i]

    It is a metric on predictions, and ``|err_a - err_b| <= C <= err_a + err_b`` for any gold labels.

    Args:
        a: labels of one model [sample], integers or strings.
        b: labels of the other, of the same shape.

    Returns:
        The share in [0, 1]; NaN, with a warning, when there are no samples.

    Raises:
        InputError: shapes or kinds of label differ, or labels are neither whole numbers nor strings.

    Example:
        >>> churn([0, 1, 2, 2], [0, 1, 2, 1])
        0.25

    References:
        Milani Fard et al., "Launch and Iterate: Reducing Prediction Churn", NeurIPS 2016.
    """
    first, second = label_array(a, "a"), label_array(b, "b")
    same_shape(first, second, ("a", "b"))
    if not first.size:
        undefined("a and b hold no samples; the churn is NaN.")
        return float("nan")
    return float(np.mean(first != second))


def churn_matrix(labels: ArrayLike) -> Result:
    """Returns the churn between every two runs.

    The mean of the entries above the diagonal is the mean jitter.

    Args:
        labels: predicted labels [run, sample], integers or strings.

    Returns:
        Shares [run, run], symmetric with a zero diagonal, float64; NaN, with a warning, when there are no
        samples.

    Raises:
        InputError: no runs, or labels that are neither whole numbers nor strings.

    Example:
        >>> churn_matrix([[0, 1], [0, 1], [0, 2]])
        array([[0. , 0. , 0.5],
               [0. , 0. , 0.5],
               [0.5, 0.5, 0. ]])

    References:
        Milani Fard et al., "Launch and Iterate: Reducing Prediction Churn", NeurIPS 2016.
    """
    codes, _ = encode(run_axis_first(labels))
    runs = len(codes)
    flat = codes.reshape(runs, int(np.prod(codes.shape[1:])))
    samples = flat.shape[1]
    differ = np.zeros((runs, runs), np.int64)
    for start in range(0, samples, _WIDE):
        piece = flat[:, start : start + _WIDE]
        piece = piece[:, piece.min(axis=0) != piece.max(axis=0)]
        for run in range(runs - 1):
            differ[run, run + 1 :] += np.count_nonzero(piece[run + 1 :] != piece[run], axis=1)
    if not samples:
        undefined("labels holds no samples; the churn is NaN.")
        return give_back(np.full((runs, runs), np.nan), labels)
    return give_back((differ + differ.T) / samples, labels)


def soft_churn(p: ArrayLike, q: ArrayLike, norm: Literal["tv", "l1", "l2", "js"] = "tv") -> float:
    """Returns the mean distance between the class probabilities of two models.

    - `"tv"`: total variation, ``(1/2) sum_k |p_k - q_k|``, in [0, 1]; equal to `churn` when both are one-hot.
    - `"l1"`: ``sum_k |p_k - q_k|``, in [0, 2].
    - `"l2"`: sqrt(sum_k (p_k - q_k)^2), in [0, sqrt 2].
    - `"js"`: Jensen-Shannon divergence (KL(p | m) + KL(q | m)) / 2 with m = (p + q) / 2, in nats, in [0, ln
      2].

    Args:
        p: probabilities of one model [sample, class].
        q: probabilities of the other, of the same shape, classes in the same order.
        norm: the distance.

    Returns:
        The mean over samples; NaN, with a warning, when there are none.

    Raises:
        InputError: shapes differ, rows are no distributions, or the norm is unknown.

    Example:
        >>> round(soft_churn([[0.9, 0.1], [0.5, 0.5]], [[0.7, 0.3], [0.5, 0.5]]), 6)
        0.1

    References:
        Bhojanapalli et al., "On the Reproducibility of Neural Network Predictions", arXiv 2102.03349.
    """
    if norm not in ("tv", "l1", "l2", "js"):
        raise InputError(f"norm={norm!r} is unknown; pass 'tv', 'l1', 'l2' or 'js'.")
    first, second = distributions(p, "p"), distributions(q, "q")
    same_shape(first, second, ("p", "q"))
    classes = first.shape[-1]
    first, second = first.reshape(-1, classes), second.reshape(-1, classes)
    if not len(first):
        undefined("p and q hold no samples; the soft churn is NaN.")
        return float("nan")
    step = max(1, 16 * _WIDE // classes)
    total = 0.0
    for start in range(0, len(first), step):
        some, other = first[start : start + step], second[start : start + step]
        total += float(_distances(some.astype(np.float64), other.astype(np.float64), norm).sum())
    return total / len(first)


def _distances(
    p: Float[np.ndarray, "sample class"], q: Float[np.ndarray, "sample class"], norm: str
) -> Float[np.ndarray, " sample"]:
    if norm == "js":
        middle = np.maximum((p + q) / 2, _SMALLEST)  # half of the smallest number rounds to 0
        return np.asarray((rel_entr(p, middle) + rel_entr(q, middle)).sum(axis=1) / 2)
    if norm == "l2":
        return np.asarray(np.sqrt(((p - q) ** 2).sum(axis=1)))
    return np.asarray(np.abs(p - q).sum(axis=1) / (2 if norm == "tv" else 1))
