"""Windows of inputs in which square changes many features at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from reseed.perturbations.attacks.core._budget import Budget

_HALVED_AFTER = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)  # of 10,000 steps


def share_of(step: int, steps: int, first: float) -> float:
    """Return which share of an image's area a window has: halved nine times, ever later (Andriushchenko et al. 2020).

    Args:
        step: Which step, counted from 0.
        steps: How many there are; the schedule is stretched to them.
        first: The share at the beginning.

    Examples:
        >>> [share_of(step, 10_000, 0.8) for step in (0, 10, 11, 51, 9999)]
        [0.8, 0.8, 0.4, 0.2, 0.0015625]
    """
    now = step * 10_000 // steps
    return first / 2.0 ** sum(now > after for after in _HALVED_AFTER)


@final
@dataclass(frozen=True)
class Frame:
    """How an item's axes are seen: channels of a height and a width.

    The last two axes are the height and the width, those before them channels. Items of one axis are one row, in which
    a window is a block of features that stand together.

    Attributes:
        channels: How many channels.
        height: How many rows.
        width: How many columns.
    """

    channels: int
    height: int
    width: int

    @staticmethod
    def of(points: Tensor) -> Frame:
        """Return the frame of points [item, ...]."""
        shape = points.shape[1:]
        return Frame(math.prod(shape[:-2]), shape[-2] if len(shape) > 1 else 1, shape[-1])

    def seen(self, points: Tensor) -> Tensor:
        """Return points as [item, channel, row, column]."""
        return points.reshape(-1, self.channels, self.height, self.width)

    def size(self, share: float, least: int = 1) -> tuple[int, int]:
        """Return the height and the width of a window of about a share of the area.

        Args:
            share: Which.
            least: A side is no smaller, and where this is above 1, odd.
        """
        if self.height == 1:
            return 1, min(self.width, max(least, round(share * self.width)))
        side = max(least, round(math.sqrt(share * self.height * self.width)))
        side += int(least > 1 and side % 2 == 0)
        return min(side, self.height, self.width), min(side, self.height, self.width)


@final
@dataclass(frozen=True, eq=False)
class Window:
    """A window in each item.

    Attributes:
        top: The first row, [item].
        left: The first column, [item].
        size: Its height and its width, those of all.
        frame: Of the items.
    """

    top: Tensor
    left: Tensor
    size: tuple[int, int]
    frame: Frame

    @staticmethod
    def drawn(uniform: Tensor, size: tuple[int, int], frame: Frame, budget: Budget) -> Window:
        """Return windows at places drawn uniformly; with frozen features, around places that may change.

        Args:
            uniform: Numbers in [0, 1), [item, 3].
            size: Their height and width.
            frame: Of the items.
            budget: What may change.
        """
        spaces = [space - side for space, side in zip((frame.height, frame.width), size, strict=True)]
        if budget.free is None:
            first = [(uniform[:, axis] * (space + 1)).long() for axis, space in enumerate(spaces)]
        else:
            places = frame.seen(budget.free.expand(budget.clean.shape[1:])).flatten(1 + 1)[0].any(0).nonzero()[:, 0]
            place = places[(uniform[:, 2] * len(places)).long()]
            centre = [place // frame.width, place % frame.width]
            inside = [(uniform[:, axis] * side).long() for axis, side in enumerate(size)]
            first = [(c - i).clamp_min(0) for c, i in zip(centre, inside, strict=True)]
        # Single precision rounds numbers just below 1 up to it.
        top, left = (where.clamp(max=space) for where, space in zip(first, spaces, strict=True))
        return Window(top, left, size, frame)

    @property
    def mask(self) -> Tensor:
        """Where the windows are, [item, 1, row, column]."""
        rows = torch.arange(self.frame.height, device=self.top.device) - self.top[:, None]
        columns = torch.arange(self.frame.width, device=self.top.device) - self.left[:, None]
        down, across = ((each >= 0) & (each < side) for each, side in zip((rows, columns), self.size, strict=True))
        return (down[:, :, None] & across[:, None, :])[:, None]

    @property
    def places(self) -> Tensor:
        """What is in the windows, as rows times the frame's width plus columns, [item, place]."""
        rows = torch.arange(self.size[0], device=self.top.device) + self.top[:, None]
        columns = torch.arange(self.size[1], device=self.top.device) + self.left[:, None]
        return (rows[:, :, None] * self.frame.width + columns[:, None, :]).flatten(1)

    def holds(self, places: Tensor) -> Tensor:
        """Return which places are in the windows, [item, place]."""
        rows, columns = places // self.frame.width - self.top[:, None], places % self.frame.width - self.left[:, None]
        return (rows >= 0) & (rows < self.size[0]) & (columns >= 0) & (columns < self.size[1])

    def of(self, points: Tensor) -> Tensor:
        """Return what points [item, channel, row * column] have in the windows, [item, channel, place]."""
        return points.gather(2, self._everywhere(points))

    def put(self, points: Tensor, inside: Tensor) -> Tensor:
        """Return points [item, channel, row * column] with other numbers [item, channel, place] in the windows."""
        return points.scatter(2, self._everywhere(points), inside)

    def _everywhere(self, points: Tensor) -> Tensor:
        return self.places[:, None].expand(-1, points.shape[1], -1)


def bump(height: int, width: int) -> Tensor:
    """Return a hill of norm 1 and the same hill below 0 beside it, [row, column].

    The hills fall off from their middles as sums of 1 / (n + 1)^2 over centred rectangles (Andriushchenko et al. 2020,
    for the norm 2). A single row is divided along its columns.
    """
    if height == 1 < width:
        return bump(width, 1).T.contiguous()
    upper = height // 2
    both = torch.cat([_hill(upper, width), -_hill(height - upper, width)])
    length: Tensor = torch.linalg.vector_norm(both)
    return both / length


def _hill(height: int, width: int) -> Tensor:
    hill = torch.zeros(height, width)
    row, column = height // 2, width // 2
    for reach in range(max(row, column) + 1):
        rows = slice(max(row - reach, 0), row + reach + 1)
        hill[rows, max(column - reach, 0) : column + reach + 1] += 1.0 / (reach + 1) ** 2
    length: Tensor = torch.linalg.vector_norm(hill).clamp_min(torch.finfo(hill.dtype).tiny)
    return hill / length
