"""The small Inception and the small Alexnet of Zhang et al. 2017, for images of 28 x 28 pixels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from reseed.models._vision import AbstractImageArchitecture, norm_layer

_STEM = 96
_STAGES: tuple[tuple[int, ...], ...] = (
    (32, 32),
    (32, 48),
    (80,),
    (112, 48),
    (96, 64),
    (80, 80),
    (48, 96),
    (96,),
    (176, 160),
    (176, 160),
)
"""Channels of the branches of each module: two convolutions side by side, or one that halves the image."""


class Branches(nn.Module):
    """Layers side by side that look at the same images; their channels follow each other.

    Attributes:
        runs: Of how many runs the channels are, see `StackedModel`.
    """

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.runs = 1
        for number, branch in enumerate(branches):
            self.add_module(str(number), branch)

    def forward(self, x: Tensor) -> Tensor:
        """Return the branches' channels, all of a run before those of the next."""
        each = [branch(x).unflatten(1, (self.runs, -1)) for branch in self.children()]
        return torch.cat(each, 2).flatten(1, 2)


def _unit(inside: int, outside: int, side: int, norm: str, stride: int = 1) -> nn.Sequential:
    """Return a convolution, its norm and ReLU; the published numbers of parameters count a bias with norms as well."""
    convolution = nn.Conv2d(inside, outside, side, stride, padding=side // 2)
    return nn.Sequential(convolution, norm_layer(norm, outside), nn.ReLU())


@dataclass(frozen=True)
class SmallInception(AbstractImageArchitecture):
    """`small-inception`: modules of convolutions side by side, between them two that halve the image.

    At 28 x 28 pixels, three channels and 10 classes it has 1,649,402 weights in convolutions and the last layer; those
    of norms come on top. Images of any size work, since the last pool takes the mean over all places.
    """

    def layers(self, input_shape: tuple[int, ...], num_classes: int) -> list[nn.Module]:
        """Return the layers for images of shape [channel, height, width]."""
        norm, inside = self.config.norm, _STEM
        layers: list[nn.Module] = [_unit(input_shape[0], _STEM, 3, norm)]
        for widths in _STAGES:
            if len(widths) == 1:
                layers.append(Branches(_unit(inside, widths[0], 3, norm, stride=2), nn.MaxPool2d(3, 2, padding=1)))
                inside += widths[0]
            else:
                layers.append(Branches(_unit(inside, widths[0], 1, norm), _unit(inside, widths[1], 3, norm)))
                inside = sum(widths)
        dropout = [nn.Dropout(self.config.dropout)] if self.config.dropout else []
        return [*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), *dropout, nn.Linear(inside, num_classes)]


@dataclass(frozen=True)
class SmallAlexnet(AbstractImageArchitecture):
    """`small-alexnet`: two blocks of convolution, pooling and local response normalisation, then three dense layers.

    At 28 x 28 pixels, three channels and 10 classes it has 1,387,786 weights. The normalisation is over nine channels,
    x / (1 + a / 9 * sum of squares)^0.75 with a = 0.001, which is this library's choice.
    """

    def layers(self, input_shape: tuple[int, ...], num_classes: int) -> list[nn.Module]:
        """Return the layers for images of shape [channel, height, width]."""
        inside, height, width = input_shape
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [nn.Conv2d(inside, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1), response_norm()]
            inside, height, width = 64, (height + 1) // 2, (width + 1) // 2
        features = inside * height * width
        layers.append(nn.Flatten())
        for hidden in (384, 192):
            layers += [nn.Linear(features, hidden), nn.ReLU()]
            if self.config.dropout:
                layers.append(nn.Dropout(self.config.dropout))
            features = hidden
        return [*layers, nn.Linear(features, num_classes)]


def response_norm() -> nn.LocalResponseNorm:
    """Return the layer that divides each channel by what its neighbours answer at the same place."""
    return nn.LocalResponseNorm(9, alpha=1e-3, beta=0.75, k=1.0)
