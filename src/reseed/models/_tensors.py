"""What a model is made of, and which of it a training changes."""

from __future__ import annotations

from collections.abc import Mapping

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


def first_difference(there: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> tuple[str, str, str] | None:
    """Return the first name at which tensors differ in type or shape, with what stands there on either side.

    Examples:
        >>> first_difference(own_tensors(nn.Linear(2, 3)), own_tensors(nn.Linear(2, 4)))
        ('bias', 'float32 [3]', 'float32 [4]')
    """
    for name in sorted(there.keys() | wanted.keys()):
        one, other = (_shown(tensors.get(name)) for tensors in (there, wanted))
        if one != other:
            return name, one, other
    return None


def _shown(tensor: Tensor | None) -> str:
    return "missing" if tensor is None else f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
