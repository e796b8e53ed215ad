"""What a model answers, and how fast that changes: checked in one way by everything that asks it."""

from __future__ import annotations

from warnings import warn

import torch
from torch import Tensor

from reseed._errors import InputError


def check_labels(labels: Tensor, name: str, classes: int) -> None:
    """Accept labels that are classes of the model.

    Args:
        labels: Of any shape.
        name: What the argument is called.
        classes: How many classes there are.

    Raises:
        InputError: One is no class.
    """
    is_wrong = (labels < 0) | (labels >= classes)
    if bool(is_wrong.any()):
        raise InputError(
            f"{name} holds {int(labels[is_wrong][0])}, and the model has the classes 0 to {classes - 1}; leave samples "
            "out whose class is not known."
        )


def check_answers(logits: Tensor) -> None:
    """Accept the answers to clean inputs, [..., class].

    Raises:
        InputError: They are not finite.
    """
    if not bool(logits.isfinite().all()):
        raise InputError("model returned NaN or infinite logits for inputs that nothing was done to.")


def warn_of_probabilities(logits: Tensor) -> None:
    """Warn where answers [item, class] seem to be probabilities, along whose gradients nothing is found."""
    if len(logits) > 1 and bool((logits >= 0).all()) and torch.allclose(logits.sum(1), logits.new_ones(()), atol=1e-4):
        warn(
            "model seems to return probabilities (each row is positive and sums to 1); attacks need logits, since "
            "gradients of probabilities vanish where the model is sure.",
            stacklevel=4,
        )


def gradient_of(values: Tensor, points: Tensor, *, again: bool = False) -> Tensor:
    """Return the gradient of each item's value in its point, [item, ...].

    Args:
        values: [item].
        points: [item, ...].
        again: Whether more gradients of the same answers are wanted.

    Raises:
        InputError: The answers do not depend on the points in a way that torch knows.
    """
    found: Tensor | None = None
    if values.requires_grad:
        (found,) = torch.autograd.grad(values.sum(), points, retain_graph=again, allow_unused=True)
    if found is None:
        raise InputError(
            "model gives no gradients, which are needed here; pass a module, or a function that is differentiable, or "
            "ask for what needs none: the attacks square, spsa, nes, boundary or noise, or noise_distance and "
            "noise_flip_rate."
        )
    return found
