"""Pages as the check reads them: blocks of text, and the comments that bind their numbers.

A comment stands on lines of its own and is one of

    <!-- let NAME = EXPRESSION ... -->           names for the rest of the page, one a line
    <!-- numbers TEXT = EXPRESSION ... -->       binds the block above, one binding a line
    <!-- numbers TEXT: REASON ... -->            says why a number is no measurement; * for all that are left
    <!-- card CLASS ... -->                      the same for a method's card, the docstring of a class
    <!-- printed EXPRESSION -->                  the block below is what the expression returns, line by line

A block is a paragraph, a list, a table, a quotation or a fence: what blank lines or comments part. What follows the
first word may begin on the next line; a line that is indented further continues the one before it. TEXT ends at the
first " = " or, where there is none, ": ".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

KINDS = ("let", "numbers", "card", "printed")
_COMMENT = re.compile(rf"\s*<!-- ({'|'.join(KINDS)})\b(.*)")
_FENCE = re.compile(r"\s*(```+|~~~+)(\S*)")
_MARKS = re.compile(r"\s*(> ?|[-*] |\d+\. |:   )?")
_SECTIONS = ("Args:", "Attributes:", "Returns:", "Raises:", "Examples:", "References:")


@dataclass(frozen=True)
class Line:
    """A line of a file, or a part of one: where it is and what it says."""

    number: int
    column: int
    text: str


@dataclass(frozen=True)
class Block:
    """Lines that belong together.

    Attributes:
        path: The file.
        lines: Where they are; marks of lists and quotes are left out.
        kind: ``text``, ``code`` (indented), ``heading``, or ``fence`` and its language.
    """

    path: Path
    lines: tuple[Line, ...]
    kind: str = "text"

    @property
    def flat(self) -> str:
        """The text on one line."""
        return " ".join(line.text for line in self.lines)

    def place(self, index: int) -> tuple[int, int]:
        """Returns line and column, both from 0, of a character of the flat text."""
        for line in self.lines:
            if index < len(line.text) + 1:
                return line.number, line.column + index
            index -= len(line.text) + 1
        raise IndexError(index)


@dataclass(frozen=True)
class Binding:
    """A line of a comment: the text that it speaks of, where that begins, and an expression or a reason."""

    text: str
    line: int
    column: int
    expression: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Comment:
    """A comment that the check understands, with the block that it is about."""

    kind: str
    line: int
    name: str = ""
    expression: str = ""
    bindings: tuple[Binding, ...] = ()
    block: Block | None = None


@dataclass(frozen=True)
class Page:
    """A page's blocks and comments, in order."""

    path: Path
    blocks: tuple[Block, ...]
    comments: tuple[Comment, ...]


class PageError(Exception):
    """A comment that cannot be read; the message names the file and the line."""


