"""Ending tidily when the system asks for it, as on Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


class TerminatedError(KeyboardInterrupt):
    """The process was asked to end by SIGTERM, as batch systems, containers and `kill` do."""


@contextmanager
def termination_raised() -> Iterator[None]:
    """Have SIGTERM raise inside, once, so that what was begun is put away; a second one ends the process at once.

    Where somebody else handles the signal already, or outside the main thread, nothing changes.

    Raises:
        TerminatedError: The signal came.
    """
    is_ours = threading.current_thread() is threading.main_thread()
    if not is_ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise TerminatedError
