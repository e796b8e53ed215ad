"""Losses of JPEG: many images through one file, each as it comes back from a file of its own.

A block of 8 x 8 values is coded alone, so that images below each other in one picture of grey values come back as
they would alone. Colours are written as three such planes: what libjpeg does before and after, conversion to
luma and chroma, halving the chroma and doubling it again, is whole-number arithmetic, done here as libjpeg-turbo does.
"""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import Any

import torch
from torch import Tensor

from reseed.perturbations.images._draws import Draws

_TALLEST = 65_000  # a JPEG has at most 65,500 rows
_BLOCK = 8


def jpeg_compression(images: Tensor, quality: int, draws: Draws, scale: float) -> Tensor:
    """The image, in 8 bits a value, as it comes back from a JPEG file of a quality.

    Three channels are colours, with chroma of half the resolution; of another number each is an image of its own.
    """
    values = (images * 255).round_().to("cpu", torch.int32)
    luma, chroma = _tables(quality)
    back = _in_colour(values, luma, chroma) if images.shape[1] == 3 else _coded(values.flatten(0, 1), luma)
    return back.view(images.shape).to(images.device, images.dtype).div_(255)


@lru_cache(maxsize=32)
def _tables(quality: int) -> tuple[list[int], list[int]]:
    """Return the quantisation tables of luma and chroma that a quality stands for."""
    from PIL import Image

    file = BytesIO()
    Image.new("RGB", (_BLOCK, _BLOCK)).save(file, "JPEG", quality=quality)
    found: Any = Image.open(file)
    return list(found.quantization[0]), list(found.quantization[1])


def _coded(planes: Tensor, table: list[int]) -> Tensor:
    """Return planes of bytes after a JPEG file, [plane, height, width]."""
    from PIL import Image

    count, height, width = planes.shape
    whole = _continued(planes, -width % _BLOCK, -height % _BLOCK).to(torch.uint8)
    parts, most = [], max(1, _TALLEST // whole.shape[1])
    for start in range(0, count, most):
        file = BytesIO()
        Image.fromarray(whole[start : start + most].flatten(0, 1).numpy()).save(file, "JPEG", qtables=[table])
        with Image.open(file) as opened:
            parts.append(torch.frombuffer(bytearray(opened.tobytes()), dtype=torch.uint8))
    return torch.cat(parts).view(whole.shape)[:, :height, :width].to(torch.int32).view(count, height, width)


def _continued(planes: Tensor, right: int, below: int) -> Tensor:
    """Return planes with some more columns and rows, copies of the last ones."""
    if right:
        planes = torch.cat([planes, planes[..., -1:].expand(-1, -1, right)], dim=2)
    if below:
        planes = torch.cat([planes, planes[:, -1:].expand(-1, below, -1)], dim=1)
    return planes


def _fixed(number: float) -> int:
    return int(number * 65536 + 0.5)


def _in_colour(values: Tensor, luma: list[int], chroma: list[int]) -> Tensor:
    """Return colours [sample, 3, height, width] after a JPEG file."""
    red, green, blue = values.unbind(1)
    half = 1 << 15
    bright = (red * _fixed(0.299) + green * _fixed(0.587) + blue * _fixed(0.114) + half) >> 16
    middle = (128 << 16) + half - 1
    bluish = (blue * half - red * _fixed(0.16874) - green * _fixed(0.33126) + middle) >> 16
    reddish = (red * half - green * _fixed(0.41869) - blue * _fixed(0.08131) + middle) >> 16
    bright = _coded(bright, luma)
    height, width = bright.shape[1:]
    halved = _coded(_halved(torch.cat([bluish, reddish])), chroma)[:, : (height + 1) // 2, : (width + 1) // 2]
    blues, reds = _doubled(halved)[:, :height, :width].sub_(128).chunk(2)
    result = torch.stack(
        [
            bright + ((reds * _fixed(1.402) + half) >> 16),
            bright + ((half - blues * _fixed(0.34414) - reds * _fixed(0.71414)) >> 16),
            bright + ((blues * _fixed(1.772) + half) >> 16),
        ],
        dim=1,
    )
    return result.clamp_(0, 255)


def _halved(planes: Tensor) -> Tensor:
    """Return means of 2 x 2, a half rounded down and up in turn; to the right full blocks from the edge pixels."""
    height, width = planes.shape[1:]
    wide = _continued(planes, -width % (2 * _BLOCK), height % 2)
    total = wide[:, ::2, ::2] + wide[:, 1::2, ::2] + wide[:, ::2, 1::2] + wide[:, 1::2, 1::2]
    total[:, :, ::2] += 1
    total[:, :, 1::2] += 2
    return total >> 2


def _doubled(planes: Tensor) -> Tensor:
    """Return planes of twice the size: each new value is 9, 3, 3 and 1 sixteenths of the four nearest."""
    tall = torch.cat([planes[:, :1], planes, planes[:, -1:]], dim=1)
    wide = torch.cat([tall[..., :1], tall, tall[..., -1:]], dim=2)
    near = wide[:, 1:-1] * 3
    lines = torch.stack([near + wide[:, :-2], near + wide[:, 2:]], dim=2).flatten(1, 2)
    thrice = lines[:, :, 1:-1] * 3
    left, right = (thrice + lines[:, :, :-2] + 8) >> 4, (thrice + lines[:, :, 2:] + 7) >> 4
    return torch.stack([left, right], dim=3).flatten(2)
