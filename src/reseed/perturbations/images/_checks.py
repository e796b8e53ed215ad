"""What is asked of images, names and sample numbers before anything is done to them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from reseed._arrays import ArrayLike, brief
from reseed._bounds import check_bound
from reseed._errors import InputError, InputTypeError
from reseed._numbers import is_whole

_Entry = TypeVar("_Entry")


def found(name: str, known: Mapping[str, _Entry], kind: str) -> _Entry:
    """Return the entry of a name.

    Raises:
        InputError: There is none; the message lists the names and the nearest.
    """
    if name in known:
        return known[name]
    near = difflib.get_close_matches(str(name), known, n=3)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise InputError(f"unknown {kind} {name!r}.{hint} Known: {', '.join(known)}.")


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


def check_items(items: ArrayLike | Iterable[int] | None, samples: int, device: torch.device) -> Tensor:
    """Return the sample numbers, int32 [sample]; by default 0, 1, ...

    Raises:
        InputError: They are not whole numbers from 0 to below 2**31, one for each sample.
    """
    if items is None:
        return torch.arange(samples, dtype=torch.int32, device=device)
    numbers = items.detach().cpu().numpy() if isinstance(items, Tensor) else np.asarray(items)
    if numbers.shape != (samples,) or (samples and numbers.dtype.kind not in "iu"):
        raise InputError(f"items must be {samples} whole numbers, one for each image, got {brief(numbers)}.")
    if samples and not (int(numbers.min()) >= 0 and int(numbers.max()) < 2**31):
        raise InputError(f"items must be from 0 to below 2**31, got {numbers.min()} to {numbers.max()}.")
    return torch.from_numpy(numbers.astype(np.int32)).to(device)


def check_seed(seed: int) -> None:
    """Accept a whole number from 0 on.

    Raises:
        InputError: It is something else, or larger than a seed may be.
    """
    if not is_whole(seed) or seed < 0:
        raise InputError(f"seed must be a whole number from 0 on, got {seed!r}.")
    check_bound("seed", seed)
