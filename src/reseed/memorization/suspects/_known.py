"""How well a ranking finds labels that are known to be wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float

_RESAMPLES = 200


def found_of_known(suspicion: Float[np.ndarray, " sample"], is_wrong: Bool[np.ndarray, " sample"]) -> dict[str, Any]:
    """Return how many labels are known to be wrong, and how well a ranking finds them, as JSON can hold it.

    Area under the ROC curve; average precision; precision among as many of the most suspicious as are wrong. Intervals
    at 95 % by the bootstrap over samples, for these networks.

    Args:
        suspicion: Higher is more suspicious.
        is_wrong: Which labels are known to be wrong.
    """
    count = int(is_wrong.sum())
    if not 0 < count < len(is_wrong):
        return {"known_wrong_labels": count}
    value = _quality(suspicion, is_wrong)
    random = np.random.default_rng(0)
    drawn: list[tuple[float, ...]] = []
    while len(drawn) < _RESAMPLES:
        rows = random.integers(0, len(is_wrong), len(is_wrong))
        if 0 < is_wrong[rows].sum() < len(rows):
            drawn.append(_quality(suspicion[rows], is_wrong[rows]))
    ends = np.quantile(np.array(drawn), (0.025, 0.975), axis=0)
    found: dict[str, Any] = {"known_wrong_labels": count}
    for name, one, low, high in zip(("auroc", "average_precision", "precision"), value, *ends, strict=True):
        found |= {f"{name}_of_known": one, f"{name}_of_known_ci95_samples": [float(low), float(high)]}
    return found


def _quality(suspicion: Float[np.ndarray, " sample"], is_wrong: Bool[np.ndarray, " sample"]) -> tuple[float, ...]:
    from sklearn.metrics import average_precision_score, roc_auc_score

    first = np.argsort(-suspicion, kind="stable")[: int(is_wrong.sum())]
    precision = float(is_wrong[first].mean())
    return float(roc_auc_score(is_wrong, suspicion)), float(average_precision_score(is_wrong, suspicion)), precision
