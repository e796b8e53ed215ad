"""The studies behind a page: where they are, and their reports."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from reseed.report import _text as text
from reseed.report._shell import section_html
from reseed.studies import Study

_LETTERS = 120


def studies_section(studies: Mapping[str, Study], folder: Path | None) -> str:
    """The section that lists studies.

    Args:
        studies: What to list, by what each is called.
        folder: Where the page will lie, for links to reports that lie beside the studies; None: there are no links.
    """
    rows = "".join(
        f"<div><dt><bdi>{text.escape(text.clip(name, _LETTERS))}</bdi></dt>"
        f"<dd><bdi>{text.escape(_place(study, folder))}</bdi>, base seed {study.header.base_seed}, "
        f"{text.plural(len(study.manifests), 'complete run')}; {_report(study, folder)}</dd></div>"
        for name, study in studies.items()
    )
    return section_html("made", "Which studies", f'<dl class="entries">{rows}</dl>' if rows else "")


def _place(study: Study, folder: Path | None) -> str:
    """Return where a study is: seen from the page where it lies below it."""
    if study.url is not None:
        return study.url
    between = _between(study.path, folder)
    return str(study.path) if between is None or between.startswith("..") else between


def _report(study: Study, folder: Path | None) -> str:
    """Return a link to the report that lies in a study's folder, or how to make one."""
    page, between = study.path / "report.html", _between(study.path / "report.html", folder)
    if study.url is None and between is not None and page.is_file():
        return f'<a href="{text.escape(quote(between))}">its report</a>'
    place = text.escape(shlex.quote(study.url or str(study.path)))
    return f"<code>reseed report {place}</code> makes its report"


def _between(path: Path, folder: Path | None) -> str | None:
    """Return the way from a folder to a path; None where there is none."""
    if folder is None:
        return None
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:  # on another drive
        return None
