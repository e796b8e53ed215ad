"""Images stretched at random: an affine map of the whole, and small displacements of the parts."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from reseed.perturbations.images._draws import Draws
from reseed.perturbations.images._taps import Weights, blurred, gaussian_weights, mirrored


def elastic_transform(images: Tensor, constants: tuple[float, float, float], draws: Draws, scale: float) -> Tensor:
    """What lies at A(p + d(p)), straight lines between pixels, the image mirrored beyond its edge pixels.

    A moves three corners of a square about the centre by up to the third constant. d is noise between -1 and 1,
    blurred by the second constant, cut at three of them, times the first.
    """
    height, width = images.shape[-2:]
    rows = torch.arange(height, dtype=torch.float32, device=images.device)[:, None] - height // 2
    columns = torch.arange(width, dtype=torch.float32, device=images.device) - width // 2
    strength, sigma, corner = (number * scale for number in constants)
    if strength > 0:
        moved = _smooth(draws.uniform(1, (2, height, width)).mul_(2).sub_(1), sigma).mul_(strength)
        down, right = moved[:, 0] + rows, moved[:, 1] + columns
    else:
        down, right = (part.expand(len(images), height, width) for part in (rows, columns))
    across, along, shift = _inverse(draws.uniform(0, (3, 2)).mul_(2).sub_(1).mul_(corner), min(height, width) // 3)
    right, down = right - shift[:, 0], down - shift[:, 1]
    at_right = right * across[:, 0] + down * along[:, 0] + width // 2
    at_down = right * across[:, 1] + down * along[:, 1] + height // 2
    return read(images, at_down, at_right, mirror=True)


def read(images: Tensor, down: Tensor, right: Tensor, *, mirror: bool = False) -> Tensor:
    """Return what lies at some places: straight lines between pixels.

    Args:
        images: [sample, channel, height, width].
        down: Places along the height in pixels, [sample or 1, height, width].
        right: Places along the width in pixels, [sample or 1, height, width].
        mirror: Whether the image goes on mirrored beyond its edge pixels; else black is there.
    """
    height, width = images.shape[-2:]
    grid = torch.stack([right * (2 / (width - 1)) - 1, down * (2 / (height - 1)) - 1], dim=-1)
    grid = grid.to(images.dtype).expand(len(images), -1, -1, -1)
    return grid_sample(images, grid, padding_mode="reflection" if mirror else "zeros", align_corners=True)


def _inverse(moves: Tensor, square: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the inverse of the affine map that moves (s, s), (s, -s) and (-s, -s) by ``moves`` [sample, corner, xy].

    Returns:
        Its columns and the shift that is taken away first, each [sample, 2, 1, 1].
    """
    first, second, third = moves.unbind(1)
    along = (first - second) / (2 * square)
    across = (second - third) / (2 * square)
    across[:, 0] += 1
    along[:, 1] += 1
    shift = first + square - (across + along) * square
    size = across[:, 0] * along[:, 1] - across[:, 1] * along[:, 0]
    size = torch.where(size.abs() < 0.05, torch.full_like(size, 0.05), size)  # corners that nearly fall on a line
    inverse_across = torch.stack([along[:, 1], -across[:, 1]], dim=1) / size[:, None]
    inverse_along = torch.stack([-along[:, 0], across[:, 0]], dim=1) / size[:, None]
    return inverse_across[..., None, None], inverse_along[..., None, None], shift[..., None, None]


def _smooth(noise: Tensor, sigma: float) -> Tensor:
    weights = gaussian_weights(sigma, 3 * sigma)
    if len(weights) < 2 * min(noise.shape[-2:]):
        return blurred(noise, weights, mirror=True)
    for axis in (-2, -1):  # a kernel wider than the image folds onto it
        folded = _folded(weights, noise.shape[axis])
        total = torch.zeros_like(noise)
        for place, shares in enumerate(folded.T):
            each = torch.from_numpy(shares).to(noise)
            total += noise.narrow(axis, place, 1) * (each[:, None] if axis == -2 else each)
        noise = total
    return noise


def _folded(weights: Weights, size: int) -> Weights:
    """Return the matrix [to, from] of a blur of ``size`` pixels that are mirrored beyond the edges."""
    places = mirrored(size, len(weights) // 2).numpy()
    matrix = np.zeros((size, size))
    for row in range(size):
        np.add.at(matrix[row], places[row : row + len(weights)], weights)
    return matrix
