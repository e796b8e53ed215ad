"""Distributions over classes that do not depend on the sample: how often each class occurs, and distances to them."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from reseed._errors import InputError, InputTypeError
from reseed._numbers import is_whole
from reseed._simplex import check_simplex
from reseed.mitigations._entropy import above_lowest, class_mask, log_probabilities


def class_prior(labels: Any, num_classes: int, pseudocount: float = 0.0, ignore_index: int = -100) -> Tensor:
    """Return how often each class occurs among labels.

        r[c] = (n[c] + a) / (N + a K)

    n counts labels, N all of them, a is the pseudocount and K counts classes. A class that never occurs has r = 0
    unless there is a pseudocount.

    Args:
        labels: Whole numbers of any shape: an array, a tensor or a list.
        num_classes: K.
        pseudocount: a, zero or more.
        ignore_index: The label of positions that do not count, such as padding.

    Returns:
        Floats [class] that sum to one, on the device of the labels.

    Raises:
        InputError: No label counts, or one is no class, or the number of classes or the pseudocount is out of range.
        InputTypeError: Labels are no whole numbers.

    Examples:
        >>> class_prior([0, 2, 2, 2], 3)
        tensor([0.2500, 0.0000, 0.7500], dtype=torch.float64)
    """
    if not is_whole(num_classes) or num_classes < 2:
        raise InputError(f"num_classes must be 2 or more, got {num_classes!r}.")
    if not 0 <= pseudocount < float("inf"):
        raise InputError(f"pseudocount must be zero or more, got {pseudocount!r}.")
    found = torch.as_tensor(labels)
    if found.numel() and (found.is_floating_point() or found.dtype == torch.bool):
        raise InputTypeError(f"labels must be whole numbers, got {found.dtype}; pass class indices.")
    counted = found[found != ignore_index].long()
    if not counted.numel():
        raise InputError(f"labels of shape {tuple(found.shape)} hold none that counts; pass those of the training set.")
    check_labels(counted, num_classes, "labels", ignore_index)
    precision = torch.float32 if counted.device.type == "mps" else torch.float64
    counts = torch.bincount(counted, minlength=num_classes).to(precision) + pseudocount
    return counts / counts.sum()


def kl_to_prior(
    logits: Tensor,
    prior: Any = None,
    direction: Literal["forward", "reverse"] = "forward",
    dim: int = -1,
    mask: Tensor | None = None,
) -> Tensor:
    """Return the Kullback-Leibler divergence between predictions and a given distribution, in nats.

        forward:  KL(r || p) = sum_c r[c] (log r[c] - log p[c])
        reverse:  KL(p || r) = sum_c p[c] (log p[c] - log r[c])

    With r uniform over K classes, label smoothing is (1 - epsilon) CE + epsilon (KL(r || p) + log K), and the
    confidence penalty is CE + beta (KL(p || r) - log K).

    Args:
        logits: Floats of shape [..., class], or with the classes along ``dim``; p is their softmax.
        prior: r, probabilities [class] or, for a teacher's, of the logits' shape; default: uniform.
        direction: ``forward`` or ``reverse``.
        dim: The axis of the classes.
        mask: Which classes can be predicted at all, see `entropy`; r is divided by its sum over them.

    Returns:
        Shape [...], zero or more up to rounding; infinite in reverse where r rules out what p allows.

    Raises:
        InputError: The direction is unknown, shapes do not fit, or the prior is no distribution or has no mass in the
            mask.
        InputTypeError: Logits are whole numbers, or the mask is not boolean.

    References:
        Pereyra et al., "Regularizing Neural Networks by Penalizing Confident Output Distributions", ICLR workshop
        2017.

    Examples:
        >>> kl_to_prior(torch.zeros(2), torch.tensor([0.75, 0.25]))
        tensor(0.1308)
    """
    if direction not in ("forward", "reverse"):
        raise InputError(f"direction must be 'forward' or 'reverse', got {direction!r}.")
    log_p = log_probabilities(logits, dim, mask)
    valid = None if mask is None else class_mask(mask, log_p, dim)
    if isinstance(prior, Tensor) and prior.ndim == logits.ndim > 1:
        prior = prior.movedim(dim, -1)
    r = prior_of(prior, log_p, valid)
    if direction == "forward":
        return (torch.xlogy(r, r) - r * log_p.masked_fill(r == 0, 0.0)).sum(-1)
    p = log_p.exp()
    return (p * above_lowest(log_p) - torch.xlogy(p, r)).sum(-1)


def prior_of(prior: Any, log_p: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return a distribution over classes that broadcasts to log-probabilities [..., class].

    Args:
        prior: Probabilities [class] or [..., class]; None for uniform.
        log_p: Decides number of classes, precision and device.
        valid: Booleans [..., class] outside which the prior has no mass; what is left is divided by its sum.

    Raises:
        InputError: It is no distribution over these classes, or has no mass where there must be some.
    """
    classes = log_p.shape[-1]
    if prior is None:
        found = log_p.new_full((classes,), 1 / classes)
    else:
        found = torch.as_tensor(prior).detach()
        if found.shape not in (log_p.shape[-1:], log_p.shape):
            raise InputError(
                f"prior has shape {tuple(found.shape)}; pass one probability for each of {classes} classes."
            )
        check_simplex(found.cpu().double().numpy(), "prior")
        found = found.to(log_p.device, log_p.dtype)
    if valid is None:
        return found
    found = found * valid
    mass = found.sum(-1, keepdim=True)
    if not bool((mass > 0).all()):
        raise InputError("prior has no mass on the classes that the mask allows; add a pseudocount, or widen the mask.")
    return found / mass


def check_labels(labels: Tensor, num_classes: int, name: str, ignore_index: int) -> None:
    """Accept class indices.

    Raises:
        InputError: Naming the first that is none.
    """
    outside = (labels < 0) | (labels >= num_classes)
    if bool(outside.any()):
        raise InputError(
            f"{name} must lie in 0..{num_classes - 1}, got {int(labels[outside][0])}; mark positions that do not count "
            f"with ignore_index={ignore_index}."
        )
