"""The values before the gates of a network."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from torch import nn

from reseed._arrays import ArrayLike
from reseed.memorization.nodes._answers import check_finite, to_host
from reseed.memorization.nodes._batches import batches
from reseed.memorization.nodes._gates import gates_of, recording
from reseed.memorization.nodes._given import Array
from reseed.models import Modules, undisturbed


def pre_activations(
    model: nn.Module,
    inputs: ArrayLike | Iterable[Any],
    layers: Modules = None,
    threshold: float | None = None,
    *,
    batch_size: int = 1024,
) -> dict[str, Array]:
    """Return the values before the gates of a network, whose signs are its sample sets.

    The value of a channel of a convolution is the largest over its positions, so that it is above the threshold where
    any position is.

    Args:
        model: One network.
        inputs: As `sample_sets` takes them.
        layers: As `sample_sets` takes them.
        threshold: As `sample_sets` takes it; only whether it is given matters here.
        batch_size: Samples at a time of an array.

    Returns:
        [sample, node] by layer, in the network's precision. Memory is that of all samples times all nodes.

    Raises:
        InputError: As `sample_sets` raises it.
        InputTypeError: The model is no module.

    Examples:
        >>> import torch
        >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
        >>> pre_activations(model, torch.rand(5, 2))["1"].shape
        (5, 3)
    """
    gates = gates_of(model, layers, threshold)
    parts: list[dict[str, Array]] = []
    with undisturbed([model]), recording(model, gates, "max") as take:
        for part in batches(inputs, model, batch_size):
            check_finite(model(part))
            parts.append({name: to_host(values) for name, values in take().items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
