"""Running the command line on what might do harm, and seeing that it does none.

Whatever a command is given: it ends with a status that is documented, without a traceback, in time, within a bound of
memory, and has opened nothing but what it was given, where it was told to write, and Python with its packages.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, settings
from tests.watched import watched

from reseed.cli import main

MINUTES = float(os.environ.get("FUZZ_MINUTES", "0"))
LIMIT = 64 << 20
"""What commands may read at once."""
BOUND = 6 * LIMIT + (256 << 20)
"""What memory may grow by meanwhile: what is read, and what is made of it."""
SECONDS = 120
STATUSES = (0, 1, 2, 130)

_common = {"deadline": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("few", max_examples=12, derandomize=True, database=None, **_common)
settings.register_profile("fuzz", max_examples=200, print_blob=True, **_common)
fuzzed = settings.get_profile("fuzz" if MINUTES else "few")
"""Decorates a fuzzing test."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    printed: str


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that is gone afterwards, whatever is in it."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(*words: object, inside: Path) -> Ended:
    """Run a command in this process and check that it does no harm.

    Errors that nobody foresaw come through, since RESEED_TRACEBACK is set.

    Args:
        words: The command's words.
        inside: The folder of everything that it may open.
    """
    command = [*map(str, words), "--max-bytes", str(LIMIT)]
    before = _reset_peak()
    with contextlib.ExitStack() as stack:
        printed = stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(contextlib.redirect_stderr(printed))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # a number that is none is no harm
        broken = stack.enter_context(watched(inside))
        stack.enter_context(_in_time(command))
        try:
            main(command)
        except SystemExit as ended:
            status = ended.code
        opened = list(broken)
    grown = _peak() - before
    assert status in STATUSES, (command, status, printed.getvalue())
    assert "Traceback" not in printed.getvalue(), (command, printed.getvalue())
    assert opened == [], (command, opened)
    assert grown <= BOUND, f"{command} took {grown >> 20} MiB of memory"
    return Ended(int(status or 0), printed.getvalue())


@contextlib.contextmanager
def _in_time(command: list[str]) -> Iterator[None]:
    """Fail what waits for something that never comes."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def late(*_: object) -> None:
        raise AssertionError(f"{command} did not end within {SECONDS} seconds")

    handler = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)


def _reset_peak() -> int:
    """Have Linux forget this process's peak of memory, and return what it holds now in bytes."""
    if not sys.platform.startswith("linux"):
        return 0
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    if not sys.platform.startswith("linux"):
        return 0
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
