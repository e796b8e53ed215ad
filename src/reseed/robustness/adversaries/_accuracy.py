"""How many answers are right: of clean inputs, under each attack, and under the worst of several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from reseed._arrays import ArrayLike, Result, brief, give_back, to_numpy
from reseed._errors import InputError
from reseed._labels import label_array
from reseed.robustness._answers import answered_labels, coded
from reseed.robustness._reduction import Reduction, check_reduction, reduced, success_mask


@dataclass(frozen=True, eq=False)
class AttackAccuracy:
    """What attacks leave of the accuracy (AAW of white-box attacks, AAB of black-box ones).

    Attributes:
        each: Accuracy under each attack, by its name; a float, or one for each run.
        worst_case: Share of samples that are right under every attack; no higher than any of ``each``.
        withstands: Whether a sample is right under every attack, [sample] or [run, sample].
    """

    each: Mapping[str, Result]
    worst_case: Result
    withstands: Result


def task_accuracy(predicted: ArrayLike, targets: ArrayLike, *, reduction: Reduction = "mean") -> Result:
    """Return the share of samples that are answered with their true label (CA on clean inputs).

    Args:
        predicted: Labels [..., sample], integers or strings, such as [run, sample] or [corruption, severity, sample].
        targets: True labels [sample].
        reduction: "mean", or "none" for whether each answer is right.

    Returns:
        The share in [0, 1], a float or [...]; or values [..., sample], 1 where right and 0 where wrong, float64.

    Raises:
        InputError: Shapes or kinds of label do not fit, or the reduction is unknown.

    Examples:
        >>> task_accuracy([[0, 1, 2, 2], [0, 1, 1, 0]], [0, 1, 2, 0])
        array([0.75, 0.75])
    """
    check_reduction(reduction)
    right = _right(label_array(predicted, "predicted"), targets, "predicted")
    return reduced(right.astype(np.float64), None, reduction, "the accuracy", predicted, targets)


def accuracy_under_attacks(answers: Mapping[str, ArrayLike], targets: ArrayLike) -> AttackAccuracy:
    """Return the accuracy under each of several attacks, and under the worst of them on every sample.

    Args:
        answers: Labels that the adversarial inputs are answered with, [sample] or [run, sample], by attack. What is
            answered without an attack may be among them: then samples that are wrong anyhow count as wrong.
        targets: True labels [sample].

    Returns:
        The accuracies, floats or one for each run.

    Raises:
        InputError: There is no attack, or shapes or kinds of label do not fit.

    Examples:
        >>> found = accuracy_under_attacks({"fgsm": [0, 1, 0, 1], "square": [0, 0, 1, 1]}, [0, 1, 1, 1])
        >>> dict(found.each), found.worst_case, found.withstands
        ({'fgsm': 0.75, 'square': 0.75}, 0.5, array([ True, False, False,  True]))
    """
    if not answers:
        raise InputError("answers holds no attack; pass the labels of at least one, such as {'pgd': labels}.")
    each: dict[str, Any] = {}
    every: Bool[np.ndarray, "... sample"] | None = None
    for name, given in answers.items():
        right = _right(label_array(given, f"answers[{name!r}]"), targets, f"answers[{name!r}]")
        if every is not None and every.shape != right.shape:
            raise InputError(
                f"answers[{name!r}] is {list(right.shape)}, but others are {list(every.shape)}; pass the same samples "
                "under every attack."
            )
        every = right if every is None else every & right
        each[name] = reduced(right.astype(np.float64), None, "mean", f"the accuracy under {name}", given, targets)
    assert every is not None  # noqa: S101 - there is an attack
    like = (next(iter(answers.values())), targets)
    worst = reduced(every.astype(np.float64), None, "mean", "the worst accuracy", *like)
    return AttackAccuracy(each, worst, give_back(every, *like))


def attack_success(
    adversarial: ArrayLike,
    targets: ArrayLike,
    *,
    clean: ArrayLike | None = None,
    wanted: ArrayLike | None = None,
    require_clean_correct: bool = True,
) -> Result:
    """Return which attacks succeeded: those that turn a right answer into a wrong one, or into the one wanted.

    Args:
        adversarial: What adversarial inputs are answered with, labels [sample] or [run, sample], or outputs with an
            axis of classes after these: logits or probabilities.
        targets: True labels [sample].
        clean: What the clean inputs are answered with, in the same form.
        wanted: Of targeted attacks, the label that each wants, [sample].
        require_clean_correct: Whether samples that are wrong without an attack are no successes. Only without it,
            ``clean`` may be left out; then clean errors count as the attack's.

    Returns:
        True or False, [sample] or [run, sample].

    Raises:
        InputError: ``clean`` is missing, or shapes or kinds of label do not fit.

    Examples:
        >>> attack_success([1, 1, 0], [0, 1, 1], clean=[0, 1, 0])  # the third was wrong before
        array([ True, False, False])
        >>> attack_success([1, 1, 0], [0, 1, 1], require_clean_correct=False)
        array([ True, False,  True])
    """
    gold = label_array(targets, "targets")
    labels = _labels(adversarial, gold, "adversarial")
    if wanted is None:
        success = ~_right(labels, gold, "adversarial")
    else:
        success = _right(labels, wanted, "adversarial")
        own = np.asarray(label_array(wanted, "wanted") == gold)
        if own.any():
            raise InputError(
                f"wanted is the true label of sample {int(np.argmax(own))}; pass a label that is wrong for each sample."
            )
    if require_clean_correct:
        if clean is None:
            raise InputError(
                "clean is missing, so that errors without an attack cannot be told from its successes; pass what the "
                "clean inputs are answered with, or require_clean_correct=False."
            )
        right = _right(_labels(clean, gold, "clean"), gold, "clean")
        if right.shape != success.shape and right.shape != success.shape[1:]:
            raise InputError(
                f"clean is {list(right.shape)} but adversarial is {list(success.shape)}; pass answers of the same runs "
                "to the same samples."
            )
        success = success & right
    return give_back(success, adversarial, targets)


def mean_where(
    values: Float[np.ndarray, "... sample"], success: ArrayLike, reduction: Reduction, what: str, *like: object
) -> Result:
    """Return a mean over attacks that succeeded, or each one's value."""
    check_reduction(reduction)
    return reduced(values, success_mask(success, values.shape), reduction, what, *like)


def _labels(answers: ArrayLike, gold: np.ndarray, name: str) -> np.ndarray:
    """Return labels [sample] or [run, sample] from these, or from outputs with an axis of classes after them.

    Two axes could be either: whole numbers are labels.
    """
    array = to_numpy(answers, name)
    if array.ndim == 3 or (array.ndim == 2 and array.dtype.kind == "f"):
        return answered_labels(answers, name, array.ndim - 1)
    return label_array(answers, name)


def _right(labels: np.ndarray, targets: ArrayLike, name: str) -> Bool[np.ndarray, "... sample"]:
    if labels.ndim == 0:
        raise InputError(f"{name} is {brief(labels)}, a single label; pass [sample].")
    flat = labels.reshape(-1, labels.shape[-1])
    codes, gold = coded(flat, targets, name)
    return np.asarray(codes == gold).reshape(labels.shape)
