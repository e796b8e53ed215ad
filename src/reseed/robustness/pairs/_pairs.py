"""Two models side by side, such as one with and one without a defence, or two trainings of one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from reseed._arrays import ArrayLike, Result, brief
from reseed._errors import InputError
from reseed.robustness._answers import (
    answered_labels,
    blocks_by_class,
    check_from_logits,
    coded,
    output_array,
    predicted_classes,
    rounding_of,
    true_classes,
)
from reseed.robustness._reduction import Reduction, check_reduction, reduced
from reseed.robustness.adversaries._confidence import own_probabilities


@dataclass(frozen=True, eq=False)
class RectifySacrifice:
    """What becomes of answers from one model to another; `churn` is the sum of the first three.

    Attributes:
        rectified: Share of samples that the first model gets wrong and the second right (CRR).
        sacrificed: Share that the first gets right and the second wrong (CSR).
        wrong_changes: Share that both get wrong, with different labels.
        churn: Share that they answer with different labels.
    """

    rectified: Result
    sacrificed: Result
    wrong_changes: Result
    churn: Result


def accuracy_variance(
    first: ArrayLike, second: ArrayLike, targets: ArrayLike, *, reduction: Reduction = "mean"
) -> Result:
    """Return by how much the second model is more accurate: classification accuracy variance (CAV).

        CAV = Acc(second) - Acc(first) = CRR - CSR

    It has a sign: negative where the first model is better.

    Args:
        first: What the first model (the undefended one) answers, labels [sample], or outputs [sample, class].
        second: What the second one (the defended one) answers to the same samples.
        targets: True labels [sample].
        reduction: "mean", or "none" for 1 where a sample is gained, -1 where one is lost, else 0.

    Returns:
        The difference in [-1, 1]; or values [sample], float64.

    Raises:
        InputError: Shapes or kinds of label do not fit, or the reduction is unknown.

    Examples:
        >>> accuracy_variance([0, 1, 2, 2], [0, 0, 2, 1], [0, 1, 1, 0])
        -0.25
    """
    check_reduction(reduction)
    was, now, _ = _compared(first, second, targets)
    gained = now.astype(np.float64) - was
    return reduced(gained, None, reduction, "the accuracy variance", first, second, targets)


def rectify_sacrifice(
    first: ArrayLike, second: ArrayLike, targets: ArrayLike, *, reduction: Reduction = "mean"
) -> RectifySacrifice:
    """Return the shares of samples that the second model rectifies and sacrifices (CRR, CSR), and what else changes.

    The three shares sum to the churn, and the first less the second is `accuracy_variance`.

    Args:
        first: What the first model (the undefended one) answers, labels [sample], or outputs [sample, class].
        second: What the second one (the defended one) answers to the same samples.
        targets: True labels [sample].
        reduction: "mean", or "none" for 1 and 0 for each sample.

    Returns:
        Shares in [0, 1]; or values [sample], float64.

    Raises:
        InputError: Shapes or kinds of label do not fit, or the reduction is unknown.

    Examples:
        >>> found = rectify_sacrifice([0, 1, 2, 2], [0, 0, 1, 1], [0, 1, 1, 0])
        >>> found.rectified, found.sacrificed, found.wrong_changes, found.churn
        (0.25, 0.25, 0.25, 0.75)
    """
    check_reduction(reduction)
    was, now, differ = _compared(first, second, targets)
    parts = (~was & now, was & ~now, ~was & ~now & differ, differ)
    return RectifySacrifice(
        *(reduced(part.astype(np.float64), None, reduction, "what changes", first, second, targets) for part in parts)
    )


def confidence_variance(
    first: ArrayLike, second: ArrayLike, targets: ArrayLike, *, from_logits: bool, reduction: Reduction = "mean"
) -> Result:
    """Return by how much two models differ in the probability of the true label: confidence variance (CCV).

        CCV = (1 / n) sum_i |P(x_i)_(y_i) - Q(x_i)_(y_i)|

    over the n samples that both models get right.

    Args:
        first: Outputs of one model [sample, class].
        second: Outputs of the other, of the same shape, classes in the same order.
        targets: True labels [sample].
        from_logits: Whether outputs are logits, or else probabilities.
        reduction: "mean", or "none" for the value of each sample, NaN where a model is wrong.

    Returns:
        The mean in [0, 1], NaN with a warning where no sample is right in both; or values [sample], float64.

    Raises:
        InputError: Shapes do not fit, outputs are not finite or no distributions, or labels are out of range.

    Examples:
        >>> confidence_variance([[0.75, 0.25], [0.1, 0.9]], [[1.0, 0.0], [0.9, 0.1]], [0, 1], from_logits=False)
        0.25
    """
    check_reduction(reduction)
    one, other, gold = _outputs(first, second, targets, from_logits)
    values = np.abs(
        own_probabilities(one, gold, from_logits, "first", rounding_of(first))
        - own_probabilities(other, gold, from_logits, "second", rounding_of(second))
    )
    return reduced(values, _both_right(one, other, gold), reduction, "the confidence variance", first, second, targets)


def output_stability(
    first: ArrayLike,
    second: ArrayLike,
    targets: ArrayLike,
    *,
    from_logits: bool,
    base: float | None = None,
    reduction: Reduction = "mean",
) -> Result:
    """Return how far apart the probabilities of two models are: classification output stability (COS).

        COS = (1 / n) sum_i JSD(P(x_i), Q(x_i)),  JSD(p, q) = H((p + q) / 2) - (H(p) + H(q)) / 2

    over the n samples that both models get right; H is the entropy. It is symmetric in the models.

    Args:
        first: Outputs of one model [sample, class].
        second: Outputs of the other, of the same shape, classes in the same order.
        targets: True labels [sample].
        from_logits: Whether outputs are logits, or else probabilities.
        base: Of the logarithm; default: natural, so that the unit is nats. 2 gives bits.
        reduction: "mean", or "none" for the value of each sample, NaN where a model is wrong.

    Returns:
        The mean in [0, ln 2], 0 for equal models, NaN with a warning where no sample is right in both; or values
        [sample], float64.

    Raises:
        InputError: Shapes do not fit, outputs are not finite or no distributions, labels are out of range, or the base
            is not above 1.

    Examples:
        >>> round(output_stability([[0.9, 0.1]], [[0.6, 0.4]], [0], from_logits=False), 6)
        0.063288
    """
    check_reduction(reduction)
    scale = log_scale(base)
    one, other, gold = _outputs(first, second, targets, from_logits)
    values = np.empty(one.shape[:-1])
    others = blocks_by_class(other, from_logits, "second", rounding_of(second))
    for (part, p), (_, q) in zip(blocks_by_class(one, from_logits, "first", rounding_of(first)), others, strict=True):
        values[part] = divergence(p, q, entropies(p), entropies(q)) * scale
    return reduced(values, _both_right(one, other, gold), reduction, "the output stability", first, second, targets)


def log_scale(base: float | None) -> float:
    """Return what turns nats into units of the base."""
    if base is None:
        return 1.0
    if not 1 < base < math.inf:
        raise InputError(f"base={base!r} must be above 1; pass 2 for bits, or leave it out for nats.")
    return 1 / math.log(base)


def entropies(shares: Float[np.ndarray, "class row"]) -> Float[np.ndarray, " row"]:
    """Return entropies in nats over the axis before the last one."""
    return np.asarray(-(shares * np.log(np.maximum(shares, _SMALLEST))).sum(axis=-2))


def divergence(
    p: Float[np.ndarray, "... class row"],
    q: Float[np.ndarray, "... class row"],
    p_entropy: Float[np.ndarray, "... row"],
    q_entropy: Float[np.ndarray, "... row"],
) -> Float[np.ndarray, "... row"]:
    """Return Jensen-Shannon divergences in nats, not below 0, where rounding would take them.

    Args:
        p: Probabilities.
        q: Others.
        p_entropy: Entropies of p.
        q_entropy: Those of q.
    """
    middle = (p + q) / 2
    return np.asarray(np.maximum(entropies(middle) - (p_entropy + q_entropy) / 2, 0.0))


_SMALLEST = float(np.finfo(np.float64).tiny)


def _compared(
    first: ArrayLike, second: ArrayLike, targets: ArrayLike
) -> tuple[Bool[np.ndarray, " sample"], Bool[np.ndarray, " sample"], Bool[np.ndarray, " sample"]]:
    """Return where the first model is right, where the second one is, and where they differ."""
    labels = [answered_labels(given, name, 1) for name, given in (("first", first), ("second", second))]
    if labels[0].shape != labels[1].shape:
        raise InputError(
            f"first is {brief(labels[0])} but second is {brief(labels[1])}; pass answers to the same samples."
        )
    if (labels[0].dtype.kind in "UT") != (labels[1].dtype.kind in "UT"):
        raise InputError(
            f"first is {brief(labels[0])} but second is {brief(labels[1])}; pass integers in both or strings in both."
        )
    codes, gold = coded(np.stack(labels), targets, "answers")
    return codes[0] == gold, codes[1] == gold, codes[0] != codes[1]


def _outputs(
    first: ArrayLike, second: ArrayLike, targets: ArrayLike, from_logits: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    check_from_logits(from_logits)
    one, other = (output_array(given, name, 2) for name, given in (("first", first), ("second", second)))
    if one.shape != other.shape:
        raise InputError(
            f"first is {brief(one)} but second is {brief(other)}; pass outputs for the same samples and classes."
        )
    return one, other, true_classes(targets, *one.shape)


def _both_right(one: np.ndarray, other: np.ndarray, gold: np.ndarray) -> Bool[np.ndarray, " sample"]:
    return np.asarray((predicted_classes(one, "first") == gold) & (predicted_classes(other, "second") == gold))
