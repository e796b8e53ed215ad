"""Counter-based random draws: a stateless function of (stream word, step, place, position).

What a run draws must not depend on what else is computed beside it, before it or on which worker. A generator with
state cannot promise that; a hash of the counters can. It is written in 32-bit integer arithmetic on tensors so that it
is vectorised, runs on any device and maps over a run axis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

_MASK64 = (1 << 64) - 1


def _signed32(value: int) -> int:
    """Reinterpret the low 32 bits of ``value`` as a signed 32-bit integer."""
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value & 0x80000000 else value


def _splitmix64(state: int) -> int:
    """Return the SplitMix64 finaliser of ``state`` (Steele, Lea and Flood 2014)."""
    state = (state + 0x9E3779B97F4A7C15) & _MASK64
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK64
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK64
    return state ^ (state >> 31)


def draw_key(word: int, step: int, place: int) -> int:
    """Return a 64-bit key for one place of one step of one stream."""
    return _splitmix64(_splitmix64((word << 32) ^ step) ^ place)


_MULTIPLIERS = (_signed32(0x7FEB352D), _signed32(0x846CA68B), _signed32(0x9E3779B1))


@lru_cache(maxsize=64)
def _positions(count: int, device: torch.device) -> Tensor:
    return torch.arange(count, dtype=torch.int32, device=device) * _MULTIPLIERS[2]


def draw_bits(key: int, shape: Sequence[int], device: torch.device) -> Tensor:
    """Return uniform 32-bit integers of the given shape, a pure function of ``key`` and position."""
    low, high = _signed32(key), _signed32(key >> 32)
    return _mixed(_positions(math.prod(shape), device) + low, high).view(tuple(shape))


def _mixed(bits: Tensor, high: int | Tensor) -> Tensor:
    """Hash ``bits`` in place: two keyed rounds of multiply and xorshift in wrapping int32 arithmetic."""
    bits ^= (bits >> 16) & 0xFFFF
    bits *= _MULTIPLIERS[0]
    bits ^= (bits >> 15) & 0x1FFFF
    bits += high
    bits *= _MULTIPLIERS[1]
    bits ^= (bits >> 16) & 0xFFFF
    bits *= _MULTIPLIERS[0]
    bits ^= (bits >> 15) & 0x1FFFF
    return bits


def draw_uniform(key: int, shape: Sequence[int], device: torch.device) -> Tensor:
    """Return float32 numbers uniform in [0, 1) with 24 random bits each."""
    return ((draw_bits(key, shape, device) >> 8) & 0xFFFFFF).to(torch.float32) * 2.0**-24


def keep_mask(keys: Sequence[int], shape: Sequence[int], p: float, device: torch.device) -> Tensor:
    """Return what dropout multiplies with: 0 with probability ``p``, else ``1 / (1 - p)``.

    An element's draw is a function of its key and its coordinates, whatever the extents of the axes: a smaller mask
    is a corner of a larger one. So padding a batch further changes no draw.

    Args:
        keys: One key for each mask, see `draw_key`.
        shape: Shape of each mask.
        p: The probability of zero, in [0, 1].
        device: Where to.

    Returns:
        float32, shape [key, *shape].
    """
    if p >= 1.0:
        return torch.zeros(len(keys), *shape, device=device)
    low = torch.tensor([_signed32(key) for key in keys], dtype=torch.int32, device=device)
    high = torch.tensor([_signed32(key >> 32) for key in keys], dtype=torch.int32, device=device)
    for size in shape[:-1]:  # every row gets a key of its own
        low, high, rows = low[..., None], high[..., None], _positions(size, device)
        low, high = _mixed(rows + low, high), _mixed(rows + high, low)
    threshold = min(round(p * 2**32) - 2**31, 2**31 - 1)
    keep = _mixed(_positions(shape[-1], device) + low[..., None], high[..., None]) >= threshold
    return keep.to(torch.float32).mul_(1.0 / (1.0 - p))


def item_uniform(key: int, items: Tensor, shape: Sequence[int]) -> Tensor:
    """Return numbers uniform in [0, 1) for each of some items, whatever other items are asked for with them.

    An item's numbers are a pure function of the key, of its own number and of their position, so that a sample's draw
    is the same in every batch.

    Args:
        key: See `draw_key`.
        items: Numbers of the items, whole and from 0 to below 2**31, [item].
        shape: Shape of what each item draws.

    Returns:
        float32, shape [item, *shape], on the device of ``items``, with 24 random bits each.

    Examples:
        >>> key, items = draw_key(0, 3, 1), torch.arange(100)
        >>> both = item_uniform(key, items, (8,))
        >>> both.shape, torch.equal(item_uniform(key, items[40:42], (8,)), both[40:42])
        (torch.Size([100, 8]), True)
    """
    rows = items.to(torch.int32) * _MULTIPLIERS[2]
    low = _mixed(rows + _signed32(key), _signed32(key >> 32))[:, None]
    high = _mixed(rows + _signed32(key >> 32), _signed32(key))[:, None]
    bits = _mixed(_positions(math.prod(shape), items.device) + low, high)
    return (((bits >> 8) & 0xFFFFFF).to(torch.float32) * 2.0**-24).view(len(items), *shape)


def item_normal(key: int, items: Tensor, shape: Sequence[int]) -> Tensor:
    """Return standard normal numbers for each of some items, by Box and Muller's transform; see `item_uniform`.

    Returns:
        float32, shape [item, *shape].

    Examples:
        >>> drawn = item_normal(draw_key(0, 0, 0), torch.arange(200), (50,))
        >>> abs(drawn.mean()) < 0.05, abs(drawn.std() - 1) < 0.05
        (tensor(True), tensor(True))
    """
    count = math.prod(shape)
    both = item_uniform(key, items, (2, (count + 1) // 2))
    radius = (-2.0 * torch.log1p(-both[:, 0])).sqrt_()
    angle = both[:, 1] * (2.0 * math.pi)
    drawn = torch.cat([radius * angle.cos(), radius * angle.sin()], dim=1)
    return drawn[:, :count].reshape(len(items), *shape)
