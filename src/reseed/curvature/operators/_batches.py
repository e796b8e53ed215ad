"""What a loss is averaged over: samples and their targets, in batches of any size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from reseed._arrays import ArrayLike, to_numpy
from reseed._errors import InputError, InputTypeError
from reseed._numbers import check_whole

Pairs: TypeAlias = Iterable[tuple[ArrayLike, ArrayLike]]


class Batch(NamedTuple):
    """Samples that are worked through at once, and which share of all samples they are."""

    inputs: Tensor
    targets: Tensor
    share: float


def batches_of(
    inputs: ArrayLike | Pairs,
    targets: ArrayLike | None,
    batch_size: int | None,
    device: torch.device,
    dtype: torch.dtype,
) -> tuple[Batch, ...]:
    """Return all samples in batches on a device, numbers with a point in ``dtype``.

    A loader is asked once, and what it draws leaves the global generator as it was.

    Raises:
        InputError: There are no samples, or not as many targets.
        InputTypeError: ``targets`` are missing and ``inputs`` are no batches.
    """
    pairs = _pairs(inputs, targets, batch_size)
    found = [(_placed(x, device, dtype), _placed(y, device, dtype)) for x, y in pairs]
    found = [(x, y) for x, y in found if len(x)]
    count = sum(len(x) for x, _ in found)
    if not count:
        raise InputError("inputs hold no samples; a curvature is a mean over one sample at least.")
    return tuple(Batch(x, y, len(x) / count) for x, y in found)


def with_channels_last(batch: Batch) -> Batch:
    """Return the same samples; images have their channels last in memory."""
    if batch.inputs.ndim != 4:
        return batch
    return batch._replace(inputs=batch.inputs.contiguous(memory_format=torch.channels_last))


def _pairs(inputs: ArrayLike | Pairs, targets: ArrayLike | None, batch_size: int | None) -> list[tuple[Tensor, Tensor]]:
    if batch_size is not None:
        check_whole("batch_size", batch_size)
    if targets is None:
        return _loaded(inputs)
    x, y = as_tensor(inputs, "inputs"), as_tensor(targets, "targets")
    check_as_many(x, y)
    rows = batch_size or max(1, len(x))
    return list(zip(torch.split(x, rows), torch.split(y, rows), strict=True))


def _loaded(batches: object) -> list[tuple[Tensor, Tensor]]:
    if isinstance(batches, Tensor) or not isinstance(batches, Iterable):
        raise InputTypeError(
            f"targets are missing and inputs are a {type(batches).__name__}; pass inputs and targets, or an iterable "
            "of batches (inputs, targets)."
        )
    found = []
    with torch.random.fork_rng(devices=[]):  # a loader draws a number when it starts
        for batch in batches:
            if not isinstance(batch, tuple | list) or len(batch) != 2:
                raise InputTypeError(f"a batch is a {type(batch).__name__}; pass batches (inputs, targets).")
            x, y = as_tensor(batch[0], "inputs"), as_tensor(batch[1], "targets")
            check_as_many(x, y)
            found.append((x, y))
    return found


def check_as_many(x: Tensor, y: Tensor) -> None:
    """Accept as many targets as there are inputs.

    Raises:
        InputError: There are more or fewer.
    """
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y):
        raise InputError(
            f"targets are {tuple(y.shape)} but inputs are {tuple(x.shape)}; pass one target for each sample."
        )


def as_tensor(value: object, name: str) -> Tensor:
    """Return numbers as a tensor without a graph."""
    if isinstance(value, Tensor):
        return value.detach()
    return torch.from_numpy(to_numpy(value, name).copy())  # type: ignore[arg-type]


def _placed(value: Tensor, device: torch.device, dtype: torch.dtype) -> Tensor:
    return value.to(device, dtype) if value.is_floating_point() else value.to(device)
