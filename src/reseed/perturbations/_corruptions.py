"""What all corruptions share: names, severities, seeds, numbers of items, and keys of draws."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from reseed._arrays import ArrayLike, brief, to_numpy
from reseed._bounds import check_bound
from reseed._errors import InputError
from reseed._near import did_you_mean
from reseed._numbers import check_whole, is_whole

SEVERITIES = (1, 2, 3, 4, 5)
_MOST_ITEM = 2**31 - 1
_Kind = TypeVar("_Kind")


def named(name: str, known: Mapping[str, _Kind], what: str) -> _Kind:
    """Return what a registry has under a name.

    Args:
        name: The name.
        known: The registry.
        what: What it holds one of, in words.

    Raises:
        InputError: Nothing; the message lists the names and the nearest.
    """
    if name in known:
        return known[name]
    hint = did_you_mean(name, known, most=3)
    raise InputError(f"unknown {what} {name!r}.{hint} There are {', '.join(known)}.")


def check_severity(severity: int) -> None:
    """Accept a severity.

    Raises:
        InputError: It is none of 1 to 5.
    """
    if not is_whole(severity) or severity not in SEVERITIES:
        raise InputError(f"severity must be a whole number from 1 (weak) to 5 (strong), got {severity!r}.")


def check_seed(seed: int) -> None:
    """Accept a seed of any size that numpy takes.

    Raises:
        InputError: It is no whole number from 0 on, or larger than a seed may be.
    """
    check_whole("seed", seed, 0)
    check_bound("seed", seed)


def draws_key(seed: int, name: str, part: int = 0) -> int:
    """Return a 64-bit key of the draws of a corruption; see `reseed._draws.item_uniform`.

    Severity is no part of it: a stronger corruption changes more of the same.

    Raises:
        InputError: The seed is no whole number from 0 on.
    """
    check_seed(seed)
    sequence = np.random.SeedSequence(int(seed), spawn_key=(zlib.crc32(name.encode()), part))
    return int(sequence.generate_state(1, np.uint64)[0])


def item_numbers(items: ArrayLike | Iterable[int] | None, count: int) -> Tensor:
    """Return the numbers of items that draws belong to, int64 [item].

    Args:
        items: The numbers; None: 0, 1, 2, ...
        count: How many items there are.

    Raises:
        InputError: They are others than so many whole numbers from 0 to below 2**31.
    """
    if items is None:
        return torch.arange(count)
    found = to_numpy(items if hasattr(items, "__len__") else list(items), "items")  # type: ignore[arg-type]  # an iterable
    if found.shape != (count,) or (count and found.dtype.kind not in "iu"):
        raise InputError(f"items must be {count} whole numbers, one for each sample, got {brief(found)}.")
    if count and (found.min() < 0 or found.max() > _MOST_ITEM):
        worst = found.min() if found.min() < 0 else found.max()
        raise InputError(f"items must be from 0 to {_MOST_ITEM}, got {worst}; number the samples of the split.")
    return torch.from_numpy(found.astype(np.int64))
