"""Worker processes that end when the process that works with them does, however that ends."""

from __future__ import annotations

import os
import sys
import threading
import time

_LOOK_EVERY_S = 1.0


def end_with(parent: int) -> None:
    """Have this process end soon after its parent has, even in the middle of a run.

    A parent that is killed cannot end its workers. They would go on with what they are at, for hours, and nobody would
    take the results. (Linux can send a signal instead, but does so when the *thread* ends that started the process.)

    Args:
        parent: The parent's process number.
    """
    threading.Thread(target=_watch, args=(parent,), name="reseed-parent-watch", daemon=True).start()


if sys.platform == "win32":

    def _watch(parent: int) -> None:
        import _winapi

        try:
            handle = _winapi.OpenProcess(_winapi.SYNCHRONIZE, False, parent)
        except OSError:  # there is no such process any more
            os._exit(1)
        _winapi.WaitForSingleObject(handle, _winapi.INFINITE)
        os._exit(1)

else:

    def _watch(parent: int) -> None:
        while os.getppid() == parent:  # an orphan gets another parent
            time.sleep(_LOOK_EVERY_S)
        os._exit(1)
