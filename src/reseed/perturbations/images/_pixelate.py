"""Fewer, larger pixels."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from reseed.perturbations.images._draws import Draws
from reseed.perturbations.images._taps import turned


def pixelate(images: Tensor, share: float, draws: Draws, scale: float) -> Tensor:
    """The image on a share of its pixels a side, means over boxes, and back, the nearest box for each pixel."""
    for _ in range(2):
        total = torch.zeros((), dtype=images.dtype, device=images.device)
        size = images.shape[-2]
        for step, (rows, shares) in enumerate(_taps(size, max(1, int(size * share)))):
            part = images.index_select(-2, rows.to(images.device)).mul_(shares.to(images))
            total = part if step == 0 else total.add_(part)
        images = turned(total)
    return images


@lru_cache(maxsize=64)
def _taps(size: int, few: int) -> list[tuple[Tensor, Tensor]]:
    """Return what the mean over the box of each pixel adds up: pixels [pixel], and their shares [pixel, 1]."""
    boxes = _boxes(size, few)
    counts = [stop - start for start, stop in boxes]
    taps = []
    for step in range(max(counts)):
        rows = [start + min(step, count - 1) for (start, _), count in zip(boxes, counts, strict=True)]
        shares = [1 / count if step < count else 0.0 for count in counts]
        taps.append((torch.tensor(rows), torch.tensor(shares, dtype=torch.float64)[:, None]))
    return taps


def _boxes(size: int, few: int) -> list[tuple[int, int]]:
    """Return first and one beyond the last pixel of the box of each pixel, as Pillow's box filter has them."""
    ratio, boxes = size / few, []
    for box in range(few):
        middle = (box + 0.5) * ratio
        near = range(int(middle - ratio / 2 + 0.5), min(size, int(middle + ratio / 2 + 0.5)))
        inside = [pixel for pixel in near if -0.5 < (pixel - middle + 0.5) * (1 / ratio) <= 0.5]
        boxes.append((inside[0], inside[-1] + 1))
    return [boxes[int((place + 0.5) / ratio)] for place in range(size)]
