"""How sure a network is of the wrong answers that attacks bring it to."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from reseed._arrays import ArrayLike, Result, brief
from reseed._errors import InputError
from reseed.robustness._answers import blocks_by_class, check_from_logits, output_array, rounding_of, true_classes
from reseed.robustness._reduction import Reduction, check_reduction, reduced, success_mask


def adversarial_class_confidence(
    outputs: ArrayLike, *, success: ArrayLike, from_logits: bool, reduction: Reduction = "mean"
) -> Result:
    """Return how probable networks find their wrong answers: average confidence of the adversarial class (ACAC).

        ACAC = (1 / n) sum_i max_k P(x'_i)_k

    over the n attacks that succeeded.

    Args:
        outputs: What the adversarial inputs are answered with, [sample, class] or [run, sample, class].
        success: Which attacks succeeded, [sample] or [run, sample], such as `attack_success` says.
        from_logits: Whether outputs are logits, or else probabilities.
        reduction: "mean", or "none" for the value of each sample, NaN where the attack failed.

    Returns:
        The mean, in [1 / K, 1], a float or one for each run, NaN with a warning where no attack succeeded; or values
        [sample] or [run, sample], float64.

    Raises:
        InputError: Shapes do not fit, outputs are not finite or no distributions, or the mask is not boolean.

    Examples:
        >>> adversarial_class_confidence([[0.2, 0.8], [0.9, 0.1]], success=[True, False], from_logits=False)
        0.8
    """
    array = _checked(outputs, from_logits, reduction)
    counted = success_mask(success, array.shape[:-1])
    values = np.empty(array.shape[:-1])
    flat = values.reshape(-1)
    for part, shares in blocks_by_class(array, from_logits, "outputs", rounding_of(outputs)):
        flat[part] = shares.max(axis=0)
    return reduced(values, counted, reduction, "the confidence of the adversarial class", outputs, success)


def true_class_confidence(
    outputs: ArrayLike, targets: ArrayLike, *, success: ArrayLike, from_logits: bool, reduction: Reduction = "mean"
) -> Result:
    """Return how probable networks still find the true label: average confidence of the true class (ACTC).

        ACTC = (1 / n) sum_i P(x'_i)_(y_i)

    over the n attacks that succeeded.

    Args:
        outputs: What the adversarial inputs are answered with, [sample, class] or [run, sample, class].
        targets: True labels [sample], of targeted attacks as well.
        success: Which attacks succeeded, [sample] or [run, sample], such as `attack_success` says.
        from_logits: Whether outputs are logits, or else probabilities.
        reduction: "mean", or "none" for the value of each sample, NaN where the attack failed.

    Returns:
        The mean, in [0, 1], at most 1/2 where every success is another label than the true one; a float or one for each
        run, NaN with a warning where no attack succeeded; or values [sample] or [run, sample], float64.

    Raises:
        InputError: Shapes do not fit, outputs are not finite or no distributions, labels are out of range, or the mask
            is not boolean.

    Examples:
        >>> true_class_confidence([[0.2, 0.8], [0.9, 0.1]], [0, 0], success=[True, False], from_logits=False)
        0.2
    """
    array = _checked(outputs, from_logits, reduction)
    counted = success_mask(success, array.shape[:-1])
    gold = true_classes(targets, array.shape[-2], array.shape[-1])
    values = own_probabilities(array, gold, from_logits, "outputs", rounding_of(outputs))
    return reduced(values, counted, reduction, "the confidence of the true class", outputs, targets, success)


def noise_tolerance(
    outputs: ArrayLike, *, success: ArrayLike, from_logits: bool, reduction: Reduction = "mean"
) -> Result:
    """Return by how much wrong answers lead the second ones: noise tolerance estimation (NTE).

        NTE = (1 / n) sum_i (P(x'_i)_F - max_(k != F) P(x'_i)_k),  F = argmax_k P(x'_i)_k

    over the n attacks that succeeded. The larger it is, the more further noise an adversarial input stands before its
    answer changes once more.

    Args:
        outputs: What the adversarial inputs are answered with, [sample, class] or [run, sample, class].
        success: Which attacks succeeded, [sample] or [run, sample], such as `attack_success` says.
        from_logits: Whether outputs are logits, or else probabilities.
        reduction: "mean", or "none" for the value of each sample, NaN where the attack failed.

    Returns:
        The mean, in [0, 1] and in [2 ACAC - 1, ACAC], a float or one for each run, NaN with a warning where no attack
        succeeded; or values [sample] or [run, sample], float64.

    Raises:
        InputError: There is one class, shapes do not fit, outputs are not finite or no distributions, or the mask is
            not boolean.

    Examples:
        >>> noise_tolerance([[0.25, 0.75], [0.9, 0.1]], success=[True, False], from_logits=False)
        0.5
    """
    array = _checked(outputs, from_logits, reduction)
    if array.shape[-1] < 2:
        raise InputError(f"outputs is {brief(array)}, of one class; pass two classes or more, which one can lead.")
    counted = success_mask(success, array.shape[:-1])
    values = np.empty(array.shape[:-1])
    flat = values.reshape(-1)
    for part, shares in blocks_by_class(array, from_logits, "outputs", rounding_of(outputs)):
        first, second = shares[0].copy(), np.full(shares.shape[1], -np.inf)
        for row in shares[1:]:  # one pass that keeps the two highest: a sort would take longer
            np.maximum(second, np.minimum(first, row), out=second)
            np.maximum(first, row, out=first)
        flat[part] = first - second
    return reduced(values, counted, reduction, "the noise tolerance", outputs, success)


def own_probabilities(
    outputs: Float[np.ndarray, "... sample class"],
    targets: np.ndarray,
    from_logits: bool,
    name: str,
    unit: float = 0.0,
) -> Float[np.ndarray, "... sample"]:
    """Return the probability of each sample's true label."""
    values = np.empty(outputs.shape[:-1])
    flat, gold = values.reshape(-1), np.broadcast_to(targets, outputs.shape[:-1]).reshape(-1)
    for part, shares in blocks_by_class(outputs, from_logits, name, unit):
        flat[part] = shares[gold[part], np.arange(shares.shape[1])]
    return values


def _checked(outputs: ArrayLike, from_logits: bool, reduction: Reduction) -> Float[np.ndarray, "... sample class"]:
    check_reduction(reduction)
    check_from_logits(from_logits)
    return output_array(outputs, "outputs")
