"""Inputs some samples at a time, in the order of their data set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, RandomSampler, SubsetRandomSampler, WeightedRandomSampler

from reseed._arrays import ArrayLike, brief, to_numpy
from reseed._errors import InputError, InputTypeError
from reseed._numbers import check_whole

_RANDOM = (RandomSampler, SubsetRandomSampler, WeightedRandomSampler)


def batches(inputs: ArrayLike | Iterable[Any], model: nn.Module, batch_size: int) -> Iterator[Tensor]:
    """Yield inputs [sample, ...] some samples at a time, on the model's device and in its precision.

    Args:
        inputs: An array [sample, ...], or an iterable of batches: arrays, (inputs, ...), or (index, inputs, ...) with
            ascending indices of samples.
        model: Who is asked.
        batch_size: Samples at a time of an array.

    Raises:
        InputError: There are no samples, or they come in another order than that of their data set.
        InputTypeError: A batch holds no numbers.
    """
    check_whole("batch_size", batch_size)
    like = next((value for value in model.parameters() if value.is_floating_point()), None)
    found = 0
    for part in _parts(inputs, batch_size):
        found += len(part)
        if like is not None:
            part = part.to(like.device, like.dtype if part.is_floating_point() else part.dtype)
        yield part
    if not found:
        raise InputError(f"inputs hold no samples: {brief(inputs)}; pass [sample, ...] or batches of it.")


def count_of(inputs: ArrayLike, name: str = "inputs") -> tuple[Any, int]:
    """Return inputs as an array or tensor, and how many samples they are.

    Raises:
        InputError: There are none.
    """
    rows = inputs if isinstance(inputs, Tensor) else to_numpy(inputs, name)
    if not rows.ndim or not len(rows):
        raise InputError(f"{name} holds no samples: {brief(rows)}; pass inputs of shape [sample, ...].")
    return rows, len(rows)


def tensor_of(value: Any, name: str) -> Tensor:
    """Return numbers as a tensor without gradient.

    Raises:
        InputTypeError: They are none.
    """
    if isinstance(value, Tensor):
        return value.detach()
    array = np.ascontiguousarray(to_numpy(value, name))
    if array.dtype.kind not in "iufb":
        raise InputTypeError(f"{name} must hold numbers, got {brief(array)}; pass floating-point inputs.")
    if not (array.flags.writeable and array.dtype.isnative):
        array = array.astype(array.dtype.newbyteorder("="))
    return torch.from_numpy(array)


def _parts(inputs: Any, batch_size: int) -> Iterator[Tensor]:
    if _is_array(inputs):
        rows, count = count_of(inputs)
        for start in range(0, count, batch_size):
            yield tensor_of(rows[start : start + batch_size], "inputs")
        return
    if not isinstance(inputs, Iterable):
        raise InputTypeError(f"inputs must be an array or batches, got a {type(inputs).__name__}.")
    _check_in_order(inputs)
    last = -1
    for number, batch in enumerate(inputs):
        index, values = _taken(batch, number)
        if index is not None and len(index):
            if index[0] <= last or (np.diff(index) <= 0).any():
                raise InputError(
                    f"batch {number} has the samples {index.tolist()[:6]} after sample {last}; pass a loader with "
                    "shuffle=False, since results are kept in the order of the data set."
                )
            last = int(index[-1])
        yield values


def _is_array(inputs: Any) -> bool:
    """Tell whether inputs are one array: nested lists of numbers are, a list of arrays, or of lists of such, is not."""
    if isinstance(inputs, list | tuple):
        held = [part for item in inputs for part in (item if isinstance(item, list | tuple) else [item])]
        return not any(isinstance(part, Tensor | np.ndarray) for part in held)
    return isinstance(inputs, Tensor) or hasattr(inputs, "__array__")


def _check_in_order(loader: Any) -> None:
    if not isinstance(loader, DataLoader):
        return
    for sampler in (loader.sampler, getattr(loader.batch_sampler, "sampler", None)):
        if isinstance(sampler, _RANDOM) or getattr(sampler, "shuffle", False) is True:
            raise InputError(
                f"inputs is a loader that shuffles (its sampler is a {type(sampler).__name__}); pass one with "
                "shuffle=False, since results are kept in the order of the data set."
            )


def _taken(batch: Any, number: int) -> tuple[np.ndarray[Any, np.dtype[np.int64]] | None, Tensor]:
    """Return the indices of a batch's samples, None where it has none, and its inputs."""
    if not isinstance(batch, list | tuple):
        return None, _checked(batch, number)
    if not batch:
        raise InputError(f"batch {number} is empty; pass inputs, (inputs, ...) or (index, inputs, ...).")
    first = tensor_of(batch[0], "inputs")
    if len(batch) > 1 and first.ndim == 1 and not first.is_floating_point() and first.dtype != torch.bool:
        second = tensor_of(batch[1], "inputs")
        if len(second) == len(first) and (second.ndim > 1 or second.is_floating_point()):
            return first.cpu().numpy().astype(np.int64), second
    return None, _checked(first, number)


def _checked(values: Any, number: int) -> Tensor:
    found = tensor_of(values, "inputs")
    if not found.ndim:
        raise InputError(f"batch {number} is a single number; pass batches [sample, ...].")
    return found
