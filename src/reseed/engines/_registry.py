"""Engines by name."""

from __future__ import annotations

import os
from typing import Literal, get_args

from reseed._errors import InputError
from reseed.engines._processes import ProcessesEngine
from reseed.engines._protocol import Engine
from reseed.engines._serial import SerialEngine

EngineName = Literal["auto", "serial", "processes", "stacked"]


def engine_by_name(name: str, *, jobs: int | None = None, on_accelerator: bool = False) -> Engine:
    """Return the engine of that name.

    Args:
        name: ``serial``; ``stacked``: serial too, with several runs as one program, which is the task's part;
            ``processes``; or ``auto``: processes where there is more than one core to use and no
            accelerator to share, else serial.
        jobs: Worker processes; default: the cores that this process may use.
        on_accelerator: Whether runs train on a GPU.

    Raises:
        InputError: The name is unknown, or ``jobs`` is less than 1.

    Examples:
        >>> engine_by_name("processes", jobs=2)
        ProcessesEngine(workers=2, name='processes')
    """
    if jobs is not None and jobs < 1:
        raise InputError(f"jobs must be 1 or more, got {jobs}.")
    if name not in get_args(EngineName):
        raise InputError(f"unknown engine {name!r}; choose among {', '.join(get_args(EngineName))}.")
    workers = jobs or usable_cores()
    if name == "stacked":
        return SerialEngine("stacked")
    if name == "serial" or (name == "auto" and (workers == 1 or on_accelerator)):
        return SerialEngine()
    return ProcessesEngine(workers)


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
