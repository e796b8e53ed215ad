"""Pictures back to numbers: what a preview shows of an image is all there is to it."""

import io
import math
import warnings
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray

from reseed._errors import DataError
from reseed._foreign import reason
from reseed._limits import check_size

_MODES = {"L": 1, "RGB": 3}


def pixels(files: Sequence[bytes]) -> Float32[NDArray[np.float32], "sample pixel"]:
    """Numbers in [0, 1] that pictures as `preview` makes them consist of.

    Args:
        files: PNG files, grey or in colour, all of one size.

    Returns:
        One row a picture: channel by channel, line by line, as images are in a `Dataset`.

    Raises:
        DataError: One is no such file, or all together take more memory than `reseed.max_bytes` allows.

    Example:
        >>> from reseed.data import Dataset, previews
        >>> import torch
        >>> x = torch.tensor([[[[0.0, 1.0]]]])
        >>> pixels(previews(Dataset("toy", "test", x, torch.tensor([0]), ("a",), ("no", "yes")))).tolist()
        [[0.0, 1.0]]
    """
    from PIL import Image, UnidentifiedImageError

    rows: Float32[NDArray[np.float32], "sample pixel"] | None = None
    kind = None
    for index, file in enumerate(files):
        try:
            with warnings.catch_warnings(), Image.open(io.BytesIO(file), formats=["PNG"]) as picture:
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # its size is looked at below
                found = (picture.mode, picture.size)
                if rows is None and picture.mode in _MODES:
                    kind, width = found, math.prod(picture.size) * _MODES[picture.mode]
                    check_size(4 * width * len(files), "unpacking the pictures of the samples")
                    rows = np.empty((len(files), width), np.float32)
                if rows is None or found != kind:
                    raise DataError(f"picture {index} is {found}; all must be grey or all in colour, and of one size.")
                shape = (*picture.size[::-1], _MODES[picture.mode])
                rows[index] = np.asarray(picture, np.float32).reshape(shape).transpose(2, 0, 1).ravel()
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            if isinstance(error, DataError):
                raise
            said = "it does not begin like one" if isinstance(error, UnidentifiedImageError) else reason(error)
            raise DataError(f"picture {index} is no PNG file that can be read: {said}.") from error
    if rows is None:
        raise DataError("there are no pictures; give at least one.")
    return rows / np.float32(255)
