"""Networks as modules, and what they answer as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from reseed._errors import InputError, InputTypeError
from reseed.memorization.nodes._given import Array
from reseed.models import Networks


def networks_of(model: nn.Module | Sequence[nn.Module] | Networks) -> tuple[list[nn.Module], bool]:
    """Return networks as modules, and whether it was one without an axis of runs.

    Raises:
        InputError: There is none.
        InputTypeError: One is no module.
    """
    if isinstance(model, nn.Module):
        return [model], True
    if not isinstance(model, Sequence | Networks):
        raise InputTypeError(f"model must be a module or several, got a {type(model).__name__}.")
    found: list[nn.Module] = list(model)
    if not found:
        raise InputError("model holds no networks; pass one module or more.")
    return found, False


def stacked(found: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """Return what several networks' layers have with the run as first axis.

    Raises:
        InputError: Their layers differ.
    """
    shapes = [{name: values.shape for name, values in each.items()} for each in found]
    for run, own in enumerate(shapes):
        if own != shapes[0]:
            raise InputError(f"network {run} has other layers or nodes than the first; pass networks of one kind.")
    return {name: np.stack([each[name] for each in found]) for name in found[0]}


def check_finite(answer: object) -> None:
    """Raise where a network answers something that is no finite number: its nodes would seem to be off."""
    if isinstance(answer, Tensor) and answer.is_floating_point() and not bool(torch.isfinite(answer).all()):
        raise InputError("the network answers NaN or infinity; find the run that diverged, or the input that is none.")


def to_host(values: Tensor) -> Array:
    """Return a tensor as an array."""
    host = values.detach().cpu()
    return (host.float() if host.dtype in (torch.bfloat16, torch.float16) else host).numpy()
