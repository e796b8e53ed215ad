"""The frame of a chart: where values lie in the drawing, grid lines, ticks, names, and the titles of the axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from reseed.report import _text as text
from reseed.report.chart._axis import FONT, Axis, fitted, width

WIDTH = 400.0  # of every drawing, in its own units; narrow windows show them a fifth smaller
HEIGHT = 210.0  # of a plot alone
_GAP = 6.0
LINE = 17.0  # a line of text with the space above it
LONGEST = 132.0  # names beside or below a plot
_SHORT = 30.0  # names that need not be turned


@final
@dataclass(frozen=True)
class Frame:
    """Where a plot lies in its drawing.

    Attributes:
        left: Its left edge.
        top: Its upper edge.
        right: Its right edge.
        bottom: Its lower edge.
        below: How much space is taken below it.
    """

    left: float
    top: float
    right: float
    bottom: float
    below: float

    @property
    def height(self) -> float:
        """The height of the whole drawing."""
        return self.bottom + self.below

    def across(self, share: float) -> float:
        """Return where a share of the plot's width lies."""
        return self.left + share * (self.right - self.left)

    def up(self, share: float) -> float:
        """Return where a share of the plot's height lies, from below."""
        return self.bottom - share * (self.bottom - self.top)


@final
@dataclass(frozen=True)
class Names:
    """Names along the lower edge of a plot: which of them are written, and how.

    Attributes:
        every: One in so many is written.
        is_turned: Whether they are written upwards.
        room: How wide one may be.
        height: How much space they take below the plot.
        left: How far the first reaches to the left of its place.
    """

    every: int
    is_turned: bool
    room: float
    height: float
    left: float

    @classmethod
    def of(cls, names: Sequence[str], band: float) -> Names:
        """Return how names are written of which each has so much room of its own."""
        longest = max((min(width(name[:40]), LONGEST) for name in names), default=0.0)
        if longest + _GAP <= band or longest <= _SHORT:
            return cls(max(1, math.ceil((longest + _GAP) / band)), False, max(longest, band), LINE, longest / 2)
        reach = longest * math.sqrt(0.5)
        return cls(max(1, math.ceil(LINE / band)), True, longest, reach + FONT, reach)


def frame_of(
    y: Axis, titles: tuple[str, str], *, end: float = 0.0, names: Names | None = None, tall: float = HEIGHT
) -> Frame:
    """Return the frame of a plot whose vertical axis has ticks.

    Args:
        y: The vertical axis.
        titles: Those of the horizontal and of the vertical axis.
        end: How far the last tick's label reaches to the right of its place.
        names: What stands along the lower edge in place of ticks.
        tall: The height of the plot alone.
    """
    left = max(max(map(width, y.labels), default=0.0) + _GAP, 20.0)
    if names is not None and names.is_turned:
        left = max(left, names.left - _GAP)
    top = FONT + LINE if titles[1] else FONT
    below = (LINE if names is None else names.height) + (LINE if titles[0] else 0.0) + 4.0
    return Frame(left, top, WIDTH - max(end, _GAP), top + tall, below)


def last_reach(x: Axis) -> float:
    """Return how far the label of the last tick of a horizontal axis reaches beyond the plot's right edge."""
    if not x.ticks:
        return 0.0
    return width(x.labels[-1]) / 2 - (1 - x.share(x.ticks[-1])) * (WIDTH - 100)


def titles_html(frame: Frame, titles: tuple[str, str]) -> str:
    """Return the titles of both axes: the vertical one's above the plot, where it can be read without turning."""
    x, y = (" ".join(title.split()) for title in titles)
    parts = []
    if y:
        parts.append(f'<text class="title" x="0" y="{number(FONT)}">{text.escape(fitted(y, WIDTH))}</text>')
    if x:
        shown, middle = fitted(x, WIDTH), (frame.left + frame.right) / 2
        middle = min(max(middle, width(shown) / 2), WIDTH - width(shown) / 2)
        parts.append(
            f'<text class="title" x="{number(middle)}" y="{number(frame.height - 4)}" text-anchor="middle">'
            f"{text.escape(shown)}</text>"
        )
    return "".join(parts)


def grid_html(frame: Frame, y: Axis) -> str:
    """Return the ticks of the vertical axis with lines across the plot."""
    parts = []
    for tick, label in zip(y.ticks, y.labels, strict=True):
        height = number(frame.up(y.share(tick)))
        kind = "zero" if tick == 0 else "grid"
        parts.append(
            f'<path class="{kind}" d="M{number(frame.left)} {height}H{number(frame.right)}"/>'
            f'<text x="{number(frame.left - _GAP)}" y="{height}" dy=".35em" text-anchor="end">{label}</text>'
        )
    return "".join(parts)


def ticks_html(frame: Frame, x: Axis) -> str:
    """Return the ticks of the horizontal axis."""
    edge = number(frame.bottom)
    parts = [f'<path class="edge" d="M{number(frame.left)} {edge}H{number(frame.right)}"/>']
    room = (frame.right - frame.left) / max(1, len(x.ticks))
    every = max(1, math.ceil((max(map(width, x.labels), default=0.0) + _GAP) / room))
    for position, (tick, label) in enumerate(zip(x.ticks, x.labels, strict=True)):
        place = number(frame.across(x.share(tick)))
        parts.append(f'<path class="edge" d="M{place} {edge}v4"/>')
        if position % every == 0:
            y = number(frame.bottom + LINE - 1)
            parts.append(f'<text x="{place}" y="{y}" text-anchor="middle">{label}</text>')
    return "".join(parts)


def names_html(frame: Frame, names: Sequence[str], how: Names) -> str:
    """Return names along the lower edge of a plot, each in the middle of its band."""
    parts, turned = [], number(frame.bottom + FONT)
    for place in range(0, len(names), how.every):
        middle, name = frame.across((place + 0.5) / len(names)), text.escape(fitted(names[place], how.room))
        if how.is_turned:
            x = number(middle + 4)
            parts.append(
                f'<text x="{x}" y="{turned}" text-anchor="end" transform="rotate(-45 {x} {turned})">{name}</text>'
            )
        else:
            x = number(middle)
            parts.append(f'<text x="{x}" y="{number(frame.bottom + LINE - 2)}" text-anchor="middle">{name}</text>')
    return "".join(parts)


def number(value: float) -> str:
    """Return a coordinate to a tenth.

    Examples:
        >>> number(12.04), number(-0.01)
        ('12', '0')
    """
    shown = f"{value:.1f}".removesuffix(".0")
    return "0" if shown == "-0" else shown
