"""What all pages share: one self-contained HTML file whose scripts are pinned by their hashes, written in one step."""

import base64
import hashlib
import os
from collections.abc import Mapping
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


def document(title: str, body: str, data: Mapping[str, object], script: str | None, *, has_charts: bool = True) -> str:
    """A page with the chart library and one script, which find the data as JSON in elements of their names.

    The content security policy lets only these two scripts run, by their hashes, and forbids every request.

    Args:
        title: What the window is called; plain text.
        body: From the first element of the body to its last; HTML.
        data: JSON values by element id.
        script: Name of the script beside this file; None: the page needs none.
        has_charts: Whether the page needs the chart library, which is nearly all of its size.
    """
    plotly, plotly_hash = _script(_plotly_source() if has_charts else "")
    own, own_hash = _script("" if script is None else _resource(script))
    policy = (
        f"default-src 'none'; script-src 'sha256-{plotly_hash}' 'sha256-{own_hash}'; "
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
    footer = "<footer><p>Made by reseed. This file is complete: it loads nothing.</p></footer>"
    values = "\n".join(
        f'<script type="application/json" id="{name}">{text.inline_json(value)}</script>'
        for name, value in data.items()
    )
    return head + "\n".join(("<body>" + body, footer, values, plotly, own, "</body></html>\n"))


def navigation(sections: Mapping[str, str]) -> str:
    """Links to the sections of a page, by their places what they are called."""
    links = "".join(f'<li><a href="#{place}">{name}</a></li>' for place, name in sections.items())
    return f'<nav aria-label="Contents"><ul>{links}</ul></nav>'


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


def _script(source: str) -> tuple[str, str]:
    """An inline script and the hash that the content security policy allows it by."""
    safe = source.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    digest = hashlib.sha256(safe.encode("utf-8")).digest()
    return f"<script>{safe}</script>", base64.b64encode(digest).decode("ascii")


def _resource(name: str) -> str:
    return resources.files("reseed.report").joinpath(name).read_text(encoding="utf-8")


def _plotly_source() -> str:
    from plotly.offline import get_plotlyjs  # imported here: nobody pays for it who makes no report

    return str(get_plotlyjs())
