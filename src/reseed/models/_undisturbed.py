"""Networks that are asked, and are afterwards as they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def undisturbed(models: Sequence[nn.Module], *, gradients: bool = False) -> Iterator[None]:
    """Have modules answer in evaluation mode; modes, buffers and random state are as they were afterwards.

    Args:
        models: What is asked.
        gradients: Whether answers can be differentiated; weights and their gradients are not touched either way.
    """
    modes = {part: part.training for model in models for part in model.modules()}
    buffers = {id(value): (value, value.clone()) for model in models for value in model.buffers()}
    devices = {value.device for model in models for value in model.parameters() if value.device.type == "cuda"}
    try:
        for part in modes:
            part.training = False
        # Random numbers: a loader draws one when it starts, and a function of a stranger's model may draw in any mode.
        with torch.random.fork_rng(devices=list(devices)), torch.set_grad_enabled(gradients):
            yield
    finally:
        for part, mode in modes.items():
            part.training = mode
        with torch.no_grad():
            for value, before in buffers.values():
                if not torch.equal(value, before):
                    value.copy_(before)
