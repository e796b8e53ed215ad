"""Blur along a line, as of a camera that moves while its shutter is open."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad


def moved(images: Tensor, radius: float, sigma: float, degrees: Tensor, scale: float) -> Tensor:
    """Return images blurred to one side along a line, each along its own.

    The kernel has 2 * radius + 1 steps of one pixel from the pixel itself outwards, with normal weights that sum to
    one; each step reads the nearest pixel, edge pixels beyond the edge. On smaller images than the constants are for
    the steps are shorter, on larger ones there are more of them.

    Args:
        images: [sample, channel, height, width].
        radius: In pixels of the constants' size.
        sigma: In pixels of the constants' size.
        degrees: The direction from the width towards the height, [sample].
        scale: Pixels of these images to one of the constants' size.
    """
    more, step = max(scale, 1.0), min(scale, 1.0)
    count = 2 * math.ceil(radius * more) + 1
    weights = np.exp(-0.5 * (np.arange(count) / (sigma * more)) ** 2)
    weights /= weights.sum()
    angles = degrees.double().deg2rad()
    steps = torch.arange(count, dtype=torch.float64, device=images.device)[:, None] * step
    down, right = ((steps * turned - 0.5).ceil().long() for turned in (angles.sin(), angles.cos()))
    top, left = max(0, -int(down.min())), max(0, -int(right.min()))
    bottom, beyond = max(0, int(down.max())), max(0, int(right.max()))
    wide = pad(images, (left, beyond, top, bottom), mode="replicate")
    height, width = images.shape[-2:]
    across = wide.shape[-1]
    rows = torch.arange(height, device=images.device)[:, None] * across
    own = (rows + torch.arange(width, device=images.device)).flatten()
    corners = ((down + top) * across).add_(right).add_(left)  # where each one's image begins, [step, sample]
    flat, total = wide.flatten(2), images.flatten(2) * float(weights[0])
    for number in range(1, count):
        read = (own + corners[number][:, None])[:, None].expand(-1, images.shape[1], -1)
        total += flat.gather(2, read).mul_(float(weights[number]))
    return total.view_as(images)
