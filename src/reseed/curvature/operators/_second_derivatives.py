"""Which layer of a network cannot be differentiated twice."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn


def layer_without(model: nn.Module, inputs: Tensor) -> str | None:
    """Return the first layer, by name and type, whose gradient cannot be differentiated; None where each can.

    Args:
        model: Its layers are tried one by one, the innermost first.
        inputs: What it is asked, [sample, ...].
    """
    model = copy.deepcopy(model)
    if inputs.is_floating_point():
        model = model.to(inputs.dtype)
    found: list[str] = []

    def hook(name: str) -> Any:
        def look(layer: nn.Module, given: tuple[Any, ...], _: Any) -> None:
            if not found and not _has_second_derivatives(layer, given):
                found.append(f"{name} ({type(layer).__name__})")

        return look

    for name, layer in model.named_modules():
        layer.register_forward_hook(hook(f"{name!r}" if name else "model"))
    with torch.random.fork_rng(devices=[]):
        model(inputs)
    return found[0] if found else None


def _has_second_derivatives(layer: nn.Module, given: tuple[Any, ...]) -> bool:
    own = [
        each.detach().requires_grad_() if isinstance(each, Tensor) and each.is_floating_point() else each
        for each in given
    ]
    leaves = [each for each in (*own, *layer.parameters()) if isinstance(each, Tensor) and each.requires_grad]
    with torch.enable_grad():
        output = layer.forward(*own)
        if not isinstance(output, Tensor) or not output.requires_grad:
            return True
        try:
            gradients = torch.autograd.grad(
                output.square().sum(), leaves, create_graph=True, allow_unused=True, materialize_grads=True
            )
            total = torch.stack([each.square().sum() for each in gradients]).sum()
            if total.requires_grad:
                torch.autograd.grad(total, leaves, allow_unused=True)
        except RuntimeError:
            return False
    return True
