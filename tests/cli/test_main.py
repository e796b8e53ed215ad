"""What every command does alike: help, version, exit codes, and output that goes nowhere."""

import json
import os
import subprocess
import sys
from importlib.metadata import version

import pytest

import reseed
from reseed.cli._main import COMMANDS, GROUPS


def _reseed(*words, **options):
    """Starts the command as its users do, in a process of its own."""
    code = "from reseed.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *map(str, words)], check=False, text=True, **options)


def test_overview_lists_commands_and_exit_codes(cli):
    """--help succeeds; without a command the same text comes with the status for wrong usage."""
    asked, forgotten = cli("--help"), cli()
    assert (asked.status, forgotten.status) == (0, 2)
    assert asked.out == forgotten.out
    assert all(f"{title}:" in asked.out for title in GROUPS)
    assert all(f"  {command} " in asked.out for command in COMMANDS)
    told = " ".join(asked.out.split())
    assert "Exit codes: 0 done; 1 something failed; 2 usage or bad input; 3 reseed gate lets a change not pass;" in told
    assert "130 interrupted, 143 terminated." in told


WORDS = [
    ("--help",),
    ("--version",),
    ("--completion", "bash"),
    ("nonsense",),
    ("inspect", "--top"),
]


def test_help_and_mistakes_load_nothing_that_takes_long():
    """Overview, version, every command's help, completion and wrong words are told without torch, SciPy or NumPy."""
    code = """
import json, sys
from reseed.cli import main
statuses = []
for words in json.loads(sys.argv[1]):
    try:
        main(words)
    except SystemExit as ended:
        statuses.append(ended.code or 0)
loaded = {name.partition(".")[0] for name in sys.modules}
print("loaded:", *sorted(loaded & {"torch", "scipy", "numpy", "sklearn", "xarray", "zarr", "pyarrow"}))
print(json.dumps(statuses))
"""
    words = [*WORDS, *((command, "--help") for command in COMMANDS)]
    done = subprocess.run([sys.executable, "-c", code, json.dumps(words)], check=True, capture_output=True, text=True)
    loaded, statuses = done.stdout.splitlines()[-2:]
    assert loaded == "loaded:"
    assert json.loads(statuses) == [0, 0, 0, 2, 2, *(0 for _ in COMMANDS)]


def test_version_is_that_of_the_package(cli):
    """--version prints the installed version."""
    assert cli("--version").out == f"reseed {version('reseed')}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_examples(cli, command):
    """The help of each command ends successfully and shows examples that begin with the command itself."""
    ended = cli(command, "--help")
    assert ended.status == 0
    assert "Examples:" in ended.out
    assert f"reseed {command} " in ended.out.partition("Examples:")[2]


def test_what_takes_long_says_something_before_torch_is_loaded(tmp_path):
    """The first line is there before the import that takes seconds; what trains nothing says none."""
    (tmp_path / "torch.py").write_text("raise SystemExit('torch is imported')")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    begun = _reseed("measure", "digits", env=env, stderr=subprocess.PIPE)
    assert begun.stderr.splitlines()[:2] == [
        "digits: loading torch, then the data",
        "torch is imported",
    ]
    quiet = _reseed("inspect", "none", env=env, stderr=subprocess.PIPE)
    assert quiet.stderr.splitlines() == ["torch is imported"]


def test_interrupt_says_that_runs_are_kept(cli, monkeypatch, measured):
    """Ctrl-C ends with status 130 and says how to go on."""

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(reseed, "inspect", interrupted)
    ended = cli("inspect", measured)
    assert ended.status == 130
    assert ended.err == "interrupted: finished runs are kept; the same command continues.\n"


@pytest.mark.parametrize("words", [("--help",), ("inspect",), ("inspect", "--json")])
def test_reader_that_went_away_gives_no_traceback(measured, words):
    """A pipe that nobody reads, as after `head`, ends the command quietly."""
    given = [*words[:1], *([measured] if words[0] == "inspect" else []), *words[1:]]
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = _reseed(*given, stdout=writing, stderr=subprocess.PIPE)
    finally:
        os.close(writing)
    assert ended.stderr == ""
    assert ended.returncode == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")  # noqa: PTH110
def test_output_that_cannot_be_written_is_a_failure(measured):
    """A full disk behind standard output ends with status 1 and one line, not with a traceback."""
    with open("/dev/full", "w") as full:  # noqa: PTH123
        ended = _reseed("inspect", measured, "--json", stdout=full, stderr=subprocess.PIPE)
    assert ended.returncode == 1
    assert ended.stderr.startswith("failed: ")
    assert "Traceback" not in ended.stderr


def test_terminal_without_unicode_is_served(measured):
    """Tables and JSON come out on a terminal that knows only ASCII."""
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    tables = _reseed("inspect", measured, capture_output=True, env=environment)
    assert (tables.returncode, tables.stderr) == (0, "")
    found = _reseed("inspect", measured, "--json", capture_output=True, env=environment)
    assert json.loads(found.stdout)["dataset"] == "digits"
