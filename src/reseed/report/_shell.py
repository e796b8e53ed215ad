"""What all pages share: one self-contained HTML file whose script is pinned by its hash, written in one step."""

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from reseed._errors import InputError
from reseed.report import _text as text
from reseed.studies import replace_text


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        html: The whole of it.
        notes: What it tells readers before they read on, of what could not be put on it too.
    """

    html: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """A section of a page: its anchor, what the navigation calls it, and its HTML, empty where there is none."""

    place: str
    name: str
    html: str


SCRIPT = ("dom", "samples", "filters", "table", "place", "sample", "start")
"""The parts of the script of a study's page, in order; each is a file in ``script``."""


def document(title: str, body: str, data: Mapping[str, object], parts: Sequence[str] = (), made: str = "") -> str:
    """A page with at most one script, which finds the data as JSON in elements of their names.

    The content security policy lets only this script run, by its hash, and forbids every request.

    Args:
        title: What the window is called; plain text.
        body: From the first element of the body to its last; HTML.
        data: JSON values by element id.
        parts: Names of the files that are the script together; none: the page needs no script.
        made: How the page came about, as HTML.
    """
    own, allowed = _script(parts)
    policy = (
        f"default-src 'none'; script-src {allowed}; "
        "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    head = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        '<meta name="generator" content="reseed"><link rel="icon" href="data:,">'
        f"<title>{text.escape(title)}</title><style>{_resource('page.css')}{_resource('chart.css')}</style></head>"
    )
    footer = f"<footer>{made}<p>Made by reseed. This file is complete: it loads nothing.</p></footer>"
    values = "\n".join(
        f'<script type="application/json" id="{name}">{text.inline_json(value)}</script>'
        for name, value in data.items()
    )
    return head + "\n".join(("<body>" + body, footer, values, own, "</body></html>\n"))


def navigation(sections: Mapping[str, str]) -> str:
    """Links to the sections of a page, by their places what they are called."""
    links = "".join(f'<li><a href="#{place}">{name}</a></li>' for place, name in sections.items())
    return f'<nav aria-label="Contents"><ul>{links}</ul></nav>'


def section_html(place: str, title: str, content: str) -> str:
    """Content under a heading of the second order, at an anchor; nothing without content. All of it is HTML."""
    if not content:
        return ""
    start = f'<section id="{place}" aria-labelledby="{place}-title"><h2 id="{place}-title">{title}</h2>'
    return f"{start}\n{content}</section>"


def write_page(page: str, path: str | os.PathLike[str], name: str = "report.html") -> Path:
    """Write a page to a file, which either is complete or does not appear.

    Args:
        page: The HTML text.
        path: Where to put it; missing folders are made, an existing file is replaced.
        name: A name for the file, for the message where ``path`` is a folder.

    Raises:
        InputError: The path is a folder.
        StorageError: It cannot be written.
    """
    target = Path(path)
    if target.is_dir():
        example = str(target / name)
        raise InputError(f"path {str(target)!r} is a folder: pass the name of a file, such as {example!r}")
    replace_text(target, page)
    return target


def _script(parts: Sequence[str]) -> tuple[str, str]:
    """An inline script, and how the content security policy names it; nothing, and no script, of no parts."""
    if not parts:
        return "", "'none'"
    inside = "\n".join(_resource(f"script/{name}.js") for name in parts)
    safe = f'(() => {{\n"use strict";\n{inside}}})();'.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    digest = hashlib.sha256(safe.encode("utf-8")).digest()
    return f"<script>{safe}</script>", f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _resource(name: str) -> str:
    return resources.files("reseed.report").joinpath(name).read_text(encoding="utf-8")
