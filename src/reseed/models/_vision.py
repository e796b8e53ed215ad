"""Small convolutional networks for small images."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from reseed._errors import ModelError
from reseed.data import Dataset, Splits
from reseed.models._architecture import AbstractArchitecture, Prepared, tensor_inputs, tensor_prepared
from reseed.models._input_layers import input_layers

_VECTOR = 16  # numbers in single precision of the widest vectors that processors have


def norm_layer(kind: str, channels: int) -> nn.Module:
    """Return a layer that normalises images of so many channels; see `ModelConfig.norm`."""
    match kind:
        case "batch":
            return nn.BatchNorm2d(channels)
        case "group":
            return nn.GroupNorm(next(groups for groups in (8, 4, 2, 1) if channels % groups == 0), channels)
        case "layer":
            return nn.GroupNorm(1, channels)
        case _:
            return nn.Identity()


def _convolution(inside: int, outside: int, norm: str, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(inside, outside, 3, stride, padding=1, bias=norm == "none"), norm_layer(norm, outside)]


def _images(dataset: Dataset, model: str) -> Tensor:
    inputs = tensor_inputs(dataset, model)
    if inputs.ndim != 4:
        raise ModelError(
            f"model {model!r} takes images of shape [sample, channel, height, width], but data set "
            f"{dataset.name!r} has inputs of shape {tuple(inputs.shape)}; choose mlp."
        )
    return inputs


@dataclass(frozen=True)
class AbstractImageArchitecture(AbstractArchitecture):
    """What networks on images share: images in, as they are, and layers that crop and whiten them."""

    def prepare(self, splits: Splits, cache: Path | None, announce: Callable[[str], None]) -> Prepared:
        """Use the images as they are, refusing anything else."""
        name = self.config.name
        return tensor_prepared(_images(splits.train, name), _images(splits.evaluation, name), splits.train)

    def build(self, input_shape: tuple[int, ...], num_classes: int) -> nn.Module:
        """Build the layers for images of shape [channel, height, width].

        Raises:
            ModelError: Samples are no images, or too small.
        """
        if len(input_shape) != 3:
            raise ModelError(
                f"model {self.config.name!r} takes images [channel, height, width], but a sample has shape "
                f"{input_shape}; choose mlp."
            )
        first, shape = input_layers(self.config, input_shape)
        return nn.Sequential(*first, *self.layers(shape, num_classes))

    @abstractmethod
    def layers(self, input_shape: tuple[int, ...], num_classes: int) -> list[nn.Module]:
        """Return the layers after those that crop and whiten, for images of shape [channel, height, width]."""


@dataclass(frozen=True)
class Cnn(AbstractImageArchitecture):
    """`cnn`: two blocks of convolution, norm, ReLU and pooling, then one hidden layer."""

    def layers(self, input_shape: tuple[int, ...], num_classes: int) -> list[nn.Module]:
        """Return the layers for images of shape [channel, height, width]."""
        channels, height, width = input_shape
        first, second = self.config.width, 2 * self.config.width
        features = second * (height // 4) * (width // 4)
        if not features:
            raise ModelError(f"model 'cnn' needs images of at least 4 x 4 pixels, got {height} x {width}.")
        dropout = [nn.Dropout(self.config.dropout)] if self.config.dropout else []
        hidden = self.config.hidden[0] if self.config.hidden else 64
        return [
            *_convolution(channels, first, self.config.norm),
            nn.ReLU(),
            nn.MaxPool2d(2),
            *_convolution(first, second, self.config.norm),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(features, hidden),
            nn.ReLU(),
            *dropout,
            nn.Linear(hidden, num_classes),
        ]


def _projection(inside: int, outside: int, stride: int, bias: bool) -> list[nn.Module]:
    """Return layers that take every ``stride``-th pixel in both directions to other channels.

    With channels last and fewer channels than a vector has, oneDNN writes beyond its memory in the backward pass of a
    strided convolution of single pixels (its issue 6035), which ends the process or makes wrong gradients. So the
    pixels are taken first where there are few channels; elsewhere that would only round differently.
    """
    if stride != 1 and inside < _VECTOR:
        return [nn.MaxPool2d(1, stride), nn.Conv2d(inside, outside, 1, bias=bias)]
    return [nn.Conv2d(inside, outside, 1, stride, bias=bias)]


class ResidualBlock(nn.Module):
    """Two convolutions with a skip connection, projected where the shape changes (He et al. 2016)."""

    def __init__(self, inside: int, outside: int, stride: int, norm: str) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(inside, outside, norm, stride), nn.ReLU(), *_convolution(outside, outside, norm)
        )
        changes = stride != 1 or inside != outside
        self.skip: nn.Module = (
            nn.Sequential(*_projection(inside, outside, stride, norm == "none"), norm_layer(norm, outside))
            if changes
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(body(x) + skip(x))."""
        result: Tensor = (self.body(x) + self.skip(x)).relu()
        return result


def residual_branches(model: nn.Module) -> list[list[nn.Linear | nn.Conv2d]]:
    """Return the layers with weights of each residual branch of a model, in order; empty where it has none."""
    blocks = (block for block in model.modules() if isinstance(block, ResidualBlock))
    return [[layer for layer in block.body.modules() if isinstance(layer, nn.Linear | nn.Conv2d)] for block in blocks]


@dataclass(frozen=True)
class Resnet(AbstractImageArchitecture):
    """`resnet`: the CIFAR-scale residual network of He et al. 2016, three stages of (depth - 2) / 6 blocks."""

    def layers(self, input_shape: tuple[int, ...], num_classes: int) -> list[nn.Module]:
        """Return the layers for images of shape [channel, height, width]."""
        width, norm = self.config.width, self.config.norm
        layers: list[nn.Module] = [*_convolution(input_shape[0], width, norm), nn.ReLU()]
        inside = width
        for stage in range(3):
            for block in range((self.config.depth - 2) // 6):
                outside = width * 2**stage
                stride = 2 if stage and not block else 1
                layers.append(ResidualBlock(inside, outside, stride, norm))
                inside = outside
        dropout = [nn.Dropout(self.config.dropout)] if self.config.dropout else []
        return [*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), *dropout, nn.Linear(inside, num_classes)]
