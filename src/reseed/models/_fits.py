"""Whether a model's weights fit into this machine, before they are drawn."""

from __future__ import annotations

from functools import lru_cache

import torch

from reseed._arguments import argument
from reseed._bounds import machine_bytes, shown
from reseed._errors import ModelError
from reseed.models._architecture import AbstractArchitecture


@lru_cache(maxsize=64)
def check_fits(architecture: AbstractArchitecture, input_shape: tuple[int, ...], num_classes: int) -> None:
    """Accept a model of reseed's own that can be drawn; of foreign code nobody knows before it has run.

    Raises:
        ModelError: Two of them, which is what training takes at least, are larger than the machine's memory.
    """
    if not architecture.is_native:
        return
    with torch.random.fork_rng(devices=[]), torch.device("meta"):  # shapes without memory
        weights = list(architecture.build(input_shape, num_classes).parameters())
    count, memory = sum(weight.numel() for weight in weights), machine_bytes()
    needed = 2 * sum(weight.nbytes for weight in weights)
    if needed > memory:
        raise ModelError(
            f"model {architecture.config.name!r} of these sizes has {shown(count)} weights for inputs of shape "
            f"{input_shape} and {num_classes} classes, {needed / 2**30:,.0f} GiB with their gradients, but this "
            f"machine has {memory / 2**30:,.0f} GiB. Make it smaller: {argument('hidden')}, {argument('width')}, "
            f"{argument('depth')} or {argument('vocabulary')}."
        )
