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
        total: How much there will be.
        done: How much there is already.
        words: What stands beside the bar.
    """

    def __init__(self, total: int, done: int, words: str) -> None:
        self._total = total
        self._move: Callable[[str], None] | None = None
        if is_notebook():
            html = _html()
            from IPython.display import display

            handle = display(html(self._bar(done, words)), display_id=True)  # type: ignore[no-untyped-call]
            self._move = lambda text: handle.update(html(text))

    def move(self, done: int, words: str) -> None:
        """Show how much is done now."""
        if self._move is not None:
            self._move(self._bar(done, words))

    def _bar(self, done: int, words: str) -> str:
        return f'<label><progress value="{done}" max="{self._total}"></progress> {escape(words)}</label>'


def show_link(page: Path) -> None:
    """Show where a report is that has just been written; nothing outside notebooks."""
    if is_notebook():
        from IPython.display import display

        display(_html()(page_link(page)))  # type: ignore[no-untyped-call]


def _html() -> Callable[[str], Any]:
    from IPython.display import HTML

    return HTML
