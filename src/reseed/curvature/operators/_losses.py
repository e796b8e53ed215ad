"""The loss of several networks on the same samples: of each run, and of each sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor
from torch.func import vmap
from torch.nn import functional

from reseed._errors import InputError

LossName = Literal["cross_entropy", "squared_error"]
Loss: TypeAlias = LossName | Callable[[Tensor, Tensor], Tensor]
"""What is averaged: by name, or a function of outputs and targets that returns the mean over samples, a scalar."""


def check_loss(loss: object) -> None:
    """Accept the name of a loss, or a function.

    Raises:
        InputError: It is neither.
    """
    if not callable(loss) and loss not in get_args(LossName):
        raise InputError(
            f"loss must be 'cross_entropy', 'squared_error' or a function of outputs and targets, got {loss!r}."
        )


def mean_losses(loss: Loss, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return each run's mean loss [run] of outputs [run, sample, ...].

    Raises:
        InputError: A function returns something else than a scalar.
    """
    if isinstance(loss, str):
        return sample_losses(loss, outputs, targets).mean(1)
    each: list[object] = [loss(own, targets) for own in outputs]
    scalars = [value for value in each if isinstance(value, Tensor) and value.ndim == 0]
    if len(scalars) < len(each):
        got = tuple(each[0].shape) if isinstance(each[0], Tensor) else type(each[0]).__name__
        raise InputError(f"loss must return a scalar tensor, got {got}; average it over the samples.")
    return torch.stack(scalars)


def sample_losses(loss: Loss, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the loss of each sample [run, sample] of outputs [run, sample, ...].

    A function is asked about each sample as a batch of one.
    """
    if callable(loss):
        one = vmap(lambda output, target: loss(output[None], target[None]))
        each = torch.stack([one(own, targets) for own in outputs])
        if each.ndim != 2:
            raise InputError(
                f"loss must return a scalar tensor, got {tuple(each.shape[2:])} for one sample; average it over the "
                "samples."
            )
        return each
    if loss == "squared_error":
        return (outputs - _numbers(outputs, targets)).square().flatten(2).mean(2)
    _check_classes(outputs, targets)
    # Classes before samples: torch's softmax over a short last axis is many times slower than over another.
    wanted = targets.long().expand(len(outputs), -1)[:, None]
    return outputs.transpose(1, 2).log_softmax(1).gather(1, wanted)[:, 0].neg()


def _numbers(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return what outputs are compared with; of class labels 1 for the class and 0 for the others."""
    if targets.is_floating_point():
        if targets.shape != outputs.shape[1:]:
            raise InputError(
                f"targets are {tuple(targets.shape)} but outputs are {tuple(outputs.shape[1:])}; pass one number for "
                "each output."
            )
        return targets
    _check_classes(outputs, targets)
    return functional.one_hot(targets.long(), outputs.shape[2]).to(outputs.dtype)


def _check_classes(outputs: Tensor, targets: Tensor) -> None:
    if outputs.ndim != 3 or targets.ndim != 1 or targets.is_floating_point():
        raise InputError(
            f"targets are {tuple(targets.shape)} of {targets.dtype} and outputs {tuple(outputs.shape[1:])}; pass "
            "class labels [sample] to a network with logits [sample, class], or a loss of your own."
        )
    classes = outputs.shape[2]
    if bool((targets < 0).any()) or bool((targets >= classes).any()):
        raise InputError(
            f"targets hold labels from {int(targets.min())} to {int(targets.max())}, but there are {classes} classes; "
            f"pass labels from 0 to {classes - 1}."
        )
