"""What is asked of images before anything is done to them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from reseed._arrays import ArrayLike, brief
from reseed._errors import InputError, InputTypeError


def check_images(images: ArrayLike, smallest: int, name: str) -> Tensor:
    """Return images as a tensor, not copied where they are one or a numpy array.

    Raises:
        InputTypeError: They hold whole numbers.
        InputError: Their shape is not [sample, channel, height, width], a side has fewer than ``smallest`` pixels, or
            a value is not in [0, 1].
    """
    given = images.detach() if isinstance(images, Tensor) else torch.from_numpy(np.asarray(images))
    if not given.is_floating_point():
        raise InputTypeError(
            f"images is {brief(given)}; pass floating-point values in [0, 1], such as `images / 255` of bytes."
        )
    if given.ndim != 4 or 0 in given.shape[1:]:
        raise InputError(f"images must be [sample, channel, height, width], got {brief(given)}; reshape them.")
    if min(given.shape[2:]) < smallest:
        raise InputError(
            f"images must have at least {smallest} x {smallest} pixels for {name!r}, got {given.shape[2]} x "
            f"{given.shape[3]}; leave {name!r} out, or enlarge the images."
        )
    if given.numel():
        low, high = (float(bound) for bound in given.aminmax())
        if not (low >= 0 and high <= 1):
            raise InputError(
                f"images must be in [0, 1], got values from {low:.6g} to {high:.6g}; undo their normalisation, and "
                "normalise inside the model."
            )
    return given
