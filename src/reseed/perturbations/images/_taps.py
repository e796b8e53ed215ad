"""Blur kernels, and weighted sums of shifted images.

Sums are written as elementwise operations, not as convolutions or matrix products: those of libraries choose their
order of summation by the size of the batch, and a sample would not come out the same, to the bit, in every batch.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import pad

Weights = npt.NDArray[np.float64]


def gaussian_weights(sigma: float, reach: float) -> Weights:
    """Return normal weights at whole pixels up to ``reach``, which sum to one, [2 * radius + 1]."""
    radius = int(reach + 0.5)
    if sigma <= 0 or radius == 0:
        return np.ones(1)
    weights: Weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    result: Weights = weights / weights.sum()
    return result


def scaled_gaussian(sigma: float, scale: float, truncate: float = 4.0) -> Weights:
    """Return normal weights for images ``scale`` times as large as those that ``sigma`` is for.

    On smaller images the weights are moved to where they belong and shared between the two nearest pixels, so that a
    kernel narrower than a pixel still blurs.
    """
    if scale >= 1:
        return gaussian_weights(sigma * scale, truncate * sigma * scale)
    weights = gaussian_weights(sigma, truncate * sigma)
    return _moved(len(weights), scale) @ weights


def scaled_disk(radius: float, alias: float, scale: float) -> Weights:
    """Return the kernel of a lens out of focus: a disk, its edge softened by a narrow normal blur, [side, side]."""
    if scale >= 1:
        return _disk(radius * scale, alias * scale, scale)
    kernel = _disk(radius, alias, 1.0)
    moved = _moved(len(kernel), scale)
    return moved @ kernel @ moved.T


def _disk(radius: float, alias: float, scale: float) -> Weights:
    soft = round((1 if radius <= 8 * scale else 2) * scale)
    reach = int(radius) + soft
    squares = np.arange(-reach, reach + 1) ** 2
    disk = (squares[:, None] + squares <= radius**2).astype(np.float64)
    edge = gaussian_weights(alias, soft)
    for axis in (0, 1):
        disk = np.apply_along_axis(np.convolve, axis, disk, edge, mode="same")
    result: Weights = disk / disk.sum()
    return result


def _moved(count: int, scale: float) -> Weights:
    """Return the matrix that shares weights at ``scale`` times whole offsets among whole pixels, [pixel, weight]."""
    offsets = (np.arange(count) - count // 2) * scale
    radius = math.ceil(abs(offsets[0]) - 1e-9)
    shares: Weights = np.maximum(0.0, 1.0 - np.abs(np.arange(-radius, radius + 1)[:, None] - offsets))
    return shares


def mirrored(size: int, radius: int) -> Tensor:
    """Return the pixels at -radius .. size + radius - 1 where edges are mirrors that repeat the edge pixel."""
    places = np.arange(-radius, size + radius) % (2 * size)
    return torch.from_numpy(np.minimum(places, 2 * size - 1 - places))


def pixels(images: Tensor) -> tuple[int, int]:
    """Return height and width."""
    return images.shape[-2], images.shape[-1]


def along(images: Tensor, weights: Weights, axis: int, *, mirror: bool = False) -> Tensor:
    """Return images blurred by symmetric weights along their height (-2) or width (-1).

    Args:
        images: [..., height, width].
        weights: [2 * radius + 1].
        axis: Which of the two last axes.
        mirror: Whether the image goes on mirrored beyond its edges; else its edge pixels go on.
    """
    radius, size = len(weights) // 2, images.shape[axis]
    if radius == 0:
        return images
    if mirror:
        wide = images.index_select(axis, mirrored(size, radius).to(images.device))
    else:
        wide = pad(images, (radius, radius, 0, 0) if axis == -1 else (0, 0, radius, radius), mode="replicate")
    total = wide.narrow(axis, radius, size) * float(weights[radius])
    for distance in range(1, radius + 1):
        both = wide.narrow(axis, radius - distance, size) + wide.narrow(axis, radius + distance, size)
        total += both.mul_(float(weights[radius + distance]))
    return total


def blurred(images: Tensor, weights: Weights, *, mirror: bool = False) -> Tensor:
    """Return images blurred by symmetric weights along height and width; see `along`."""
    return along(along(images, weights, -2, mirror=mirror), weights, -1, mirror=mirror)


def weighted(images: Tensor, kernel: Weights) -> Tensor:
    """Return images blurred by a kernel [side, side]; what lies beyond an edge is the image mirrored at its pixels."""
    radius = len(kernel) // 2
    height, width = images.shape[-2:]
    wide = pad(images, (radius,) * 4, mode="reflect")
    flat = np.round(kernel, 12)
    total = torch.zeros_like(images)
    for weight in np.unique(flat[flat > 0]):
        (row, column), *others = np.argwhere(flat == weight).tolist()
        group = wide[..., row : row + height, column : column + width].clone()
        for row, column in others:  # one multiplication for all that weigh the same
            group += wide[..., row : row + height, column : column + width]
        total += group.mul_(float(weight))
    return total


def turned(images: Tensor) -> Tensor:
    """Return images with height and width exchanged, in memory too: whole rows are read faster than columns."""
    return images.transpose(-1, -2).contiguous()


def between(images: Tensor, places: npt.NDArray[np.floating]) -> Tensor:
    """Return what lies at some places, in pixels, along the height: straight lines between pixels, edges beyond."""
    size = images.shape[-2]
    places = np.clip(places, 0, size - 1)
    low = np.minimum(np.floor(places).astype(np.int64), max(size - 2, 0))
    shares = torch.from_numpy(places - low).to(images)[:, None]
    first = images.index_select(-2, torch.from_numpy(low).to(images.device))
    second = images.index_select(-2, torch.from_numpy(np.minimum(low + 1, size - 1)).to(images.device))
    return second.sub_(first).mul_(shares).add_(first)
