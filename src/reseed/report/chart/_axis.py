"""An axis of a chart: from where to where it goes, and the round numbers on it."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from reseed.report import _text as text

FONT = 12.0  # units of the drawing; the stylesheet says so too
_LETTER, _SIGN = 0.64, 0.84  # of the font's size: widths of a letter or digit and of a minus, in wide fonts
MOST = 1.7e308  # numbers beyond lie here: differences stay finite
_FLAT = 1e-9  # of the values' size: what differs by less lies on one height
_TINY = 1e-290


@final
@dataclass(frozen=True)
class Axis:
    """From where to where an axis goes.

    Attributes:
        low: The value at its beginning.
        high: The value at its end.
        ticks: Round numbers on it.
        labels: What they are called.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]

    def share(self, value: float) -> float:
        """Return where a value lies: 0 at the beginning, 1 at the end."""
        value = _bounded(value)
        return (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)  # halves: no overflow


def make_axis(
    values: Iterable[float], *, padding: float = 0.05, margin: float = 0.0, with_zero: bool = False, most: int = 6
) -> Axis:
    """Return an axis for values, with ticks at multiples of 1, 2 or 5 times a power of ten.

    Args:
        values: What it must hold; those that are not finite do not count. Whole numbers alone get whole ticks.
        padding: How much further than the values it goes at each end, as a share of their span.
        margin: How much further besides, in the values' unit.
        with_zero: Whether it begins or ends at zero where the values lie on one side of it.
        most: About how many ticks.

    Examples:
        >>> axis = make_axis([0.0, 10.0], padding=0)
        >>> axis.labels, axis.share(2.5)
        (('0', '2', '4', '6', '8', '10'), 0.25)
    """
    known = [_bounded(float(value)) for value in values if math.isfinite(value)]
    is_whole = all(value == math.floor(value) for value in known)
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    low, high = low - margin, high + margin
    pad_low = pad_high = padding
    if with_zero:
        pad_low, pad_high = (padding if low < 0 else 0.0), (padding if high > 0 else 0.0)
        low, high = min(low, 0.0), max(high, 0.0)
    size = max(abs(low), abs(high))
    if high / 2 - low / 2 > max(size * _FLAT, _TINY):
        span = min(high - low, MOST)
        low, high = low - pad_low * span, high + pad_high * span
    elif with_zero:  # nothing but zeros
        low, high = 0.0, 1.0
    else:
        half = size / 2 if size > _TINY else 1.0
        low, high = low - half, high + half
    low, high = max(low, -MOST), min(high, MOST)
    ticks, labels = _ticks(low, high, most, is_whole=is_whole)
    return Axis(low, high, ticks, labels)


def _bounded(value: float) -> float:
    return min(max(value, -MOST), MOST)


def _ticks(low: float, high: float, most: int, *, is_whole: bool) -> tuple[tuple[float, ...], tuple[str, ...]]:
    wanted = high / most - low / most
    power = math.floor(math.log10(wanted))
    factor = next(factor for factor in (1, 2, 5, 10) if factor * 10.0**power >= wanted * (1 - 1e-9) or factor == 10)
    if factor == 10:
        factor, power = 1, power + 1
    if is_whole and power < 0:
        factor, power = 1, 0
    step = float(f"{factor}e{power}")
    places = range(math.ceil(low / step), math.floor(high / step) + 1)
    ticks = tuple(float(f"{place * factor}e{power}") for place in places)  # the nearest float to the round number
    size = max(map(abs, ticks), default=0.0)
    return ticks, tuple(_label(tick, power, size) for tick in ticks)


def _label(tick: float, power: int, size: float) -> str:
    if size < 1e6 and power > -5:
        return text.decimal(tick, max(0, -power)) if tick else text.decimal(0.0, max(0, -power))
    if not tick:
        return "0"
    digits = max(0, math.floor(math.log10(size) + 1e-9) - power)
    mantissa, exponent = f"{tick:.{digits}e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{int(exponent)}".replace("-", "\u2212")


def width(label: str) -> float:
    """Return about how wide a label is in a chart."""
    wide = (1.0 if unicodedata.east_asian_width(letter) in "WF" else _LETTER for letter in label)
    return FONT * (sum(wide) + (_SIGN - _LETTER) * label.count("\u2212"))


def fitted(label: str, room: float) -> str:
    """Return a label cut to a width, in one line; its beginning and its end stay, which tell it from others."""
    label = " ".join(label[:400].split())
    if width(label) <= room:
        return label
    first, last = (len(label) + 1) // 2, len(label) // 2
    while first > 1 and width(label[:first] + label[len(label) - last :]) > room - FONT:
        first, last = (first - 1, last) if first > last else (first, last - 1)
    return f"{label[:first]}\u2026{label[len(label) - last :]}"


def shown(value: float | str) -> str:
    """Return a value of a chart in words, to four digits; a text is itself."""
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return "no value"
    if value == math.floor(value) and abs(value) < 1e6:
        return f"{int(value)}".replace("-", "\u2212")
    mantissa, has_exponent, exponent = f"{value:.4g}".partition("e")
    return (f"{mantissa}e{int(exponent)}" if has_exponent else mantissa).replace("-", "\u2212")
