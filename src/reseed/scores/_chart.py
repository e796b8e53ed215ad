"""A chart as plain data: what a page draws without knowing which lens it came from."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, final, get_args

from reseed._errors import InputError

Kind = Literal["lines", "bars", "heat map", "scatter", "images", "texts"]
Mark = Literal["", "removed", "added"]
_KINDS: tuple[Kind, ...] = get_args(Kind)
_MARKS: tuple[Mark, ...] = get_args(Mark)
_MOST_POINTS, _MOST_PICTURES, _PICTURE_BYTES = 10_000, 64, 1 << 18
_MOST_PASSAGES, _MOST_LETTERS = 64, 20_000
_PNG = b"\x89PNG\r\n\x1a\n"


@final
@dataclass(frozen=True)
class Series:
    """Points under one name.

    Attributes:
        name: What the legend calls them.
        x: Numbers along the axis, or names of bars.
        y: The values; NaN leaves a gap.
        low: Lower ends of the values' intervals; empty: none.
        high: Upper ends.
        ids: Ids of the samples that the points are; empty: they are none. Where the page shows those samples, a point
            opens its own.
    """

    name: str
    x: tuple[float, ...] | tuple[str, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    ids: tuple[str, ...] = ()


@final
@dataclass(frozen=True)
class Picture:
    """An image under a few words.

    Attributes:
        png: The image, a PNG file.
        caption: The words.
        sample: The id of the sample that it shows; empty: it shows none.
    """

    png: bytes = field(repr=False)
    caption: str
    sample: str = ""


@final
@dataclass(frozen=True)
class Passage:
    """A text with what was changed in it, under a few words.

    Attributes:
        parts: Its pieces in order, each with its mark: ``removed`` and ``added`` ones stand side by side, the others,
            marked with an empty string, are as they were.
        caption: The words.
        sample: The id of the sample that it is; empty: it is none.
    """

    parts: tuple[tuple[Mark, str], ...]
    caption: str
    sample: str = ""


@final
@dataclass(frozen=True)
class Chart:
    """A chart that any page can draw.

    Attributes:
        kind: ``lines``, ``bars``, ``scatter``: of ``series``. ``heat map``: of ``cells`` with a name for each row and
            column. ``images``: of ``pictures``. ``texts``: of ``passages``.
        title: What it is, in a few words.
        sentence: What to see in it, in one sentence: those who cannot see it read that.
        x: What runs along the horizontal axis, with its unit.
        y: What runs along the vertical axis; of a heat map what the cells hold.
        series: At most 10,000 points in all.
        rows: Names of a heat map's rows, from the top.
        columns: Names of its columns.
        cells: Its values, [row, column]; NaN leaves a cell empty.
        pictures: At most 64, of at most 256 KiB each.
        passages: At most 64, of at most 20,000 letters each.

    Raises:
        InputError: Something of that is not so.

    Examples:
        >>> chart = Chart("lines", "Margin", "Margins grow.", "step", "margin", (Series("run 0", (1, 2), (0.1, 0.4)),))
        >>> Chart.from_tree(chart.tree) == chart
        True
    """

    kind: Kind
    title: str
    sentence: str
    x: str = ""
    y: str = ""
    series: tuple[Series, ...] = ()
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    cells: tuple[tuple[float, ...], ...] = ()
    pictures: tuple[Picture, ...] = ()
    passages: tuple[Passage, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise InputError(f"the kind of a chart must be one of {', '.join(_KINDS)}, got {self.kind!r}.")
        if not self.title or not self.sentence:
            raise InputError("a chart needs a title and a sentence that says what to see in it.")
        given = {"series": self.series, "cells": self.cells, "pictures": self.pictures, "passages": self.passages}
        wanted = {"heat map": "cells", "images": "pictures", "texts": "passages"}.get(self.kind, "series")
        if not given[wanted] or any(value for name, value in given.items() if name != wanted):
            raise InputError(f"the chart {self.title!r} is of the kind {self.kind!r}; give it {wanted} and no other.")
        {
            "series": self._check_series,
            "cells": self._check_cells,
            "pictures": self._check_pictures,
            "passages": self._check_passages,
        }[wanted]()

    def _check_series(self) -> None:
        points = sum(len(one.x) for one in self.series)
        if points > _MOST_POINTS:
            raise InputError(
                f"the chart {self.title!r} has {points:,} points, more than {_MOST_POINTS:,}; leave some out, or count "
                "them in bins."
            )
        for one in self.series:
            if len(one.x) != len(one.y) or {len(one.low), len(one.high)} - {0, len(one.y)}:
                raise InputError(f"the points {one.name!r} of the chart {self.title!r} differ in number of x and y.")
            if len(one.ids) not in (0, len(one.x)):
                raise InputError(
                    f"the points {one.name!r} of the chart {self.title!r} are {len(one.x):,} with {len(one.ids):,} "
                    "ids; give the id of a sample for each of them, or none."
                )
            if self.kind != "bars" and any(isinstance(value, str) for value in one.x):
                raise InputError(f"the chart {self.title!r} is of {self.kind}, whose x are numbers, not names.")

    def _check_cells(self) -> None:
        if len(self.cells) != len(self.rows) or {len(row) for row in self.cells} != {len(self.columns)}:
            raise InputError(
                f"the heat map {self.title!r} has {len(self.rows)} names of rows and {len(self.columns)} of columns; "
                f"give cells of that shape, not of {len(self.cells)} rows."
            )
        if len(self.rows) * len(self.columns) > _MOST_POINTS:
            raise InputError(f"the heat map {self.title!r} has more than {_MOST_POINTS:,} cells; leave some out.")

    def _check_pictures(self) -> None:
        if len(self.pictures) > _MOST_PICTURES:
            raise InputError(f"the chart {self.title!r} has {len(self.pictures)} pictures; show {_MOST_PICTURES}.")
        for one in self.pictures:
            if not one.png.startswith(_PNG) or len(one.png) > _PICTURE_BYTES:
                raise InputError(f"the picture {one.caption!r} is no PNG file of at most {_PICTURE_BYTES >> 10} KiB.")

    def _check_passages(self) -> None:
        if len(self.passages) > _MOST_PASSAGES:
            raise InputError(f"the chart {self.title!r} has {len(self.passages)} passages; show {_MOST_PASSAGES}.")
        for one in self.passages:
            if sum(len(words) for _, words in one.parts) > _MOST_LETTERS:
                raise InputError(f"the passage {one.caption!r} has more than {_MOST_LETTERS:,} letters; show a part.")
            if wrong := [mark for mark, _ in one.parts if mark not in _MARKS]:
                raise InputError(f"the passage {one.caption!r} has a mark {wrong[0]!r}; marks are '', removed, added.")

    @property
    def tree(self) -> dict[str, Any]:
        """Everything as JSON can hold it; numbers that are not finite are None."""
        return {
            "kind": self.kind,
            "title": self.title,
            "sentence": self.sentence,
            "x": self.x,
            "y": self.y,
            "series": [
                {"name": one.name, "x": _plain(one.x), "y": _plain(one.y)}
                | ({"low": _plain(one.low), "high": _plain(one.high)} if one.low else {})
                | ({"ids": list(one.ids)} if one.ids else {})
                for one in self.series
            ],
            "rows": list(self.rows),
            "columns": list(self.columns),
            "cells": [_plain(row) for row in self.cells],
            "pictures": [
                {"png": base64.b64encode(one.png).decode("ascii"), "caption": one.caption, "sample": one.sample}
                for one in self.pictures
            ],
            "passages": [
                {"parts": [list(part) for part in one.parts], "caption": one.caption, "sample": one.sample}
                for one in self.passages
            ],
        }

    @classmethod
    def from_tree(cls, tree: Mapping[str, Any]) -> Chart:
        """Return the chart whose `tree` this is.

        Raises:
            ValueError: It is none of a chart.
        """
        try:
            return cls(
                kind=tree["kind"],
                title=_text(tree["title"]),
                sentence=_text(tree["sentence"]),
                x=_text(tree["x"]),
                y=_text(tree["y"]),
                series=tuple(map(_series, tree["series"])),
                rows=tuple(map(_text, tree["rows"])),
                columns=tuple(map(_text, tree["columns"])),
                cells=tuple(map(_numbers, tree["cells"])),
                pictures=tuple(
                    Picture(
                        base64.b64decode(one["png"], validate=True), _text(one["caption"]), _text(one.get("sample", ""))
                    )
                    for one in tree["pictures"]
                ),
                passages=tuple(map(_passage, tree.get("passages", ()))),
            )
        except (KeyError, TypeError, AttributeError, binascii.Error) as error:
            raise ValueError(f"a chart is damaged ({type(error).__name__}: {error})") from error


def _series(tree: Mapping[str, Any]) -> Series:
    low, high = _numbers(tree.get("low", [])), _numbers(tree.get("high", []))
    ids = tuple(map(_text, tree.get("ids", ())))
    return Series(_text(tree["name"]), _points(tree["x"]), _numbers(tree["y"]), low, high, ids)


def _passage(tree: Mapping[str, Any]) -> Passage:
    parts = tuple((_text(mark), _text(words)) for mark, words in tree["parts"])
    return Passage(parts, _text(tree["caption"]), _text(tree.get("sample", "")))  # type: ignore[arg-type]  # marks are checked with the chart


def _plain(values: Sequence[float] | Sequence[str]) -> list[float | str | None]:
    return [value if isinstance(value, str) else float(value) if math.isfinite(value) else None for value in values]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _numbers(values: Sequence[object]) -> tuple[float, ...]:
    if any(isinstance(value, bool) or not isinstance(value, int | float | None) for value in values):
        raise TypeError("something is no number")
    return tuple(math.nan if value is None else float(value) for value in values)  # type: ignore[arg-type]


def _points(values: Sequence[object]) -> tuple[float, ...] | tuple[str, ...]:
    return tuple(map(_text, values)) if any(isinstance(value, str) for value in values) else _numbers(values)
