"""What is done to images before the first layer that learns: a crop of the centre, whitening of each by itself.

Both are layers of the network, so that whoever asks it, attacks it or exports it deals with images in [0, 1].
"""

from __future__ import annotations

from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from reseed._arguments import recipe_field
from reseed._arrays import ArrayLike, Result, brief, give_back, to_numpy
from reseed._errors import InputError, ModelError
from reseed._numbers import check_whole
from reseed.models._config import ModelConfig


def per_image_whitening(images: ArrayLike) -> Result:
    """Return images of which each has mean 0 and standard deviation 1 over all its pixels and channels.

        (x - mean(x)) / max(std(x), 1 / sqrt(numbers of x))

    with the standard deviation of the population. An image of one value everywhere becomes zeros.

    Args:
        images: [..., channel, height, width], floating-point numbers.

    Returns:
        The same shape and precision; a tensor, differentiable in the images, where they are one.

    Raises:
        InputError: They are no such numbers.

    Examples:
        >>> per_image_whitening([[[0.0, 1.0], [1.0, 0.0]]])
        array([[[-1.,  1.],
                [ 1., -1.]]])
    """
    return give_back_images(_whitened(_images(images)), images)


def center_crop(images: ArrayLike, side: int) -> Result:
    """Return the square of ``side`` pixels in the middle of each image.

    Where what is left over is odd, the smaller part is at the top and at the left.

    Args:
        images: [..., channel, height, width], floating-point numbers.
        side: Height and width of what is kept.

    Returns:
        [..., channel, side, side]; a tensor, differentiable in the images, where they are one.

    Raises:
        InputError: Images are no such numbers, or smaller than that.

    Examples:
        >>> center_crop(torch.rand(8, 3, 32, 32), 28).shape
        torch.Size([8, 3, 28, 28])
    """
    check_whole("side", side)
    given = _images(images)
    height, width = given.shape[-2:]
    if side > min(height, width):
        raise InputError(f"side must be at most {min(height, width)} for images of {height} x {width}, got {side}.")
    return give_back_images(_cropped(given, side), images)


def give_back_images(result: Tensor, images: ArrayLike) -> Result:
    """Return a tensor where images are one, else an array."""
    return result if isinstance(images, Tensor) else give_back(result.numpy())


@final
class CenterCrop(nn.Module):
    """A layer that keeps the square in the middle of images [..., channel, height, width]; see `center_crop`."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        """Return the images' middle."""
        return _cropped(x, self.side)

    def extra_repr(self) -> str:
        """Return the side."""
        return str(self.side)


@final
class PerImageWhitening(nn.Module):
    """A layer that whitens images [..., channel, height, width], see `per_image_whitening`."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the whitened images."""
        return _whitened(x)


def input_layers(config: ModelConfig, input_shape: tuple[int, ...]) -> tuple[list[nn.Module], tuple[int, ...]]:
    """Return the layers that a config wants before all others, and the shape of one sample that comes out of them.

    Raises:
        ModelError: There are some and samples are no images, or images are smaller than the crop.
    """
    layers: list[nn.Module] = []
    if config.crop is None and not config.whiten:
        return layers, input_shape
    if len(input_shape) != 3:
        option = "crop" if config.crop is not None else "whiten"
        raise ModelError(
            f"{recipe_field(f'model.{option}')} is for images, but a sample has shape {input_shape}; leave it out."
        )
    if config.crop is not None:
        channels, height, width = input_shape
        if config.crop > min(height, width):
            raise ModelError(
                f"{recipe_field('model.crop')} must be at most {min(height, width)} for images of {height} x {width}, "
                f"got {config.crop}."
            )
        layers.append(CenterCrop(config.crop))
        input_shape = (channels, config.crop, config.crop)
    if config.whiten:
        layers.append(PerImageWhitening())
    return layers, input_shape


def _images(images: ArrayLike) -> Tensor:
    given = images if isinstance(images, Tensor) else torch.from_numpy(np.ascontiguousarray(to_numpy(images, "images")))
    if given.ndim < 3 or not given.is_floating_point():
        raise InputError(
            f"images must be floating-point numbers [..., channel, height, width], got {brief(given)}; divide whole "
            "numbers by 255."
        )
    if not given.shape[-3:].numel():
        raise InputError(f"images have no pixels, got {brief(given)}.")
    return given


def _whitened(images: Tensor) -> Tensor:
    centred = images - images.mean((-3, -2, -1), keepdim=True)
    variance = centred.square().mean((-3, -2, -1), keepdim=True)
    # The bound is put on the variance, since the derivative of a root at zero is infinite.
    return centred / variance.clamp_min(1 / images.shape[-3:].numel()).sqrt()


def _cropped(images: Tensor, side: int) -> Tensor:
    top, left = (images.shape[-2] - side) // 2, (images.shape[-1] - side) // 2
    return images[..., top : top + side, left : left + side]
