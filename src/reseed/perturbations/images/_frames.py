"""The frames of perturbation sequences: one small change of images after the other."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from reseed.perturbations.images._blurs import zoomed
from reseed.perturbations.images._colour import brightness as brightened
from reseed.perturbations.images._draws import Draws
from reseed.perturbations.images._elastic import read
from reseed.perturbations.images._motion import moved
from reseed.perturbations.images._poisson import poisson
from reseed.perturbations.images._taps import pixels
from reseed.perturbations.images._weather import liquid, splashed


def gaussian_noise(images: Tensor, sigma: float, draws: Draws, scale: float, numbers: range) -> Iterator[Tensor]:
    """The image, then the image with normal noise of its own in each frame."""
    for number in numbers:
        noise = draws.normal(number, images.shape[1:]).to(images.dtype) if number else None
        yield images if noise is None else noise.mul_(sigma).add_(images)


def shot_noise(images: Tensor, photons: float, draws: Draws, scale: float, numbers: range) -> Iterator[Tensor]:
    """The image, then photons counted anew in each frame."""
    for number in numbers:
        noise = draws.normal(number, images.shape[1:]).to(images.dtype) if number else None
        yield images if noise is None else poisson(images * photons, noise).div_(photons)


def motion_blur(
    images: Tensor, constants: tuple[float, ...], draws: Draws, scale: float, numbers: range
) -> Iterator[Tensor]:
    """A blur whose direction turns."""
    radius, sigma, turn, last = constants
    for number in numbers:
        degrees = torch.full((len(images),), (number - last) * turn, device=images.device)
        yield moved(images, radius, sigma, degrees, scale)


def zoom_blur(images: Tensor, growth: float, draws: Draws, scale: float, numbers: range) -> Iterator[Tensor]:
    """The mean of the image and of ever larger magnifications."""
    total = images.clone()
    for number in numbers:
        if number:
            total += zoomed(images, 1 + growth * number)
        yield total / (number + 1)


def spatter(
    images: Tensor, constants: tuple[float, ...], draws: Draws, scale: float, numbers: range
) -> Iterator[Tensor]:
    """Drops of water that run down, 0.8 pixels of the constants' size a frame."""
    *noise, strength = constants
    layer = liquid(draws, pixels(images), tuple(noise), scale)
    whole, part = divmod(0.8 * scale, 1.0)
    for _ in numbers:
        yield splashed(images, layer, strength)
        layer = _below(layer, int(whole)) * (1 - part) + _below(layer, int(whole) + 1) * part


def _below(layer: Tensor, rows: int) -> Tensor:
    """Return a layer some rows further down, nothing above it."""
    shifted = torch.zeros_like(layer)
    shifted[..., rows:, :] = layer[..., : layer.shape[-2] - rows, :]
    return shifted


def brightness(images: Tensor, step: float, draws: Draws, scale: float, numbers: range) -> Iterator[Tensor]:
    """From darker to brighter."""
    for number in numbers:
        yield brightened(images, (number - 15) * step, draws, scale)


def translate(images: Tensor, first: float, draws: Draws, scale: float, numbers: range) -> Iterator[Tensor]:
    """From the left to the right, black beyond the edges."""
    down, right = _centred(images)
    for number in numbers:
        yield _read(images, down, right - (number - first) * scale)


def rotate(images: Tensor, step: float, draws: Draws, scale: float, numbers: range) -> Iterator[Tensor]:
    """Clockwise about the centre."""
    down, right = _centred(images)
    for number in numbers:
        angle = math.radians((number - 15) * step)
        cosine, sine = math.cos(angle), math.sin(angle)
        yield _read(images, down * cosine - right * sine, right * cosine + down * sine)


def scaled(
    images: Tensor, constants: tuple[float, float], draws: Draws, scale: float, numbers: range
) -> Iterator[Tensor]:
    """From smaller to larger about the centre, black around it."""
    first, step = constants
    down, right = _centred(images)
    for number in numbers:
        size = first + step * number
        yield _read(images, down / size, right / size)


def tilt(images: Tensor, step: float, draws: Draws, scale: float, numbers: range) -> Iterator[Tensor]:
    """The image as a plane in space, seen from as far as its diagonal is long, which turns about both of its axes."""
    height, width = images.shape[-2:]
    far = math.hypot(width, height)
    down, right = _centred(images)
    for number in numbers:
        angle = math.radians((number - 15) * step)
        cosine, sine = math.cos(angle), math.sin(angle)
        # A point (x, y) is seen at f * (x c, y c - x s s) / (f + y s + x s c), s and c of the one angle of both axes.
        seen = np.array([[cosine, 0, 0], [-sine * sine, cosine, 0], [sine * cosine / far, sine / far, 1.0]])
        x, y, depth = (row[0] * right + row[1] * down + row[2] for row in np.linalg.inv(seen).tolist())
        yield _read(images, y / depth, x / depth)


def _centred(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the places of pixels along height and width, from the image's centre, each [height, width]."""
    height, width = images.shape[-2:]
    down = torch.arange(height, dtype=torch.float64, device=images.device)[:, None] - (height - 1) / 2
    right = torch.arange(width, dtype=torch.float64, device=images.device) - (width - 1) / 2
    return down.expand(height, width), right.expand(height, width)


def _read(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Return what lies at places from the centre, black beyond the edges; where nothing moves the images themselves."""
    own_down, own_right = _centred(images)
    if max((down - own_down).abs().max(), (right - own_right).abs().max()) < 1e-9:
        return images
    height, width = images.shape[-2:]
    return read(images, (down + (height - 1) / 2)[None], (right + (width - 1) / 2)[None])
