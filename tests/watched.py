"""Watching what a piece of code opens: files, connections, programs and modules, from Python and from libraries."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_READS = {"open": 0, "os.listdir": 0, "os.scandir": 0, "import": 1}
"""Events whose argument at this place is a path, where it is any."""
_NEVER = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen", "os.system", "os.exec")
_PYTHONS = sorted(
    {os.path.realpath(place) for place in (sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *sys.path[1:])}
)
_PROGRAMS = ("lscpu", "uname")  # joblib counts cores, Python names the processor
# What Python and its libraries ask the system itself: processors, memory, time zone, kinds of files.
_SYSTEMS = ("/proc", "/sys", "/dev/null", "/dev/urandom", "/etc/mime.types", "/etc/localtime", "/usr/share/zoneinfo")
_IN_OPEN = 0x20

_allowed: list[str] | None = None
_broken: list[str] = []


@contextmanager
def watched(*folders: Path) -> Iterator[list[str]]:
    """Give the list that fills with what is opened outside some folders, Python and its packages.

    A hook cannot be taken away again, so there is one for the process that sleeps outside.
    """
    global _allowed
    _install()
    _broken.clear()
    _allowed = [*(os.path.realpath(folder) for folder in folders), *_PYTHONS, *_SYSTEMS]
    try:
        yield _broken
    finally:
        _allowed = None


@contextmanager
def unopened(paths: Sequence[Path]) -> Iterator[list[str]]:
    """Give the list that is filled at the end with those of some files that anybody opened, libraries in C included."""
    opened: list[str] = []
    if not sys.platform.startswith("linux"):
        yield opened
        return
    system = ctypes.CDLL(None, use_errno=True)
    queue = system.inotify_init1(os.O_NONBLOCK)
    names = {system.inotify_add_watch(queue, os.fsencode(path), _IN_OPEN): str(path) for path in paths}
    try:
        yield opened
        try:
            events = os.read(queue, 1 << 16)
        except BlockingIOError:
            events = b""
        while events:
            watch, _, _, length = struct.unpack_from("iIII", events)
            opened.append(names[watch])
            events = events[16 + length :]
    finally:
        os.close(queue)


def _install() -> None:
    if not _install.__dict__:
        _install.__dict__["done"] = True
        sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if _allowed is None:
        return
    if event in _NEVER and arguments[0] not in _PROGRAMS:
        _broken.append(f"{event} {arguments[:2]!r}")
    elif event in _READS:
        path = arguments[_READS[event]]
        if isinstance(path, str | bytes | os.PathLike) and not _is_allowed(os.fsdecode(path)):
            _broken.append(f"{event} {path!r}")


def _is_allowed(path: str) -> bool:
    if not Path(path).is_absolute() and not os.path.lexists(path):
        return True  # a name in a folder that is open already, as shutil.rmtree uses it
    real = os.path.realpath(path)
    return any(real == place or real.startswith(f"{place}{os.sep}") for place in _allowed or ())
