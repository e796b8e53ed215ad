"""Held-out answers made as sure as they are right: averages over checkpoints are too unsure."""

import numpy as np
from jaxtyping import Float, Int

_POWERS = np.geomspace(0.5, 8, 13)
_NOISE = (0.001, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
_LEAST = 1e-12


def sharpened(
    probabilities: Float[np.ndarray, "sample class"], labels: Int[np.ndarray, " sample"]
) -> Float[np.ndarray, "sample class"]:
    """Returns answers to the power of the square root of the best one.

    The square root stands between answers that find too few wrong labels and such that find too many.
    """
    return _raised(_logs(probabilities), float(np.sqrt(best_power(probabilities, labels)[1])))


def best_power(
    probabilities: Float[np.ndarray, "sample class"], labels: Int[np.ndarray, " sample"]
) -> tuple[float, float]:
    """Returns the mean log-likelihood of given labels under answers to the best power, and that power.

    The power b and the share e of labels drawn anew are those under which the given labels are most likely,
    sum_i log((1 - e) p_i(s_i)^b / sum_y p_i(y)^b + e / K): a share of wrong labels is allowed for, since else these
    would make right answers look too sure.
    """
    logs = _logs(probabilities)
    rows, classes = np.arange(len(labels)), probabilities.shape[1]
    found = []
    for power in _POWERS:
        own = _raised(logs, power)[rows, labels]
        found += [(float(np.log((1 - share) * own + share / classes).mean()), float(power)) for share in _NOISE]
    return max(found)


def _logs(probabilities: Float[np.ndarray, "sample class"]) -> Float[np.ndarray, "sample class"]:
    return np.asarray(np.log(np.maximum(probabilities, _LEAST)))


def _raised(logs: Float[np.ndarray, "sample class"], power: float) -> Float[np.ndarray, "sample class"]:
    raised = np.exp(power * (logs - logs.max(1, keepdims=True)))
    shares: Float[np.ndarray, "sample class"] = raised / raised.sum(1, keepdims=True)
    return shares
