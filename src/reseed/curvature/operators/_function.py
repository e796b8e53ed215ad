"""Networks as functions of their weights, of one run or of several at once."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, final, get_args

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.modules.batchnorm import _BatchNorm

from reseed._errors import InputError, InputTypeError
from reseed.models import Networks

Mode = Literal["train", "eval"]
Chosen: TypeAlias = Collection[str] | Callable[[str], bool]

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@final
@dataclass(frozen=True, eq=False)
class WeightFunction:
    """K networks of one architecture as a function of weights, on copies of their own.

    Attributes:
        module: The architecture; its tensors are replaced whenever it is asked.
        shapes: Of the weights that vary, by name, in the order in which a vector holds them.
        constants: All other parameters and buffers, [run, ...].
    """

    module: nn.Module
    shapes: Mapping[str, torch.Size]
    constants: Mapping[str, Tensor]

    def __call__(self, weights: Tensor, runs: slice, inputs: Tensor) -> Tensor:
        """Return outputs [run, sample, ...] of some runs at weights [run, parameter] of theirs."""
        constants = {name: value[runs] for name, value in self.constants.items()}
        if self.module.training:  # batch statistics are written over
            constants = {name: value.clone() for name, value in constants.items()}
        if len(weights) == 1:
            return self._one(weights[0], {name: value[0] for name, value in constants.items()}, inputs)[None]
        with warnings.catch_warnings():
            # Of operations that torch maps by a loop over the runs: slower, but nothing that a user could change.
            warnings.filterwarnings("ignore", "There is a performance drop", UserWarning)
            outputs: Tensor = vmap(self._one, (0, 0, None), randomness="same")(weights, constants, inputs)
            return outputs

    def _one(self, weights: Tensor, constants: dict[str, Tensor], inputs: Tensor) -> Tensor:
        outputs: Tensor = functional_call(self.module, {**self.named(weights), **constants}, (inputs,))
        return outputs

    def named(self, vector: Tensor) -> dict[str, Tensor]:
        """Return the parts of a vector [..., parameter] by name, in their shapes."""
        parts = torch.split(vector, [shape.numel() for shape in self.shapes.values()], -1)
        return {
            name: part.reshape((*part.shape[:-1], *shape))
            for part, (name, shape) in zip(parts, self.shapes.items(), strict=True)
        }


def weight_function(
    model: nn.Module | Networks, chosen: Chosen | None, mode: Mode | None, dtype: torch.dtype | None
) -> tuple[WeightFunction, Tensor]:
    """Return networks as a function of the chosen weights, and these weights, [run, parameter].

    Raises:
        InputError: No weights can be trained, or a name is none of theirs.
        InputTypeError: ``model`` is no module and no `Networks`.
    """
    modules = _copies(model)
    if mode is not None and mode not in get_args(Mode):
        raise InputError(f"mode must be 'train', 'eval' or None, got {mode!r}.")
    first = modules[0] if mode is None else modules[0].train(mode == "train")
    tensors = [dict([*each.named_parameters(), *each.named_buffers()]) for each in modules]
    trainable = [name for name, value in first.named_parameters() if value.requires_grad and value.numel()]
    if not trainable:
        raise InputError(
            f"model, a {type(first).__name__}, has no trainable parameters; pass a network with weights that require "
            "gradients."
        )
    names = chosen_names(trainable, chosen)
    shapes = {name: tensors[0][name].shape for name in names}
    dtype = dtype or tensors[0][names[0]].dtype
    stacked = {name: torch.stack([_as(own[name], dtype) for own in tensors]) for name in tensors[0]}
    weights = torch.cat([stacked.pop(name).reshape(len(modules), -1) for name in names], 1)
    return WeightFunction(_with_affine_norms(first), shapes, stacked), weights


def chosen_names(names: Sequence[str], chosen: Chosen | None) -> list[str]:
    """Return the names that are chosen: by themselves, by the layer that they begin with, or by a function.

    Raises:
        InputError: A name or layer is not among them, or none is chosen.
    """
    if isinstance(chosen, str):
        chosen = (chosen,)
    if chosen is None:
        return list(names)
    if callable(chosen):
        found = [name for name in names if chosen(name)]
    else:
        for one in chosen:
            if not any(_is_in(name, one) for name in names):
                raise InputError(f"parameters has {one!r}, which is none of {', '.join(names[:20])}.")
        found = [name for name in names if any(_is_in(name, one) for one in chosen)]
    if not found:
        raise InputError(f"parameters chooses none of {', '.join(names[:20])}; choose one at least.")
    return found


def _is_in(name: str, layer: str) -> bool:
    return name == layer or name.startswith(f"{layer}.")


def _copies(model: nn.Module | Networks) -> list[nn.Module]:
    if isinstance(model, Networks):
        return list(model)
    if isinstance(model, nn.Module):
        return [copy.deepcopy(model)]
    raise InputTypeError(
        f"model must be a module or reseed.models.Networks, got a {type(model).__name__}; several modules of one "
        "architecture become Networks([...])."
    )


def _as(value: Tensor, dtype: torch.dtype) -> Tensor:
    return value.detach().to(dtype) if value.is_floating_point() else value.detach()


@final
class _AffineNorm(nn.Module):
    """A batch norm in evaluation mode, written as what it then is, whose derivatives are several times faster."""

    def __init__(self, norm: _BatchNorm) -> None:
        super().__init__()
        self._parameters.update(norm._parameters)
        self._buffers.update(norm._buffers)
        self.eps = norm.eps
        self.training = False

    def forward(self, x: Tensor) -> Tensor:
        mean, variance = self.get_buffer("running_mean"), self.get_buffer("running_var")
        weight, bias = self._parameters["weight"], self._parameters["bias"]
        scale = torch.rsqrt(variance + self.eps)
        scale = scale if weight is None else scale * weight
        shift = -mean * scale
        shift = shift if bias is None else shift + bias
        places = (-1, *[1] * (x.ndim - 2))
        return torch.addcmul(shift.view(places), x, scale.view(places))


def _with_affine_norms(module: nn.Module) -> nn.Module:
    """Replace batch norms in evaluation mode, in place."""
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            is_plain = type(child) in _NORMS and not (child._forward_hooks or child._forward_pre_hooks)
            if is_plain and isinstance(child, _BatchNorm) and not child.training and child.running_mean is not None:
                parent._modules[name] = _AffineNorm(child)
    return module
