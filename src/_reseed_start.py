"""Where the command `reseed` begins: what it needs takes seconds to import, and Ctrl-C may come meanwhile."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import NoReturn


def main() -> None:
    """Run the command line and exit."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # a job in the background ignores it, and shall go on doing so
        signal.signal(signal.SIGINT, _quit)
    from reseed.cli import main as command

    signal.signal(signal.SIGINT, before)
    command()


def _quit(number: int, frame: FrameType | None) -> NoReturn:
    # Not by an exception: extension modules that are being imported may swallow it, or make another one of it.
    os.write(2, b"interrupted before anything was begun.\n")
    os._exit(130)
