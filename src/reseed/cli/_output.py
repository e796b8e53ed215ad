"""How commands print what they found."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import reseed
from reseed._plain import plain

if TYPE_CHECKING:
    from rich.console import Console

    from reseed import Comparison, Measurement, Randomization, Stabilisation


def show(found: Measurement, *, as_json: bool, top: int = 10, is_written: bool = True) -> None:
    """Print a study's summary and which scores of lenses it keeps, and where it was written."""
    scores, gaps = ((), ()) if as_json and is_written else reseed.scores.readable_scores(found.study)
    if as_json:
        print_json(found.summary | ({"scores": reseed.report.scores_listing(scores)} if scores else {}))
    else:
        notes = () if found.tracked is None else found.tracked.notes
        top = min(top, len(found.study.samples))
        reseed.report.print_stability(found.study, found.stability, console(), top=top, notes=notes)
        reseed.report.print_kept_scores(scores, console())
    if not is_written:
        _print_lines(gaps, sys.stderr if as_json else sys.stdout)
    if is_written and not as_json:
        print(f"study:  {found.study.url or found.study.path}")
        print(f"report: {found.study.path / reseed.workflows.REPORT}")
    if is_written:
        print_notes(found, sys.stderr if as_json else sys.stdout)


def print_notes(found: Measurement, stream: TextIO) -> None:
    """Say what is missing from what was written."""
    _print_lines(found.notes, stream)


def _print_lines(notes: Sequence[str], stream: TextIO) -> None:
    for note in notes:
        print(f"note: {plain(note)}", file=stream)


def console() -> Console:
    """Return where tables go; imported here, since nobody else needs it."""
    from rich.console import Console

    return Console()


def print_json(value: dict[str, Any]) -> None:
    """Print JSON; numbers that are not finite become null, and what a terminal might obey is escaped."""
    strict = json.loads(json.dumps(value), parse_constant=lambda _: None)
    is_unicode = (getattr(sys.stdout, "encoding", None) or "").lower().startswith("utf")
    text = json.dumps(strict, indent=2, ensure_ascii=not is_unicode)
    print("".join(item if item.isprintable() or item == "\n" else json.dumps(item)[1:-1] for item in text))


def open_page(page: Path) -> None:
    """Open a page that was written in the browser; say where it is if none can be opened."""
    import webbrowser

    try:
        is_open = webbrowser.open(page.resolve().as_uri())
    except (webbrowser.Error, OSError):
        is_open = False
    if not is_open:
        print(f"note: no browser can be opened here; the page is {plain(str(page))}", file=sys.stderr)


def show_comparison(found: Comparison, folder: Path, *, as_json: bool, details: bool = False) -> None:
    """Print a comparison, and where it was written."""
    if as_json:
        print_json(found.summary)
        return
    reseed.report.print_comparison(found, console(), details=details)
    print(f"numbers: {folder / reseed.workflows.COMPARISON}")
    print(f"report:  {folder / reseed.workflows.PAGE}")


def show_design(
    found: Randomization | Stabilisation, table: Callable[..., None], files: tuple[str, str], *, as_json: bool
) -> None:
    """Print what a design of several studies found, and where it was written.

    Args:
        found: The design.
        table: Prints it to a console under a title.
        files: The names of its numbers and of its page.
        as_json: Whether to print the numbers as JSON, and nothing else.
    """
    if as_json:
        print_json(found.summary)
        return
    header = next(iter(found.studies.values())).header
    table(console(), title=f"{header.dataset}, {header.model}")
    for what, name in zip(("numbers: ", "report:  "), files, strict=True):
        print(f"{what}{found.path / name}")
