"""What a model is made of, and which of it a training changes."""

from __future__ import annotations

from torch import Tensor, nn


def tensors_of(model: nn.Module) -> dict[str, Tensor]:
    """Return parameters and buffers by name, each under its first one."""
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


def own_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Return what a training may change, by name: all but the parameters that are frozen.

    Examples:
        >>> model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
        >>> _ = model[0].requires_grad_(False)
        >>> list(own_tensors(model))
        ['1.weight', '1.bias', '1.running_mean', '1.running_var', '1.num_batches_tracked']
    """
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    return {name: tensor for name, tensor in tensors_of(model).items() if name not in frozen}
