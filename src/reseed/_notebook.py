"""What a notebook shows while and after something long is done; elsewhere nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from reseed._shown import page_link


def is_notebook() -> bool:
    """Whether this process is the kernel of a notebook, whose outputs may be HTML."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


class NotebookBar:
    """A bar of work that is done, shown at once and moved where it is; nothing outside notebooks.

    Args:
        title: What is counted.
        total: How many there will be.
        done: How many there are already.
        words: What stands behind the numbers.
    """

    def __init__(self, title: str, total: int, done: int = 0, words: str = "") -> None:
        self._title, self._total = title, total
        self._move: Callable[[str], None] | None = None
        if is_notebook():
            html = _html()
            from IPython.display import display

            handle = display(html(self._bar(done, words)), display_id=True)  # type: ignore[no-untyped-call]
            self._move = lambda text: handle.update(html(text))

    def move(self, done: int, words: str = "") -> None:
        """Show how many are done now."""
        if self._move is not None:
            self._move(self._bar(done, words))

    def _bar(self, done: int, words: str) -> str:
        told = f"{self._title} {done} of {self._total}{', ' if words else ''}{words}"
        return f'<label><progress value="{done}" max="{self._total}"></progress> {escape(told)}</label>'


def show_link(page: Path) -> None:
    """Show where a report is that has just been written; nothing outside notebooks."""
    if is_notebook():
        from IPython.display import display

        display(_html()(page_link(page)))  # type: ignore[no-untyped-call]


def _html() -> Callable[[str], Any]:
    from IPython.display import HTML

    return HTML
