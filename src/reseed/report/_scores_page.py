"""A page for the scores of one lens that belong to no study."""

from __future__ import annotations

import os
from pathlib import Path

from reseed._parts import Parts
from reseed.report import _headline
from reseed.report import _text as text
from reseed.report._scores_section import scores_section
from reseed.report._shell import document, write_page
from reseed.scores import Scores


def write_scores_page(scores: Scores, path: str | os.PathLike[str], *, title: str) -> Path:
    """Write the numbers and charts of a lens as one HTML page that needs no network and no scripts.

    Args:
        scores: What it shows; all of it is treated as untrusted text.
        path: Where to put it; missing folders are made, an existing file is replaced.
        title: What the page is called.

    Returns:
        The path written.

    Raises:
        InputError: The path is a folder.
        StorageError: It cannot be written.
    """
    parts = Parts()
    section = scores_section(scores, scores.runs, parts)
    body = (
        '<main id="top">',
        f"<header><h1>{text.escape(title)}</h1></header>",
        _headline.notes(parts.notes),
        section,
        "</main>",
    )
    return write_page(document(title, "\n".join(body), {}), path)
