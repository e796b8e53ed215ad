"""Worker processes that keep the memory which a step has freed for the next one."""

from __future__ import annotations

import ctypes
import os
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # names of malloc.h
_KEPT_BYTES, _MAPPED_BYTES = 2**30, 2**28


def keep_freed_memory() -> None:
    """Have the C library hand freed memory back to the system only from a gibibyte on, for the life of this process.

    The activations of a step are freed and wanted again at once. By default glibc returns what is free at the end of
    its heap, and the system then clears every page of it anew: on images that can take as long as the arithmetic.
    The heap of a worker ends in just these blocks; that of a process which holds the data seldom does, and is the
    user's. Blocks of 256 MiB and more are still given back, and where the environment sets thresholds they hold.
    """
    if sys.platform != "linux" or any(name.startswith("MALLOC_") for name in os.environ):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # other libraries have none
        mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_MMAP_THRESHOLD, _MAPPED_BYTES)
