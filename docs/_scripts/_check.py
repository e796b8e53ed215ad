"""Holds the numbers of pages against expressions on the raw numbers, and finds those that nothing speaks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _pages import Binding, Block, Comment, Page
from _printed import MINUS, numbers_in, without_code, words_in

UNMEASURED = {
    r"95 %[ -](two-way |prediction |t-|upper )?(interval|bound)": "the level of all intervals",
    r"Python 3\.\d+": "a version",
    r"^\d+\. ": "a place in a list",
    rf"(?<![\w.,+-]){MINUS}?[01](?![\w%]|[.,]\d| %| (?:points|nats|s|[kMG]B)\b)": "zero and one by themselves",
}
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Fault:
    """What is wrong, and where; the line counts from 0."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        shown = self.path.relative_to(_ROOT) if self.path.is_relative_to(_ROOT) else self.path
        return f"{shown}:{self.line + 1}: {self.message}"


@dataclass(frozen=True)
class Edit:
    """Text to put in place of other text; lines and columns count from 0."""

    path: Path
    line: int
    column: int
    old: str
    new: str


@dataclass
class Check:
    """A check of pages and cards, and what it has found so far.

    Attributes:
        names: What expressions can use.
        faults: What is wrong.
        edits: What would mend it.
        count: Numbers and sentences that were compared.
    """

    names: Mapping[str, Any]
    faults: list[Fault] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    count: int = 0
    _taken: dict[Block, list[tuple[int, int]]] = field(default_factory=dict)

    def page(self, page: Page, cards: Mapping[str, Block]) -> None:
        """Check a page's comments, then that its blocks hold no number that nothing speaks for."""
        names = dict(self.names)
        for comment in page.comments:
            block = cards.get(comment.name) if comment.kind == "card" else comment.block
            if comment.kind == "let":
                for binding in comment.bindings:
                    names[binding.text] = self._value(binding.expression, names, page.path, binding.line)
            elif block is None:
                self.faults.append(Fault(page.path, comment.line, f"there is no card {comment.name!r}"))
            elif comment.kind == "printed":
                self._printed(comment, block, names)
            else:
                for binding in comment.bindings:
                    self._bound(binding, block, names, page.path)
        for block in page.blocks:
            self.left_over(block)

    def left_over(self, block: Block) -> None:
        """Tell of every number of a block that nothing speaks for; examples of code hold none."""
        if block.kind.startswith("fence") and block.kind != "fence text":
            return
        flat = block.flat
        allowed = [found.span() for pattern in UNMEASURED for found in re.finditer(pattern, without_code(flat))]
        for number in numbers_in(flat):
            spans = (*self._taken.get(block, []), *allowed)
            if not any(start <= number.start and number.end <= end for start, end in spans):
                around = flat[max(0, number.start - 25) : number.end + 25]
                line = block.place(number.start)[0]
                self.faults.append(Fault(block.path, line, f"{number.text} is bound to nothing: {around!r}"))

    def _value(self, expression: str, names: Mapping[str, Any], path: Path, line: int) -> Any:
        try:
            return eval(expression, dict(names))  # noqa: S307 (the pages are as much ours as this script)
        except Exception as error:
            message = f"{expression} cannot be computed: {type(error).__name__}: {error}"
            self.faults.append(Fault(path, line, message))
            return None

    def _printed(self, comment: Comment, block: Block, names: Mapping[str, Any]) -> None:
        """Compare a block with what its expression returns, line by line."""
        path, first = block.path, block.lines[0].number
        lines = self._value(comment.expression, names, path, comment.line)
        if lines is None:
            return
        shown = path.read_text(encoding="utf-8").splitlines()[first : block.lines[-1].number + 1]
        self._take(block, 0, len(block.flat))
        self.count += sum(len(numbers_in(line)) for line in lines)
        for number, (old, new) in enumerate(zip(shown, lines, strict=False), first):
            if old != new:
                message = f"printed {old!r}, right {new!r} ({comment.expression})"
                self.faults.append(Fault(path, number, message))
        if len(shown) != len(lines):
            message = f"{len(shown)} lines printed, right {len(lines)} ({comment.expression})"
            self.faults.append(Fault(path, first, message))
        if shown != lines:
            self.edits.append(Edit(path, first, 0, "\n".join(shown), "\n".join(lines)))

    def _bound(self, binding: Binding, block: Block, names: Mapping[str, Any], path: Path) -> None:
        """Find a binding's text in its block, and compare it with the value of its expression."""
        if binding.text == "*" and binding.reason:
            self._take(block, 0, len(block.flat))
            return
        start = self._find(block, binding.text)
        if start < 0:
            where = f"the text from line {block.lines[0].number + 1} of {block.path.name} on"
            self.faults.append(Fault(path, binding.line, f"{binding.text!r} is not in {where}"))
            return
        self._take(block, start, start + len(binding.text))
        value = self._value(binding.expression, names, path, binding.line) if binding.expression else None
        if value is None:
            return
        line = block.place(start)[0]
        if isinstance(value, bool):
            self.count += 1
            if not value:
                self.faults.append(Fault(block.path, line, f"{binding.text!r} is not so: {binding.expression}"))
        elif isinstance(value, str):
            self.count += 1
            if value not in binding.text:
                message = f"printed {binding.text!r}, right {value!r} ({binding.expression})"
                self.faults.append(Fault(block.path, line, message))
        else:
            self._compare(binding, block, start, _flat(value), path)

    def _compare(self, binding: Binding, block: Block, start: int, values: list[float], path: Path) -> None:
        """Compare a text's numbers, or where it has none its words for numbers, with values, one by one."""
        shown = numbers_in(binding.text) or words_in(binding.text)
        if len(values) != len(shown):
            message = f"{binding.text!r} has {len(shown)} numbers, {binding.expression} has {len(values)}"
            self.faults.append(Fault(path, binding.line, message))
            return
        self.count += len(shown)
        for number, right in zip(shown, values, strict=True):
            if not number.shows(right):
                new, (line, column) = number.like(right), block.place(start + number.start)
                message = f"printed {number.text} in {binding.text!r}, right {new} ({binding.expression}: {right:g})"
                self.faults.append(Fault(block.path, line, message))
                self.edits.append(Edit(block.path, line, column, number.text, new))
                self.edits.append(Edit(path, binding.line, binding.column + number.start, number.text, new))

    def _find(self, block: Block, text: str) -> int:
        """Return where a text first stands by itself and no earlier binding speaks for it; -1 where it does not."""
        flat, taken = block.flat, self._taken.get(block, [])
        before, after = r"(?<![\w.])" if text[0].isalnum() else "", r"(?!\w)" if text[-1].isalnum() else ""
        places = [found.start() for found in re.finditer(before + re.escape(text) + after, flat)]
        free = [at for at in places if not any(at < end and at + len(text) > start for start, end in taken)]
        return (free or places or [-1])[0]

    def _take(self, block: Block, start: int, end: int) -> None:
        self._taken.setdefault(block, []).append((start, end))


def _flat(value: Any) -> list[float]:
    return [part for each in value for part in _flat(each)] if isinstance(value, list | tuple) else [float(value)]
