"""Which samples are touched: a function of the seed and of each sample, whatever stands beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reseed._arrays import ArrayLike, brief, to_numpy
from reseed._draws import draw_key, item_uniform
from reseed._errors import DataError
from reseed._numbers import is_whole

LARGEST_SEED = 2**32 - 1
CHOICE, VALUE, POSITION, NOISE = range(4)
"""What is drawn; each is independent of the others."""
_LARGEST_ITEM = 2**31
_STREAM = 0x636F7272  # sets these draws apart from those of runs


def key_of(seed: int, place: int) -> int:
    """The key of one kind of draw."""
    return draw_key(seed, _STREAM, place)


def check_seed(seed: object) -> None:
    """Accept a seed.

    Raises:
        DataError: It is none.
    """
    if not is_whole(seed) or not 0 <= seed <= LARGEST_SEED:
        raise DataError(f"seed is {seed!r}; give a whole number from 0 to {LARGEST_SEED}.")


def check_rate(rate: object, name: str = "rate") -> float:
    """The rate as a float.

    Raises:
        DataError: It is no share.
    """
    if isinstance(rate, bool) or not isinstance(rate, int | float | np.number) or not 0 <= rate <= 1:
        raise DataError(f"{name} is {rate!r}; give a share of the samples from 0 to 1, such as 0.1.")
    return float(rate)


def numbered(count: int, items: ArrayLike | None) -> torch.Tensor:
    """The numbers that draws follow, [sample]; their places where none are given.

    Raises:
        DataError: They are not as many whole numbers from 0 to below 2**31.
    """
    if items is None:
        return torch.arange(count)
    found = to_numpy(items, "items")
    if found.dtype.kind not in "iu" or found.shape != (count,):
        raise DataError(f"items is {brief(found)}; give one whole number for each of the {count} samples.")
    outside = (found < 0) | (found >= _LARGEST_ITEM)
    if outside.any():
        value = int(found[outside][0])
        raise DataError(f"items holds {value}; give whole numbers from 0 to {_LARGEST_ITEM - 1}.")
    return torch.from_numpy(found.astype(np.int64))


def items_of(split: str, ids: Sequence[str]) -> NDArray[np.int64]:
    """A number for each sample that only its split and its id decide, so that its draws are the same in any subset."""
    hashes = (hashlib.blake2b(f"{split}\0{name}".encode("utf-8", "surrogatepass"), digest_size=4) for name in ids)
    return np.array([int.from_bytes(one.digest(), "little") % _LARGEST_ITEM for one in hashes], np.int64)


def chosen(items: torch.Tensor, rate: float, seed: int, *, exact: bool) -> NDArray[np.bool_]:
    """Which samples are touched, [sample]: each with probability `rate`, or that share of them, rounded."""
    drawn = uniform(items, seed, CHOICE)
    if not exact:
        return drawn < rate
    found = np.zeros(len(drawn), bool)
    found[np.argsort(drawn, kind="stable")[: round(rate * len(drawn))]] = True
    return found


def uniform(items: torch.Tensor, seed: int, place: int) -> NDArray[np.float64]:
    """A number in [0, 1) for each item, [item]."""
    # Double precision, in which a product with the number of classes stays below it.
    return item_uniform(key_of(seed, place), items, ()).numpy().astype(np.float64)


def as_given(result: NDArray[Any], given: object) -> Any:
    """The result in the kind and type of what was given: a tensor on its device, or an array."""
    if isinstance(given, torch.Tensor):
        return torch.from_numpy(result).to(given.device, given.dtype)
    return result


def mask_as_given(mask: NDArray[Any], given: object) -> Any:
    """A mask, or numbers of another type than what was given, in its kind."""
    return torch.from_numpy(mask).to(given.device) if isinstance(given, torch.Tensor) else mask
