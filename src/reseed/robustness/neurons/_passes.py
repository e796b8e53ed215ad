"""Batches of inputs through a network, and activations as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from reseed._arrays import ArrayLike, brief, to_numpy
from reseed._errors import InputError
from reseed._numbers import check_whole
from reseed.robustness._inputs import input_tensor

Layers: TypeAlias = Mapping[str, ArrayLike]
Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


def batches(inputs: ArrayLike, name: str, model: nn.Module, batch_size: int) -> Iterator[Tensor]:
    """Yield inputs [sample, ...] some samples at a time, on the model's device and in its precision.

    Raises:
        InputError: There are no samples, or the size of a batch is no positive number.
    """
    check_whole("batch_size", batch_size)
    rows = inputs if isinstance(inputs, torch.Tensor) else to_numpy(inputs, name)
    if not rows.ndim or not len(rows):
        raise InputError(f"{name} holds no samples: {brief(rows)}; pass inputs of shape [sample, ...].")
    like = next((value for value in model.parameters() if value.is_floating_point()), None)
    for start in range(0, len(rows), batch_size):
        some = rows[start : start + batch_size]
        part = input_tensor(some if isinstance(some, torch.Tensor) else np.ascontiguousarray(some), name)
        if like is not None:
            part = part.to(like.device, like.dtype if part.is_floating_point() else part.dtype)
        yield part


def layers_of(activations: Layers | ArrayLike) -> dict[str, Array]:
    """Return activations [sample, neuron] by layer as arrays of floating point; a single array is one layer.

    Raises:
        InputError: A layer has another shape, or values that are no finite numbers, or layers differ in their samples.
    """
    given = activations if isinstance(activations, Mapping) else {"": activations}
    found = {name: _layer(name, value) for name, value in given.items()}
    if not found:
        raise InputError("activations hold no layers; pass an array [sample, neuron] for each.")
    if len({len(values) for values in found.values()}) > 1:
        raise InputError(f"activations are of different samples: {_shapes(found)}; pass those of one batch.")
    return found


def check_same_layers(expected: Mapping[str, Array], found: Mapping[str, Array]) -> None:
    """Accept activations [sample, neuron] of the layers, and of as many neurons, as [neuron] arrays hold.

    Raises:
        InputError: They differ.
    """
    wanted = {name: value.shape[-1] for name, value in expected.items()}
    got = {name: value.shape[-1] for name, value in found.items()}
    if wanted != got:
        raise InputError(f"activations are of the layers {got} (neurons of each), but those before of {wanted}.")


def _layer(name: str, value: ArrayLike) -> Array:
    values = to_numpy(value, f"the activations of layer {name!r}")
    if values.ndim != 2 or not values.shape[1]:
        raise InputError(
            f"the activations of layer {name!r} are {brief(values)}; pass [sample, neuron], "
            "with `reduce='mean'` for instance where neurons have places."
        )
    if values.dtype.kind not in "iufb":
        raise InputError(f"the activations of layer {name!r} are {brief(values)}; pass floating-point numbers.")
    values = values if values.dtype.kind == "f" else values.astype(np.float64)
    if not np.isfinite(values).all():
        sample, neuron = map(int, np.argwhere(~np.isfinite(values))[0])
        raise InputError(
            f"neuron {neuron} of layer {name!r} answers {values[sample, neuron]} for sample {sample} of its batch; "
            "leave out the network or the sample."
        )
    return values


def _shapes(found: Mapping[str, Array]) -> str:
    return ", ".join(f"{name!r} {list(value.shape)}" for name, value in found.items())
