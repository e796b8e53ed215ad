"""How much of this machine there is to use."""

from __future__ import annotations

import os

from reseed._bounds import machine_bytes

_WORKER_BYTES = 1 << 28  # a worker process that has done nothing but import torch takes this much


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def most_workers() -> int:
    """Return how many worker processes this machine has memory for, but no fewer than it has cores."""
    return max(usable_cores(), machine_bytes() // _WORKER_BYTES)
