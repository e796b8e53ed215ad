"""The entropy of predicted distributions."""

from __future__ import annotations

import torch
from torch import Tensor

from reseed._errors import InputError, InputTypeError


def entropy(logits: Tensor, dim: int = -1, mask: Tensor | None = None) -> Tensor:
    """Return the entropy of softmax(logits) over classes, in nats, in single precision at least.

        H = -sum_c p[c] log p[c],   0 log 0 = 0

    Args:
        logits: Floats of shape [..., class], or with the classes along ``dim``; -inf is probability zero.
        dim: The axis of the classes.
        mask: Which classes can be predicted at all, booleans of shape [class] or of the logits' shape; the others'
            probability is zero and p sums to one over what is left. Default: all.

    Returns:
        Shape [...], in [0, log K] up to rounding, where K counts classes.

    Raises:
        InputError: There are fewer than two classes, or the mask has another shape or leaves a row without a class.
        InputTypeError: Logits are whole numbers, or the mask is not boolean.

    References:
        Pereyra et al., "Regularizing Neural Networks by Penalizing Confident Output Distributions", ICLR workshop
        2017.

    Examples:
        >>> entropy(torch.zeros(2))
        tensor(0.6931)
        >>> entropy(torch.zeros(3), mask=torch.tensor([True, True, False]))
        tensor(0.6931)
    """
    log_p = log_probabilities(logits, dim, mask)
    return -(log_p.exp() * above_lowest(log_p)).sum(-1)


def log_probabilities(logits: Tensor, dim: int = -1, mask: Tensor | None = None) -> Tensor:
    """Return log softmax(logits) over the classes of a mask, classes last, in single precision at least.

    Args:
        logits: Floats with the classes along ``dim``.
        dim: The axis of the classes.
        mask: See `entropy`.

    Raises:
        InputError: See `entropy`.
        InputTypeError: See `entropy`.
    """
    check_logits(logits, dim)
    logits = logits.movedim(dim, -1)
    if mask is not None:
        logits = logits.masked_fill(~class_mask(mask, logits, dim), -torch.inf)
    return logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(-1)


def above_lowest(log_p: Tensor) -> Tensor:
    """Return finite logarithms: that of probability zero, times zero, is zero and so is its gradient."""
    return log_p.clamp(min=torch.finfo(log_p.dtype).min)


def check_logits(logits: Tensor, dim: int = -1) -> None:
    """Accept floats with two classes or more along an axis.

    Raises:
        InputError: There is no such axis, or it has fewer than two entries.
        InputTypeError: They are no floats.
    """
    if not logits.is_floating_point():
        raise InputTypeError(f"logits must be floating-point numbers, got {logits.dtype}; pass logits.float().")
    if not -logits.ndim <= dim < logits.ndim:
        raise InputError(f"dim={dim} is no axis of logits of shape {tuple(logits.shape)}; pass that of the classes.")
    if logits.shape[dim] < 2:
        raise InputError(
            f"logits of shape {tuple(logits.shape)} must have two classes or more along dim={dim}; give a binary model "
            "two outputs, or pass dim."
        )


def class_mask(mask: Tensor, logits: Tensor, dim: int = -1) -> Tensor:
    """Return a mask that broadcasts to logits [..., class].

    Args:
        mask: Booleans, [class] or of the shape that the logits had before their classes were moved to the end.
        logits: Floats of shape [..., class].
        dim: Where the classes were.

    Raises:
        InputError: The shapes do not fit, or a row has no class.
        InputTypeError: It is not boolean.
    """
    if mask.dtype != torch.bool:
        raise InputTypeError(f"the mask of classes must be boolean, got {mask.dtype}; pass mask != 0.")
    moved = mask if mask.ndim < 2 else mask.movedim(dim, -1) if mask.ndim == logits.ndim else mask
    if moved.shape not in (logits.shape, logits.shape[-1:]):
        raise InputError(
            f"the mask of classes has shape {tuple(mask.shape)}; pass one value for each of {logits.shape[-1]} "
            "classes, or one for each logit."
        )
    if not bool((alive := moved.any(-1)).all()):
        place = tuple(int(axis) for axis in (~alive).nonzero()[0])
        raise InputError(f"the mask of classes leaves no class at position {place}; each row needs one.")
    return moved.to(logits.device)
