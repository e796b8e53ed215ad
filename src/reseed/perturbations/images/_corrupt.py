"""Common corruptions of images: one type, one severity, any images."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

import torch
from torch import Tensor

from reseed._arrays import ArrayLike, Result
from reseed.perturbations._corruptions import check_seed, check_severity, item_numbers, named
from reseed.perturbations.images._checks import check_images
from reseed.perturbations.images._draws import Draws, draw_word
from reseed.perturbations.images._registry import CORRUPTIONS, EXTRA_CORRUPTIONS

_ALL = MappingProxyType({**CORRUPTIONS, **EXTRA_CORRUPTIONS})
_VALUES_AT_ONCE = 1 << 17  # what is worked on at once, with its intermediate results, fits a processor's cache


def corrupt(
    images: ArrayLike,
    name: str,
    severity: int,
    *,
    seed: int,
    items: ArrayLike | Iterable[int] | None = None,
) -> Result:
    """Return images with a common corruption.

    The types and constants are those of CIFAR-10-C and ImageNet-C. Images of up to 64 pixels on the shorter side get
    the constants of 32 pixels, larger ones those of 224; lengths in pixels are scaled with the size, so that a blur
    covers the same share of every image. What a sample gets depends on the seed, its number, the type and the
    severity, and is the same to the bit in every batch. The global random state is not touched.

    What differs from the published code, by need or by choice:

    - nothing is rounded to 8 bits but what JPEG rounds;
    - frost is a made texture, not one of six photographs;
    - motion blur and the wind in the snow are computed here, not by ImageMagick: the same one-sided normal kernel along
      a line, read at the nearest pixels;
    - glass blur copies pixels, which is what the published code does though it says that it swaps them;
    - zoom blur magnifies about the exact centre; the two steps of the elastic transform are read from the image at
      once;
    - drops of water in the spatter are lit by their slope instead of by OpenCV's edges and distances;
    - images of one channel count as grey, and with another number than three, brightness and saturation take the
      largest and the smallest channel for those of HSV, and colours of weather are grey.

    Args:
        images: Values in [0, 1], [sample, channel, height, width]; at least 8 x 8 for all that reads neighbours.
        name: A key of `CORRUPTIONS` or `EXTRA_CORRUPTIONS`.
        severity: From 1 to 5.
        seed: Seeds the draws.
        items: Numbers of the samples, [sample]; by default 0, 1, ...

    Returns:
        A new array of the same shape and dtype, in [0, 1]: a tensor on the same device where a tensor was given, else
        a numpy array.

    Raises:
        InputError: The name is unknown, the severity is not 1 to 5, the images are too small, of another shape or not
            in [0, 1], or the numbers of the samples do not fit.
        InputTypeError: The images hold whole numbers.

    Examples:
        >>> images = torch.rand(10, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> foggy = corrupt(images, "fog", 3, seed=0)
        >>> foggy.shape, torch.equal(corrupt(images[4:6], "fog", 3, seed=0, items=[4, 5]), foggy[4:6])
        (torch.Size([10, 1, 8, 8]), True)
    """
    corruption = named(name, _ALL, "corruption of images")
    check_severity(severity)
    check_seed(seed)
    given = check_images(images, corruption.smallest, name)
    numbers = item_numbers(items, len(given)).to(given.device)
    constants, scale = corruption.constants(min(given.shape[2:]), severity)
    word, rows = draw_word(seed, name), max(1, _VALUES_AT_ONCE // given[:1].numel()) if len(given) else 1
    result = torch.empty_like(given, memory_format=torch.contiguous_format)
    with torch.no_grad():
        for start in range(0, len(given), rows):
            part = given[start : start + rows]
            worked = part.contiguous() if part.dtype == torch.float64 else part.float().contiguous()
            draws = Draws(word, severity, numbers[start : start + rows])
            result[start : start + rows] = corruption.change(worked, constants, draws, scale).clamp_(0, 1)
    return result if isinstance(images, Tensor) else result.numpy()
