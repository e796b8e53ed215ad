"""A trained network with fewer passes over its activations, for whoever asks it many times."""

from __future__ import annotations

import copy
from typing import final

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval

_NORMS: dict[type[nn.Module], type[nn.Module]] = {
    nn.Conv1d: nn.BatchNorm1d,
    nn.Conv2d: nn.BatchNorm2d,
    nn.Conv3d: nn.BatchNorm3d,
}
_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)


_NARROW = 16  # channels below which torch's strided convolutions of single pixels are wrong with channels last


def folded(model: nn.Module) -> nn.Module | None:
    """Return a copy that answers the same up to rounding, in less time; None where nothing can be gained.

    In chains (`nn.Sequential`) batch norms become a part of the convolution before, and ReLU comes after pooling by
    the maximum, which is the same for fewer numbers. On a CPU images are worked through with channels last. Modules
    with hooks are left alone.

    Args:
        model: In evaluation mode. Code that takes single layers out of a chain finds other ones in the copy: compare
            the answers.

    Examples:
        >>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)).eval()
        >>> quick, images = folded(model), torch.rand(2, 1, 8, 8)
        >>> torch.allclose(quick(images), model(images), atol=1e-6)
        True
        >>> folded(nn.Linear(3, 2).eval()) is None
        True
    """
    if any(each.training or each._forward_hooks or each._forward_pre_hooks for each in model.modules()):
        return None
    there = copy.deepcopy(model)
    changed = [_shorten(each) for each in list(there.modules()) if type(each) is nn.Sequential]
    if gains_by_channels_last(there):
        return _ChannelsLast(there).eval()
    return there if any(changed) else None


@final
class _ChannelsLast(nn.Module):
    """A network whose images have their channels last in memory."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model: nn.Module = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of images."""
        logits: Tensor = self.model(x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x)
        return logits


def gains_by_channels_last(model: nn.Module) -> bool:
    """Tell whether a network on images is faster with channels last in memory, and right: on a CPU."""
    convolutions = [each for each in model.modules() if isinstance(each, nn.Conv2d)]
    is_wrong = any(
        set(each.kernel_size) == {1} and set(each.stride) != {1} and each.in_channels < _NARROW for each in convolutions
    )  # oneDNN's issue 6035, see reseed.models._vision
    return bool(convolutions) and not is_wrong and convolutions[0].weight.device.type == "cpu"


def _shorten(chain: nn.Sequential) -> bool:
    """Fold the layers of a chain in place, and tell whether there were some to fold."""
    layers: list[nn.Module] = []
    is_changed = False
    for layer in chain:
        before = layers[-1] if layers else None
        if (
            isinstance(before, nn.Conv1d | nn.Conv2d | nn.Conv3d)
            and isinstance(layer, _BatchNorm)
            and _NORMS.get(type(before)) is type(layer)
            and layer.running_mean is not None
        ):
            layers[-1] = fuse_conv_bn_eval(before, layer)
        elif type(layer) in _POOLS and type(before) is nn.ReLU:
            layers[-1:] = [layer, before]
        else:
            layers.append(layer)
            continue
        is_changed = True
    if is_changed:
        for name in list(chain._modules):
            del chain._modules[name]
        for number, layer in enumerate(layers):
            chain.add_module(str(number), layer)
    return is_changed
