"""Where the header of a CSV or TSV file is, and what stands between its cells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

from reseed.data._encoding import line_of

_CANDIDATES = (",", ";", "\t", "|")
_CALLED = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SEPARATOR = re.compile(rb'"?sep=([^\w\r\n"])"?(?:\r\n?|\n)', re.IGNORECASE)  # as spreadsheets write it
_LINE = re.compile(rb"[^\r\n]+")


@dataclass(frozen=True)
class Layout:
    """How a file of delimited text is laid out.

    Attributes:
        content: the file.
        start: where its header begins.
        delimiter: what stands between cells.
        notes: what was taken for granted.
    """

    content: bytes
    start: int
    delimiter: str
    notes: tuple[str, ...] = ()

    @cached_property
    def text(self) -> bytes:
        """The header and all that follows."""
        return self.content[self.start :] if self.start else self.content

    def line(self, place: int) -> int:
        """The number, from 1, of the line that a byte of `text` is in."""
        return line_of(self.content, self.start + place)


def laid_out(content: bytes, delimiter: str) -> Layout:
    r"""Finds header and delimiter.

    A first line `sep=;` names the delimiter. Lines before the header that begin with `#` are comments, unless the last
    of them has as many cells as the line below. Where the header has more cells with another delimiter than with the
    usual one, as semicolons make it in much of Europe, that is the delimiter.

    Args:
        content: the file.
        delimiter: the usual one.

    Example:
        >>> found = laid_out(b"# by eval.py\nid;label\n1;a\n", ",")
        >>> found.text, found.delimiter
        (b'id;label\n1;a\n', ';')
    """
    separator = _SEPARATOR.match(content)
    start = separator.end() if separator else 0
    lines = list(takewhile(lambda line: line[0].startswith(b"#"), _LINE.finditer(content, start)))
    below = _LINE.search(content, lines[-1].end() if lines else start)
    chosen = separator[1].decode() if separator else _chosen(content, below, delimiter)
    notes = [] if separator or chosen == delimiter else [f"Its cells are separated by {_CALLED[chosen]}."]
    mark = chosen.encode()
    if lines and below is not None:
        if lines[-1][0].count(mark) == below[0].count(mark):
            below = lines.pop()
        if lines:
            notes.append(f"Lines before the header that begin with # are left out: {len(lines)}.")
            start = below.start()
    return Layout(content, start, chosen, tuple(notes))


def _chosen(content: bytes, header: re.Match[bytes] | None, usual: str) -> str:
    """The usual delimiter, or the one that the header has more of, where the next line has not another number of it."""
    if header is None:
        return usual
    counts = {mark: header[0].count(mark.encode()) for mark in _CANDIDATES}
    best = max(_CANDIDATES, key=lambda mark: (counts[mark], mark == usual))
    second = _LINE.search(content, header.end())
    fits = counts[usual] == 0 or second is None or second[0].count(best.encode()) == counts[best]
    return best if counts[best] > counts[usual] and fits else usual
