"""Which layer of a network cannot be differentiated twice."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from reseed._errors import InputError

_FAILING = ("Error", "NotImplemented")  # what autograd puts where a derivative does not exist, by its name there


def check_second_derivatives(gradient: Tensor, model: nn.Module, inputs: Tensor) -> None:
    """Accept a gradient that can be differentiated everywhere.

    Where it cannot, autograd fails only if the way to the weights leads through there; else it leaves out a part.

    Args:
        gradient: With its graph.
        model: Whose, to name the layer.
        inputs: What it is asked, [sample, ...].

    Raises:
        InputError: It cannot; the message names the layer.
    """
    if _is_whole(gradient):
        return
    raise InputError(
        f"model has no second derivatives in its layer {_layer_without(model, inputs)}; replace it by one whose "
        "gradient can be differentiated, written in torch's own operations."
    )


def _is_whole(gradient: Tensor) -> bool:
    """Tell whether no derivative is missing in the graph of a gradient."""
    waiting, seen = [gradient.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        if node.name().rpartition(":")[2] in _FAILING:
            return False
        seen.add(node)
        waiting += [before for before, _ in node.next_functions]
    return True


def _layer_without(model: nn.Module, inputs: Tensor) -> str:
    """Return the first layer, by name and type, whose gradient cannot be differentiated.

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
    return found[0] if found else f"{type(model).__name__} or in the loss"


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
        gradients = torch.autograd.grad(output.square().sum(), leaves, create_graph=True, allow_unused=True)
    found: list[Tensor | None] = list(gradients)
    return all(each is None or _is_whole(each) for each in found)
