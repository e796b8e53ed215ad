"""K models of one architecture as one module: every layer works on all runs in one call.

Two layouts are used inside: features are [run, sample, feature], images are [sample, run x channel, height, width],
in which convolution, batch norm and group norm of all runs are one call each with K times the channels and groups.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from reseed._errors import ModelError
from reseed.models._input_layers import CenterCrop, PerImageWhitening
from reseed.models._small import Branches
from reseed.models._vision import ResidualBlock

_STATELESS = (nn.ReLU, nn.Identity, nn.MaxPool2d, nn.AdaptiveAvgPool2d, CenterCrop)
_COMPOSITE = (nn.Sequential, ResidualBlock, Branches)
_BEFORE = (CenterCrop, PerImageWhitening)


class StackedLinear(nn.Module):
    """Linear layers of K runs, [run, sample, feature] to [run, sample, feature].

    Weights are kept as [run, in, out], so that neither pass has to transpose them.
    """

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.stack([layer.weight.detach().T for layer in layers]).contiguous())
        self.bias = nn.Parameter(torch.stack([layer.bias.detach() for layer in layers])[:, None])

    def forward(self, x: Tensor) -> Tensor:
        """Return x W + b of each run."""
        return torch.baddbmm(self.bias, x, self.weight)


class StackedFlatten(nn.Module):
    """Flattens each sample, from either layout to features [run, sample, feature].

    Attributes:
        follows_images: Whether what comes in has been the images of all runs.
    """

    def __init__(self, runs: int) -> None:
        super().__init__()
        self.runs, self.follows_images = runs, False

    def forward(self, x: Tensor) -> Tensor:
        """Take images [sample, run x channel, ...] apart; inputs that are [run, sample, ...] already stay so."""
        if self.follows_images and x.ndim == 4:
            return x.view(len(x), self.runs, -1).transpose(0, 1)
        return x.flatten(2)


class StackedByImage(nn.Module):
    """A layer without weights that looks at all channels of an image, in either layout.

    Args:
        layer: Images [..., channel, height, width] to the same.
        runs: How many runs there are.

    Attributes:
        follows_images: Whether images come as [sample, run x channel, height, width].
    """

    def __init__(self, layer: nn.Module, runs: int) -> None:
        super().__init__()
        self.layer, self.runs, self.follows_images = layer, runs, False

    def forward(self, x: Tensor) -> Tensor:
        """Return what the layer makes of each run's images."""
        if not self.follows_images:
            return cast(Tensor, self.layer(x))
        each: Tensor = self.layer(x.reshape(len(x) * self.runs, -1, *x.shape[2:]))
        return each.reshape(len(x), -1, *each.shape[2:])


class StackedModel(nn.Module):
    """K models as one: inputs [run, sample, ...] to logits [run, sample, class].

    Args:
        models: The models of K runs, built by one factory.
        dropout: Makes the module that stands for a dropout of probability p in features [run, sample, feature].

    Attributes:
        runs: How many there are.
        starts_with_images: Whether the first layer that learns is a convolution.

    Raises:
        ModelError: A layer is not one of those that can be stacked; the message names it.
    """

    def __init__(self, models: Sequence[nn.Module], dropout: Callable[[float], nn.Module]) -> None:
        super().__init__()
        self.runs = len(models)
        first = next(module for module in models[0].modules() if not isinstance(module, (*_COMPOSITE, *_BEFORE)))
        self.starts_with_images = isinstance(first, nn.Conv2d)
        self.body = _stacked(models, dropout)
        for layer in self.body.modules():
            if isinstance(layer, StackedFlatten | StackedByImage):
                layer.follows_images = self.starts_with_images

    def forward(self, x: Tensor) -> Tensor:
        """Return logits [run, sample, class]."""
        if self.starts_with_images:
            x = x.transpose(0, 1).flatten(1, 2)
        logits: Tensor = self.body(x)
        return logits

    def state_of(self, run: int, template: nn.Module) -> dict[str, Tensor]:
        """Return parameters and buffers of a run, by the names that they have in a model of its own."""
        state: dict[str, Tensor] = {}
        for place, layer in template.named_modules():
            part = self.body.get_submodule(place)
            for name, value in (*layer.named_parameters(recurse=False), *layer.named_buffers(recurse=False)):
                whole: Tensor = getattr(part, name)
                if isinstance(part, StackedLinear):
                    own = whole[run].T if name == "weight" else whole[run, 0]
                else:
                    own = whole.chunk(self.runs)[run] if value.ndim else whole
                state[f"{place}.{name}".lstrip(".")] = own
        return state


def check_stackable(model: nn.Module) -> None:
    """Accept a model that can be stacked.

    Raises:
        ModelError: A layer cannot; the message names it.
    """
    StackedModel([model], lambda _: nn.Identity())


def _stacked(models: Sequence[nn.Module], dropout: Callable[[float], nn.Module]) -> nn.Module:
    first, runs = models[0], len(models)
    kind = type(first)
    if kind in _COMPOSITE:
        whole = copy.copy(first)
        children = {
            name: _stacked([model.get_submodule(name) for model in models], dropout)
            for name, _ in first.named_children()
        }
        whole._modules = dict(children)
        if isinstance(whole, Branches):
            whole.runs = runs
        return whole
    if kind in _STATELESS:
        return first
    if kind is PerImageWhitening or kind is nn.LocalResponseNorm:
        return StackedByImage(first, runs)
    if isinstance(first, nn.Flatten) and kind is nn.Flatten:
        return StackedFlatten(runs)
    if isinstance(first, nn.Dropout) and kind is nn.Dropout:
        return dropout(first.p)
    if kind is nn.Linear and first.bias is not None:
        return StackedLinear(models)  # type: ignore[arg-type]
    if isinstance(first, nn.Conv2d) and kind is nn.Conv2d and first.groups == 1 and first.padding_mode == "zeros":
        return _with_values_of(
            nn.Conv2d(
                runs * first.in_channels,
                runs * first.out_channels,
                first.kernel_size,  # type: ignore[arg-type]
                first.stride,  # type: ignore[arg-type]
                first.padding,  # type: ignore[arg-type]
                first.dilation,  # type: ignore[arg-type]
                groups=runs,
                bias=first.bias is not None,
            ),
            models,
        )
    if isinstance(first, nn.BatchNorm2d) and kind is nn.BatchNorm2d:
        return _with_values_of(nn.BatchNorm2d(runs * first.num_features, first.eps, first.momentum), models)
    if isinstance(first, nn.GroupNorm) and kind is nn.GroupNorm:
        return _with_values_of(nn.GroupNorm(runs * first.num_groups, runs * first.num_channels, first.eps), models)
    raise ModelError(
        f"runs cannot be stacked: the model has a layer {first} that works on one run at a time only. "
        "Choose the engine serial or processes."
    )


def _with_values_of(whole: nn.Module, models: Sequence[nn.Module]) -> nn.Module:
    """Return ``whole`` with the parameters and buffers of the runs one after the other along the first axis."""
    parts = [model.state_dict() for model in models]
    first = next(models[0].parameters())
    whole.to(first.device, first.dtype)
    whole.load_state_dict(
        {name: torch.cat([part[name] for part in parts]) if value.ndim else value for name, value in parts[0].items()}
    )
    return whole
