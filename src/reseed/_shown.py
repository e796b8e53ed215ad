"""How results show themselves: in a notebook, as a table of pandas, as the terminal's text, and as a drawing.

What a result has to show a `View` says, which the layer that knows its tables and charts registers with `view_of`.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from html import escape
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reseed._errors import MissingExtraError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.figure import Figure
    from rich.console import Console

_VIEWS = "reseed.workflows"  # the highest layer: with it all views are there
_WIDTH = 110
_MOST_LETTERS = 120
_PNG = b"\x89PNG"
_PICTURE = "height:3em;min-width:3em;object-fit:contain;image-rendering:pixelated"  # small ones are seen too


@dataclass(frozen=True)
class View:
    """What a result has to show; nothing is made before it is asked for.

    Attributes:
        numbers: Headline numbers, as they are shown, by name.
        title: What the rows of ``top`` are.
        top: A few rows, by column; bytes are PNG pictures.
        table: All rows.
        show: Prints what a terminal shows.
        draw: Draws the charts.
        page: The report's file; None where there is none.
    """

    numbers: Mapping[str, str]
    title: str
    top: Callable[[], Sequence[Mapping[str, object]]]
    table: Callable[[], pa.Table]
    show: Callable[[Console], None]
    draw: Callable[[], Figure]
    page: Path | None = None


@singledispatch
def view_of(result: object) -> View:
    """Return what a result has to show; registered for each type."""
    raise TypeError(f"nothing says how a {type(result).__name__} is shown; register a view of it with view_of")


class AbstractResult:
    """A result that a person looks at; derive from it, and register a `View` with `view_of`."""

    __slots__ = ()

    def report(self, width: int = _WIDTH) -> str:
        """Return what the command line prints of this, as text.

        Args:
            width: Letters in a line.
        """
        from rich.console import Console

        lines = StringIO()
        _view(self).show(Console(file=lines, width=width, color_system=None, legacy_windows=False, force_jupyter=False))
        return lines.getvalue()

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows as a DataFrame of pandas.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        table = _view(self).table()
        try:
            import pandas  # noqa: F401
        except ImportError as error:
            raise MissingExtraError(
                "to_pandas needs pandas: pip install pandas. The tables themselves are Arrow's, and need no more."
            ) from error
        frame: pd.DataFrame = table.to_pandas()
        return frame

    def plot(self) -> Figure:
        """Return the report's charts as a figure of matplotlib, which a notebook shows.

        Raises:
            MissingExtraError: matplotlib is not installed.
            InputError: There is nothing to draw.
        """
        return _view(self).draw()

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the line, the numbers, some rows, and where the report is."""
        view = _view(self)
        return _html(repr(self), view, view.top())


def _view(result: AbstractResult) -> View:
    import_module(_VIEWS)
    return view_of(result)


def _html(line: str, view: View, rows: Sequence[Mapping[str, object]]) -> str:
    """Everything from outside is escaped: ids, texts and names may be a stranger's."""
    parts = [f"<p><strong>{escape(line)}</strong></p>"]
    if view.numbers:
        cells = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in view.numbers.items()
        )
        parts.append(f"<table><tbody>{cells}</tbody></table>")
    if rows:
        head = "".join(f"<th>{escape(name)}</th>" for name in rows[0])
        body = "".join("<tr>" + "".join(map(_cell, row.values())) + "</tr>" for row in rows)
        title = f"<caption>{escape(view.title)}</caption>"
        parts.append(f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    if view.page is not None and view.page.exists():
        parts.append(page_link(view.page))
    return f"<div>{''.join(parts)}</div>"


def write_report(place: str | Path) -> Path:
    """Write the report of a study, and return its path; the highest layer makes it.

    Raises:
        TrainingError: Too few of its runs are complete.
        StorageError: It cannot be written.
    """
    written: Path = import_module(_VIEWS).inspect(place).write()
    return written


def page_link(page: Path) -> str:
    """Return a link to a report, relative to where the notebook is, as its server needs it."""
    try:
        place = os.path.relpath(page)
    except ValueError:  # on another drive
        place = str(page)
    return f'<p>Report: <a href="{escape(Path(place).as_posix(), quote=True)}" target="_blank">{escape(place)}</a></p>'


def _cell(value: Any) -> str:
    if isinstance(value, bytes):
        if not value.startswith(_PNG):
            return "<td></td>"
        content = base64.b64encode(value).decode("ascii")
        return f'<td><img alt="" style="{_PICTURE}" src="data:image/png;base64,{content}"></td>'
    if isinstance(value, float):
        return f"<td>{'' if value != value else f'{value:.4g}'}</td>"
    text = "" if value is None else str(value)
    return f"<td>{escape(text if len(text) <= _MOST_LETTERS else text[: _MOST_LETTERS - 1] + '…')}</td>"
