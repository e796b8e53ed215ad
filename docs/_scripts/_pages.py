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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

KINDS = ("let", "numbers", "card", "printed")
_COMMENT = re.compile(rf"\s*<!-- ({'|'.join(KINDS)})\b(?:(?<=card) (\w+))?")
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
        """Return line and column, both from 0, of a character of the flat text."""
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
    printed: Comment | None = None  # waits for its block

    def read(self) -> Page:
        lines = self.path.read_text(encoding="utf-8").splitlines()
        at = 0
        while at < len(lines):
            end = at + 1
            if found := _COMMENT.match(lines[at]):
                end = self._end(lines, at, at, lambda line: "-->" in line)
                self._comment(found, at, lines[at:end])
            elif found := _FENCE.match(lines[at]):
                mark = found[1]
                end = self._end(lines, at, at + 1, lambda line, mark=mark: line.strip().startswith(mark))
                inside = [Line(number, 0, lines[number]) for number in range(at + 1, end - 1)]
                self._block(f"fence {found[2]}", [Line(at, 0, ""), *inside, Line(end - 1, 0, "")])
            elif lines[at].strip():
                while end < len(lines) and lines[end].strip() and not _starts_another(lines[end]):
                    end += 1
                self._text(at, lines[at:end])
            at = end
        if self.printed is not None:
            raise self._error(self.printed.line, "there is nothing below that could be printed")
        return Page(self.path, tuple(self.blocks), tuple(self.comments))

    def _end(self, lines: list[str], first: int, start: int, is_last: Callable[[str], bool]) -> int:
        """Return the place behind the line that ends what begins at the first."""
        for number in range(start, len(lines)):
            if is_last(lines[number]):
                return number + 1
        raise self._error(first, "what begins here has no end")

    def _text(self, first: int, lines: list[str]) -> None:
        kind = "heading" if lines[0].startswith("#") else "code" if all(x.startswith("    ") for x in lines) else "text"
        starts = [len(_MARKS.match(line)[0]) for line in lines]
        parts = enumerate(zip(lines, starts, strict=True), first)
        self._block(kind, [Line(number, start, line[start:].rstrip()) for number, (line, start) in parts])

    def _block(self, kind: str, lines: list[Line]) -> None:
        self.blocks.append(Block(self.path, tuple(lines), kind))
        if self.printed is not None:
            self.comments.append(replace(self.printed, block=self.blocks[-1]))
            self.printed = None

    def _comment(self, head: re.Match[str], first: int, lines: list[str]) -> None:
        kind, name = head[1], head[2] or ""
        body = [" " * head.end() + lines[0][head.end() :], *lines[1:]]  # what is left keeps its columns
        body = [line.partition("-->")[0].rstrip() for line in body]
        if kind == "printed":
            self.printed = Comment(kind, first, expression=" ".join(" ".join(body).split()))
            return
        if kind == "numbers" and not self.blocks:
            raise self._error(first, "there is nothing above that the comment could bind")
        bindings = tuple(self._binding(kind, *entry) for entry in _entries(first, body))
        self.comments.append(
            Comment(kind, first, name, bindings=bindings, block=self.blocks[-1] if kind == "numbers" else None)
        )

    def _binding(self, kind: str, line: int, column: int, said: str) -> Binding:
        text, equals, expression = said.partition(" = ")
        if equals:
            return Binding(text.strip(), line, column, expression=expression.strip())
        text, colon, reason = said.partition(": ")
        if not colon or kind == "let":
            wanted = "NAME = EXPRESSION" if kind == "let" else "TEXT = EXPRESSION or TEXT: REASON"
            raise self._error(line, f"expected {wanted}, found {said!r}")
        return Binding(text.strip(), line, column, reason=reason.strip())

    def _error(self, line: int, message: str) -> PageError:
        return PageError(f"{self.path}:{line + 1}: {message}")


def _entries(first: int, body: list[str]) -> list[tuple[int, int, str]]:
    """Return line, column and text of every binding; lines that are indented further continue the one before them."""
    indents = [len(line) - len(line.lstrip()) for line in body]
    least = min((indent for indent, line in zip(indents[1:], body[1:], strict=True) if line), default=0)
    found: list[tuple[int, int, str]] = []
    for number, (indent, line) in enumerate(zip(indents, body, strict=True)):
        if line and found and number > 0 and indent > least:
            found[-1] = (*found[-1][:2], f"{found[-1][2]} {line.strip()}")
        elif line:
            found.append((first + number, indent, line.strip()))
    return found


def _starts_another(line: str) -> bool:
    """Tell whether a line ends the block before it: a comment of the check, or a fence."""
    return _COMMENT.match(line) is not None or _FENCE.match(line) is not None


def read_page(path: Path) -> Page:
    """Return the blocks and comments of a Markdown file.

    Raises:
        PageError: A comment cannot be read.
    """
    return _Reader(path).read()


def read_cards(folder: Path) -> dict[str, Block]:
    """Return the prose of every method's card, by its class: formulas, sections and examples are left out."""
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
