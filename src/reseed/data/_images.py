"""Pictures to tensors: float32 `[sample, channel, height, width]` in [0, 1]."""

import io
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from jaxtyping import Float32
from numpy.typing import NDArray

from reseed._errors import DataError
from reseed._limits import check_size

if TYPE_CHECKING:
    from PIL import Image

DIVISOR = 255
"""What bytes are divided by."""
Images: TypeAlias = Float32[torch.Tensor, "sample channel height width"]


def from_bytes(pixels: NDArray[np.uint8]) -> Images:
    """Grey `[sample, height, width]` or colour `[sample, height, width, channel]` bytes as images."""
    images = torch.from_numpy(np.ascontiguousarray(pixels))
    images = images.unsqueeze(1) if images.ndim == 3 else images.permute(0, 3, 1, 2)
    return images.contiguous().float().div_(DIVISOR)


def from_pictures(pictures: Iterable[object]) -> Images:
    """Pictures of one size as images: grey if all of them are, else RGB.

    Args:
        pictures: Pillow's, or the bytes of files.

    Raises:
        DataError: the sizes differ, or one is no picture or cannot be decoded.
    """
    arrays: list[NDArray[np.uint8]] = []
    for position, picture in enumerate(pictures):
        arrays.append(_pixels(picture, position))
        if arrays[-1].shape[:2] != arrays[0].shape[:2]:
            sizes = [f"{shape[1]}x{shape[0]}" for shape in (arrays[0].shape, arrays[-1].shape)]
            raise DataError(
                f"images differ in size: image 0 is {sizes[0]}, image {position} is {sizes[1]}; resize them first."
            )
    if len({array.ndim for array in arrays}) > 1:  # grey among colour
        arrays = [array if array.ndim == 3 else np.stack([array] * 3, -1) for array in arrays]
    return from_bytes(np.stack(arrays) if arrays else np.empty((0, 1, 1), np.uint8))


def _pixels(picture: object, position: int) -> NDArray[np.uint8]:
    from PIL import Image

    if not isinstance(picture, bytes | Image.Image):
        kind = type(picture).__name__
        raise DataError(f"image {position} is of type {kind}; it must be a picture or the bytes of a file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures, which are held against reseed's own limit
            found = Image.open(io.BytesIO(picture)) if isinstance(picture, bytes) else picture
        check_size(found.width * found.height * len(found.getbands()), f"image {position}")
        return np.asarray(found if found.mode in ("L", "RGB") else found.convert(_mode(found)))
    except DataError:
        raise
    except Exception as error:  # Pillow's readers raise errors of every kind over damaged files
        raise DataError(f"image {position} cannot be decoded: {error}") from error


def _mode(picture: "Image.Image") -> str:
    if picture.mode in ("1", "LA"):
        return "L"
    if picture.mode in ("P", "PA", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"):
        return "RGB"
    raise ValueError(f"pixels of mode {picture.mode!r} have no plain 8-bit form")
