"""Clean inputs beside changed ones: checked, and a few samples at a time in double precision."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from reseed._arrays import ArrayLike, brief, to_numpy
from reseed._errors import InputError, InputTypeError

Bounds: TypeAlias = tuple[float, float]

_BLOCK = {"cpu": 1 << 15}  # numbers at a time: what stays in a processor's cache
_BLOCK_ELSEWHERE = 1 << 24
_FORGIVEN = 1e-6  # of the width of the bounds


def input_tensor(value: ArrayLike, name: str) -> Tensor:
    """Return inputs as a tensor without gradient; copies nothing where it can."""
    if isinstance(value, Tensor):
        return value.detach()
    array = to_numpy(value, name)
    if array.dtype.kind not in "iufb":
        raise InputTypeError(f"{name} must hold numbers, got {brief(array)}; pass floating-point inputs.")
    return torch.from_numpy(
        array if array.flags.writeable and array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    )


def check_bounds(bounds: Bounds) -> Bounds:
    """Return the lowest and the highest number that an input may hold; raise unless they are two such numbers."""
    try:
        low, high = (float(end) for end in bounds)
    except (TypeError, ValueError):
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InputError(f"bounds={bounds!r} must be two numbers, the lower one first; pass for example (0.0, 1.0).")
    return low, high


def check_floating(value: Tensor, name: str) -> None:
    """Raise on images of whole numbers."""
    if not value.is_floating_point():
        raise InputTypeError(
            f"{name} is {brief(value)}; pass floating-point images, for example `{name} / 255` with bounds=(0.0, 1.0)."
        )


def check_images(value: Tensor, name: str) -> None:
    """Raise unless inputs are images of floating-point numbers."""
    if value.ndim < 3:
        raise InputError(
            f"{name} is {brief(value)}; pass images [sample, channel, height, width] or [sample, height, width], for "
            "example with `reshape`."
        )
    check_floating(value, name)


def check_within(block: Tensor, name: str, bounds: Bounds) -> None:
    """Raise where inputs are not within bounds, NaN among them."""
    if not block.numel():
        return
    low, high = bounds
    least, most = (float(end) for end in block.aminmax())
    slack = _FORGIVEN * (high - low)
    if not (least >= low - slack and most <= high + slack):
        raise InputError(
            f"{name} holds values from {least:.6g} to {most:.6g}, outside bounds=({low:g}, {high:g}); pass the bounds "
            "of these inputs, or inputs before they are normalised."
        )


def sample_shape(clean: Tensor, perturbed: Tensor) -> tuple[int, ...]:
    """Return the axes of the values that pairs of inputs give: [sample], or [run, sample] if runs have their own.

    Raises:
        InputError: The shapes do not fit, or there is no axis beside that of samples.
    """
    if clean.ndim < 2 or (perturbed.shape != clean.shape and perturbed.shape[1:] != clean.shape):
        raise InputError(
            f"clean is {brief(clean)} but perturbed is {brief(perturbed)}; pass [sample, ...] twice, or perturbed "
            "inputs of each run, [run, sample, ...]."
        )
    if clean.device != perturbed.device:
        raise InputError(f"clean is on {clean.device} but perturbed is on {perturbed.device}; pass both on one device.")
    return tuple(perturbed.shape[: perturbed.ndim - clean.ndim + 1])


def value_of_each(
    clean: Tensor,
    perturbed: Tensor,
    measure: Callable[[Tensor, Tensor], Tensor],
    *,
    counted: Bool[np.ndarray, "... sample"] | None,
    check: Bounds | None = None,
    single: bool = False,
) -> Float[np.ndarray, "... sample"]:
    """Return a measure of every pair of inputs, a few pairs at a time.

    Args:
        clean: Inputs [sample, ...].
        perturbed: The same changed, [sample, ...] or [run, sample, ...].
        measure: Two blocks [pair, ...] in double precision to [pair].
        counted: Where the value is wanted; it is NaN where no run's is.
        check: Bounds that both must be within.
        single: Whether inputs in single precision stay so.
    """
    shape = sample_shape(clean, perturbed)
    double = torch.float32 if clean.device.type == "mps" else torch.float64
    within = torch.float32 if single and clean.dtype == perturbed.dtype == torch.float32 else double
    each = perturbed.reshape(-1, *clean.shape)
    wanted = None if counted is None or counted.all() else counted.reshape(-1, len(clean)).any(axis=0)
    rows = torch.arange(len(clean)) if wanted is None else torch.from_numpy(np.flatnonzero(wanted))
    found = torch.full(each.shape[:2], math.nan, dtype=double, device=clean.device)
    step = max(1, _BLOCK.get(clean.device.type, _BLOCK_ELSEWHERE) // max(1, clean[:1].numel()))
    for part in torch.split(rows.to(clean.device), step) if len(rows) else ():
        before = _rows(clean, part, wanted is not None)
        if check is not None:
            check_within(before, "clean", check)
        before = before.to(within)
        for run in range(len(each)):
            others = _rows(each[run], part, wanted is not None)
            if check is not None:
                check_within(others, "perturbed", check)
            found[run, part] = measure(before, others.to(within)).to(double)
    return found.cpu().double().numpy().reshape(shape)


def _rows(values: Tensor, rows: Tensor, scattered: bool) -> Tensor:
    """Return some rows, in one piece where they follow each other; `index_select` is much faster than an index."""
    return values.index_select(0, rows) if scattered else values.narrow(0, int(rows[0]), len(rows))
