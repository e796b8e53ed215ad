"""Fewer, larger pixels."""

from __future__ import annotations

from torch import Tensor

from reseed.perturbations.images._draws import Draws
from reseed.perturbations.images._taps import means


def pixelate(images: Tensor, share: float, draws: Draws, scale: float) -> Tensor:
    """The image on a share of its pixels a side, means over boxes, and back, the nearest box for each pixel."""
    for axis in (-2, -1):
        size = images.shape[axis]
        images = means(images, _boxes(size, max(1, int(size * share))), axis)
    return images


def _boxes(size: int, few: int) -> list[tuple[int, int]]:
    """Return first and one beyond the last pixel of the box of each pixel, as Pillow's box filter has them."""
    ratio, boxes = size / few, []
    for box in range(few):
        middle = (box + 0.5) * ratio
        near = range(int(middle - ratio / 2 + 0.5), min(size, int(middle + ratio / 2 + 0.5)))
        inside = [pixel for pixel in near if -0.5 < (pixel - middle + 0.5) * (1 / ratio) <= 0.5]
        boxes.append((inside[0], inside[-1] + 1))
    return [boxes[int((place + 0.5) / ratio)] for place in range(size)]
