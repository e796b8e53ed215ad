"""How well given labels fit the probabilities of a model that has not seen them."""

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from reseed._arrays import ArrayLike, Result, give_back
from reseed._simplex import check_simplex
from reseed.instability._rounding import unit_roundoff
from reseed.instability._target_margin import scores_and_targets, target_margin

_BLOCK = 1_000_000  # probabilities in one block


@dataclass(frozen=True, eq=False)
class LabelQuality:
    """Scores of given labels, each in [0, 1]; low ones are likely wrong.

    Attributes:
        self_confidence: probability of the given label, [sample].
        normalized_margin: how far it is ahead of the largest other probability, [sample]; 1/2 at a tie.
        confidence_weighted_entropy: entropy of the probabilities divided by the self-confidence, rescaled so
            that high is good, [sample].
    """

    self_confidence: Result
    normalized_margin: Result
    confidence_weighted_entropy: Result


def label_quality(probabilities: ArrayLike, targets: ArrayLike) -> LabelQuality:
    """Returns three scores of how plausible each given label is.

    With p the probabilities of a sample, y its given label, and K classes,

        self-confidence               p_y
        normalised margin             (p_y - max_(k != y) p_k) / 2 + 1 / 2
        confidence-weighted entropy   ln(1 + s) / s,    s = H(p) / (p_y ln K)

    where the last is 1 in the limit of s = 0, and 0 where p_y is 0. Forms and scale are this library's.

    **Use out-of-sample probabilities**: of a model trained without the sample, as in cross-validation, or of a
    held-out set. A model that has seen a wrong label may have learned it, and then is sure of it. Probabilities
    averaged over runs work as well as those of one run.

    Args:
        probabilities: distributions over classes [sample, class], any axes before these two.
        targets: given labels [sample], or one for each distribution.

    Returns:
        The scores, each of the shape of `probabilities` without the class axis, float64.

    Raises:
        InputError: fewer than two classes, rows that are no distribution, targets of another shape or out of
            range.

    Example:
        >>> found = label_quality([[0.9, 0.1], [0.5, 0.5], [1.0, 0.0]], [0, 0, 1])
        >>> found.self_confidence, found.normalized_margin
        (array([0.9, 0.5, 0. ]), array([0.9, 0.5, 0. ]))
        >>> found.confidence_weighted_entropy.round(4)
        array([0.8049, 0.5493, 0.    ])

    References:
        Northcutt et al., "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 2021. Kuan and
        Mueller, "Model-agnostic label quality scoring to detect real-world label errors", 2022.
    """
    array, gold = scores_and_targets(probabilities, targets, "probabilities")
    check_simplex(array, "probabilities", unit=unit_roundoff(probabilities))
    flat, own = array.reshape(-1, array.shape[-1]), gold.reshape(-1)
    confidence, entropy = np.empty(len(flat)), np.empty(len(flat))
    step = max(1, _BLOCK // flat.shape[1])
    for start in range(0, len(flat), step):
        block = flat[start : start + step].astype(np.float64)
        confidence[start : start + step] = block[np.arange(len(block)), own[start : start + step]]
        entropy[start : start + step] = -xlogy(block, block).sum(axis=1)
    # Rounding, or sums a little off one, may leave an entropy just outside its range.
    share = np.clip(entropy / np.log(flat.shape[1]), 0, 1)
    # Probabilities down to the smallest there are count as they are; beyond it the ratio is infinite and the score 0.
    with np.errstate(over="ignore"):
        ratio = share / np.where(confidence > 0, confidence, 1.0)
    finite = np.where(np.isinf(ratio) | (ratio == 0), 1.0, ratio)
    weighted = np.select([ratio == 0, np.isinf(ratio)], [1.0, 0.0], np.log1p(finite) / finite)
    weighted[confidence == 0] = 0.0
    margin = target_margin(array, gold) / 2 + 0.5
    return LabelQuality(
        give_back(confidence.reshape(gold.shape), probabilities),
        give_back(margin, probabilities),
        give_back(weighted.reshape(gold.shape), probabilities),
    )
