"""A cloud of samples as SVG: a dot each, coloured by a value, which leads to its row in the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from reseed.report.chart._axis import make_axis
from reseed.report.chart._cells import level, scale_html
from reseed.report.chart._frame import LINE, frame_of, grid_html, last_reach, number, ticks_html, titles_html

_TALL = 250.0
_SCALE = 2.4 * LINE  # the room of the colours' scale above the plot


@final
@dataclass(frozen=True)
class Dot:
    """A sample in a cloud; its numbers are finite.

    Attributes:
        x: Where it is.
        y: How high it is.
        value: What its colour says.
        row: Its row in the table of samples; None where that does not hold it.
    """

    x: float
    y: float
    value: float
    row: int | None


def draw_dots(dots: Sequence[Dot], titles: tuple[str, str, str]) -> tuple[str, float]:
    """Return dots under the scale of their colours, the last on top, and the drawing's height.

    Args:
        dots: The dots, one or more.
        titles: Those of the horizontal axis, of the vertical one, and of the colours.
    """
    x = make_axis((dot.x for dot in dots), padding=0.03)
    y = make_axis((dot.y for dot in dots), padding=0.03)
    high = max(max(dot.value for dot in dots), 1e-3)
    frame = frame_of(y, titles[:2], end=last_reach(x), tall=_TALL)
    drawn = []
    for dot in dots:
        place = f'cx="{number(frame.across(x.share(dot.x)))}" cy="{number(frame.up(y.share(dot.y)))}"'
        row = "" if dot.row is None else f' data-row="{dot.row}"'
        drawn.append(f'<circle class="heat-{level(dot.value, 0.0, high)}" {place} r="3.4"{row}/>')
    plot = grid_html(frame, y) + ticks_html(frame, x) + titles_html(frame, titles[:2])
    scale = scale_html(titles[2], 0.0, high, has_gaps=False)
    return (
        f'{scale}<g transform="translate(0 {number(_SCALE)})">{plot}<g class="dots">{"".join(drawn)}</g></g>',
        frame.height + _SCALE,
    )
