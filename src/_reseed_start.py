"""Where the command `reseed` begins: what it needs takes seconds to import, and Ctrl-C may come meanwhile."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


def main() -> None:
    """Run the command line and exit."""
    with quitting():
        from reseed.cli import main as command
    command()


@contextmanager
def quitting() -> Iterator[None]:
    """Have Ctrl-C end the process at once inside, where modules are imported and nothing is begun.

    Not by an exception: extension modules that are being imported may swallow it, or make another one of it. A job in
    the background, which ignores Ctrl-C, goes on doing so.
    """
    is_ours = threading.current_thread() is threading.main_thread()
    if not is_ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _quit)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _quit(number: int, frame: FrameType | None) -> NoReturn:
    os.write(2, b"interrupted before anything was begun.\n")
    os._exit(130)