@dataclass
class _Reader:
    """Reads a page line by line."""

    path: Path
    blocks: list[Block] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    pending: Comment | None = None

    def read(self) -> Page:
        lines = self.path.read_text(encoding="utf-8").splitlines()
        at = 0
        while at < len(lines):
            end = at + 1
            if found := _COMMENT.match(lines[at]):
                while "-->" not in lines[end - 1]:
                    end += 1
                    if end > len(lines):
                        raise PageError(f"{self.path}:{at + 1}: the comment has no end")
                self.comment(found[1], found[2], at, lines[at:end])
            elif found := _FENCE.match(lines[at]):
                while end < len(lines) and not lines[end].strip().startswith(found[1]):
                    end += 1
                end += 1
                self.add(f"fence {found[2]}", [Line(at + i, 0, text) for i, text in enumerate(lines[at:end])])
            elif lines[at].strip():
                while end < len(lines) and lines[end].strip() and not _COMMENT.match(lines[end]):
                    end += 1
                self.text(at, lines[at:end])
            at = end
        if self.pending is not None:
            raise PageError(f"{self.path}:{self.pending.line + 1}: there is nothing below that could be printed")
        return Page(self.path, tuple(self.blocks), tuple(self.comments))

    def text(self, first: int, lines: list[str]) -> None:
        kind = "heading" if lines[0].startswith("#") else "code" if all(x.startswith("    ") for x in lines) else "text"
        parts = []
        for number, line in enumerate(lines, first):
            start = len(_MARKS.match(line)[0])
            parts.append(Line(number, start, line[start:].rstrip()))
        self.add(kind, parts)

    def add(self, kind: str, lines: list[Line]) -> None:
        block = Block(self.path, tuple(lines), kind)
        self.blocks.append(block)
        if self.pending is not None:
            pending, self.pending = self.pending, None
            self.comments.append(Comment(pending.kind, pending.line, expression=pending.expression, block=block))

    def comment(self, kind: str, rest: str, first: int, lines: list[str]) -> None:
        if kind == "printed":
            inside = " ".join([rest, *lines[1:]]).partition("-->")[0]
            self.pending = Comment(kind, first, expression=" ".join(inside.split()))
            return
        body = [(first, lines[0].index(rest) if rest else len(lines[0]), rest)]
        body += [(first + i, 0, line) for i, line in enumerate(lines[1:], 1)]
        name = ""
        if kind == "card":
            name, _, rest = rest.strip().partition(" ")
            body[0] = (first, lines[0].rindex(rest) if rest else len(lines[0]), rest)
        bindings = tuple(self.bindings(kind, body))
        block = self.blocks[-1] if self.blocks and kind == "numbers" else None
        if kind == "numbers" and block is None:
            raise PageError(f"{self.path}:{first + 1}: there is nothing above that the comment could bind")
        self.comments.append(Comment(kind, first, name, bindings=bindings, block=block))

    def bindings(self, kind: str, body: list[tuple[int, int, str]]) -> Iterator[Binding]:
        entries: list[list[tuple[int, int, str]]] = []
        least = min((len(text) - len(text.lstrip()) for _, _, text in body[1:] if text.strip(" ->")), default=0)
        for number, column, text in body:
            said = text.partition("-->")[0].rstrip()
            if not said.strip():
                continue
            indent = len(said) - len(said.lstrip())
            if entries and number > body[0][0] and indent > least:
                entries[-1].append((number, column, said))
            else:
                entries.append([(number, column + indent, said.lstrip())])
        for (number, column, text), *more in entries:
            whole = " ".join([text, *(said.strip() for _, _, said in more)])
            left, equals, expression = whole.partition(" = ")
            if not equals:
                left, colon, reason = whole.partition(": ")
                if not colon or kind == "let":
                    wanted = "NAME = EXPRESSION" if kind == "let" else "TEXT = EXPRESSION or TEXT: REASON"
                    raise PageError(f"{self.path}:{number + 1}: expected {wanted}, found {whole!r}")
                yield Binding(left.strip(), number, column, reason=reason.strip())
            else:
                yield Binding(left.strip(), number, column, expression=expression.strip())


def read_page(path: Path) -> Page:
    """Returns the blocks and comments of a Markdown file.

    Raises:
        PageError: A comment cannot be read.
    """
    return _Reader(path).read()


def read_cards(folder: Path) -> dict[str, Block]:
    """Returns the prose of every method's card, by its class: formulas, sections and examples are left out."""
    found = {}
    for path in sorted(folder.glob("_*.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.parse("\n".join(lines)).body:
            if isinstance(node, ast.ClassDef) and "Use it when:" in (ast.get_docstring(node) or ""):
                text = node.body[0]
                found[node.name] = Block(path, tuple(_prose(lines, text.lineno - 1, text.end_lineno or 0)))
    return found


def _prose(lines: list[str], start: int, end: int) -> Iterator[Line]:
    margin, after_blank, in_formula = len(lines[start]) - len(lines[start].lstrip()), False, False
    for number in range(start, end):
        said = lines[number].strip().strip('"')
        if said in _SECTIONS:
            return
        indented = len(lines[number]) - len(lines[number].lstrip()) > margin
        in_formula = bool(said) and indented and (in_formula or after_blank)
        after_blank = not said
        if said and not in_formula:
            yield Line(number, lines[number].index(said), said)
