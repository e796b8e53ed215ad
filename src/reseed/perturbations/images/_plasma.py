"""Clouds: random height fields by midpoint displacement in squares and diamonds."""

from __future__ import annotations

import torch
from torch import Tensor

from reseed.perturbations.images._draws import Draws


def plasma(draws: Draws, place: int, size: tuple[int, int], decay: float) -> Tensor:
    """Return height fields from 0 to 1, [sample, 1, height, width].

    The field is made on the next power of two, where it joins itself beyond its edges. Its steps shrink by
    ``decay**2`` from each size of squares to the next: a larger one is smoother.
    """
    height, width = size
    side = 1 << (max(size) - 1).bit_length()
    noise = draws.uniform(place, (side, side)).mul_(2).sub_(1)
    field = torch.zeros_like(noise)
    step, wibble = side, 100.0
    while step >= 2:
        half = step // 2
        drawn = noise * wibble**2
        corners = field[:, ::step, ::step]
        below, right = corners.roll(-1, 1), corners.roll(-1, 2)
        middle = (corners + below + right + below.roll(-1, 2)).div_(4).add_(drawn[:, half::step, half::step])
        field[:, half::step, half::step] = middle
        field[:, ::step, half::step] = (
            (middle + middle.roll(1, 1) + corners + right).div_(4).add_(drawn[:, ::step, half::step])
        )
        field[:, half::step, ::step] = (
            (middle + middle.roll(1, 2) + corners + below).div_(4).add_(drawn[:, half::step, ::step])
        )
        step, wibble = half, wibble / decay
    field -= field.amin(dim=(1, 2), keepdim=True)
    field /= field.amax(dim=(1, 2), keepdim=True)
    return field[:, None, :height, :width]
