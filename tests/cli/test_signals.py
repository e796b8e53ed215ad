"""How the command ends when it is interrupted, terminated or killed, and what is left running: nothing."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from reseed.cli._signals import TerminatedError, termination_raised

PROC = Path("/proc")
LONG = ("measure", "digits", "--runs", "8", "--epochs", "20000", "--engine", "processes", "--jobs", "2", "--no-probe")
needs_proc = pytest.mark.skipif(not (PROC / "self" / "stat").exists(), reason="looks for processes in /proc")


def _processes() -> dict[int, int]:
    """The parent of each process that runs, by its number; those that ended and wait for their parent are left out."""
    parents = {}
    for folder in PROC.glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):  # it ended meanwhile
            continue
        if state != "Z":
            parents[int(folder.name)] = int(parent)
    return parents


def _wait(is_done) -> bool:
    """Wait until something holds, for two minutes at most, and say whether it does."""
    for _ in range(1200):
        if is_done():
            return True
        time.sleep(0.1)
    return False


@needs_proc
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_the_command(tmp_path, how):
    """However the command ends, its worker processes end too, in the middle of a run as well."""
    code = "import sys; from reseed.cli import main; main(sys.argv[1:])"
    root = tmp_path / "study"
    command = subprocess.Popen(
        [sys.executable, "-c", code, *LONG, "--out", root], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    begun = _wait(lambda: command.poll() is not None or len(list(root.glob("runs/*/predictions-*"))) >= 2)
    workers = [number for number, parent in _processes().items() if parent == command.pid]
    os.kill(command.pid, how)
    _, told = command.communicate()
    assert begun, told
    assert len(workers) >= 2, told
    assert _wait(lambda: not _processes().keys() & set(workers))
    if how == signal.SIGTERM:
        assert command.returncode == 143
        assert "terminated: 0 of " in told
        assert told.endswith("are finished and kept; the same command continues.\n")
        assert "Traceback" not in told


@pytest.mark.parametrize("module", ["reseed", "tyro", "torch"])
def test_an_interrupt_while_the_command_is_imported_is_one_line(tmp_path, module):
    """Ctrl-C before the command has begun ends it with status 130 and one line, whatever is being imported."""
    slow = tmp_path / f"{module}.py"
    slow.write_text(f"import time; open({str(tmp_path / 'begun')!r}, 'w').close(); time.sleep(600)")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    command = subprocess.Popen(
        [sys.executable, "-c", "from _reseed_start import main; main()", "inspect", "a"],
        env=os.environ | {"PYTHONPATH": path},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert _wait((tmp_path / "begun").exists)
    os.kill(command.pid, signal.SIGINT)
    _, told = command.communicate()
    assert (command.returncode, told) == (130, "interrupted before anything was begun.\n")


def test_the_command_begins_where_the_package_does_not():
    """The entry point runs the command: it prints what it is asked for and passes its status on."""
    code = "from _reseed_start import main; main()"
    ended = subprocess.run([sys.executable, "-c", code, "nothing"], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: unknown command 'nothing'. Commands: measure")


def test_termination_is_raised_once():
    """Inside, SIGTERM raises what Ctrl-C does; the handler is put away after the first and after the block."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with pytest.raises(TerminatedError), termination_raised():
            signal.raise_signal(signal.SIGTERM)
        assert issubclass(TerminatedError, KeyboardInterrupt)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        with termination_raised():
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


def test_somebody_elses_handler_stays():
    """A handler that is there is left alone, and so is every signal outside the main thread."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    seen = []

    def look():
        with termination_raised():
            seen.append(signal.getsignal(signal.SIGTERM))

    try:
        look()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        other = threading.Thread(target=look)
        other.start()
        other.join()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [signal.SIG_IGN, signal.SIG_DFL]
