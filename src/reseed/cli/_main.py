"""The command line: the registry of its commands, the overview, and how they end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING

import reseed
from _reseed_start import quitting
from reseed._arguments import options_called
from reseed._errors import InputError, ReseedError
from reseed._near import did_you_mean
from reseed._plain import plain
from reseed.cli._signals import TerminatedError, termination_raised

if TYPE_CHECKING:
    from reseed.cli._options import Command

_TRACEBACK = "RESEED_TRACEBACK"  # in the environment: let errors that nobody foresaw through, with their traceback


GROUPS = {
    "measure and look": {
        "measure": "train one recipe with many seeds and say which predictions change, and why",
        "import": "make a study of predictions that you already hold",
        "inspect": "print what a study says, and in which groups of samples",
        "robustness": "ask trained networks under attacks, corruptions and noise",
        "curvature": "say how sharply the loss bends where each run ended",
        "randomize": "train on true labels, random labels and destroyed inputs, and say how each is fitted",
        "stabilise": "say up to which learning rate remedies against unstable training let a recipe train",
        "memorize": "say which training labels are likely wrong",
        "report": "write a study's summary, table of samples and HTML report anew",
        "export": "write a study for other tools: Parquet, CSV, JSON lines, zarr, Hugging Face",
        "calibrate": "learn from studies how to estimate instability from one run",
    },
    "make answers stay": {
        "mitigate": "train a recipe with several methods and say which keep predictions in place, and at what cost",
        "tune": "search for a recipe that keeps predictions in place, and confirm it",
        "compare": "set existing studies beside a control",
        "gate": "judge whether a model may take another's place: is it the change, or the seed?",
    },
}
"""Every command with what it does; the command `name` is the class `Name` in the file `_name.py` beside this one."""
COMMANDS = tuple(name for group in GROUPS.values() for name in group)

_BEGINNING = """\
Which of your model's answers would change if you trained it again, and how do you make them stop?

usage: reseed COMMAND [OPTIONS]
"""
_END = """
examples:
  reseed measure digits
  reseed measure data.csv --text utterance --label intent
  reseed inspect reseed-studies/digits-mlp-1a2b3c4d

reseed COMMAND --help tells more; reseed --version prints the version; reseed --completion SHELL prints what teaches
bash, zsh or fish to complete commands and options.
Exit codes: 0 done; 1 something failed; 2 usage or bad input; 3 reseed gate lets a change not pass; 130 interrupted,
143 terminated.
RESEED_TRACEBACK=1 in the environment shows where a failure that nobody foresaw comes from.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Args:
        arguments: The words after ``reseed``; default: those of this process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):  # a character that the terminal lacks must not end the program
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(_run(words))


def _run(words: list[str]) -> int:
    try:
        with termination_raised():
            _check_words(words)
            status = _command(words)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where what goes wrong is still told well
        return status
    except InputError as error:
        return _complain(f"error: {error}", 2)
    except ReseedError as error:
        return _complain(f"failed: {error}", 1)
    except TerminatedError as error:
        return _complain(f"terminated: {_kept(error)}; the same command continues.", 128 + signal.SIGTERM)
    except KeyboardInterrupt as error:
        return _complain(f"interrupted: {_kept(error)}; the same command continues.", 130)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        _drop_output()
        return 1
    except OSError as error:  # a disk that is full, a file that may not be read
        _drop_output()
        return _complain(f"failed: {error}", 1)
    except Exception as error:
        studies = sys.modules.get("reseed.studies")  # not imported here: what failed may be just that
        if studies is not None and studies.is_out_of_memory(error):
            return _complain(
                "failed: this takes more memory than there is. Finished runs are kept; do it with less data, or a "
                "smaller --group or --batch-size, or on a larger machine.",
                1,
            )
        if os.environ.get(_TRACEBACK):
            raise
        return _complain(
            f"failed: {type(error).__name__}: {' '.join(str(error).split())[:300]}\n"
            "Nobody foresaw this, so it is a fault of reseed. Report it to its maintainers, with what the same command "
            f"prints with {_TRACEBACK}=1 in the environment.",
            1,
        )


def _check_words(words: list[str]) -> None:
    """Accept words that may be the names of files; a shell passes no others on.

    Raises:
        InputError: One holds a NUL.
    """
    for word in words:
        if "\0" in word:
            raise InputError(f"the argument {word!r} holds a NUL character, which no name of a file or column can.")


def _kept(error: KeyboardInterrupt) -> str:
    """Return what is kept, as whoever was interrupted says it."""
    return "; ".join(getattr(error, "__notes__", ())) or "finished runs are kept"


def _complain(message: str, status: int) -> int:
    print("\n".join(plain(line) for line in message.split("\n")), file=sys.stderr)
    return status


def _drop_output() -> None:
    """Send what is left in standard output's buffer nowhere, so that the interpreter's own flush succeeds."""
    if isinstance(sys.stdout, TextIOWrapper):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def command_class(name: str) -> type[Command]:
    """Return the class of a command, whose file is imported now."""
    found: type[Command] = getattr(import_module(f"reseed.cli._{name}"), name.title())
    return found


def _overview() -> str:
    """Return what `reseed --help` prints."""
    lines = [_BEGINNING]
    for title, group in GROUPS.items():
        lines += [f"{title}:", *(f"  {name:<10} {says}" for name, says in group.items()), ""]
    return "\n".join(lines).rstrip("\n") + "\n" + _END


def _command(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help"):
        print(_overview(), end="")
        return 0 if words else 2
    if words[0] == "--version":
        from importlib.metadata import version

        print(f"reseed {version('reseed')}")
        return 0
    if words[0] == "--completion":
        return _completion(words[1:])
    if words[0] not in COMMANDS:
        hint = did_you_mean(words[0], COMMANDS)
        raise InputError(f"unknown command {words[0]!r}.{hint} Commands: {', '.join(COMMANDS)}.")
    with quitting():
        from reseed.cli._parse import parse  # here, since the overview needs none of it

        command = parse(command_class(words[0]), words[0], words[1:])
        if "torch" not in sys.modules and command.beginning is not None:
            print(plain(command.beginning), file=sys.stderr, flush=True)
        import_module("reseed.workflows")  # all that the command will ask for
        from reseed.cli._names import options_for
    limit = command.reading.limit
    with options_called(options_for(command)), nullcontext() if limit is None else reseed.max_bytes(limit):
        return command.execute() or 0


def _completion(words: list[str]) -> int:
    with quitting():
        from reseed.cli._parse import SHELLS, print_completion
    if len(words) != 1 or words[0] not in SHELLS:
        hint = did_you_mean(words[0], SHELLS) if words else ""
        raise InputError(f"--completion takes one shell, {', '.join(SHELLS)}; got {' '.join(words) or 'none'}.{hint}")
    says = {name: what for group in GROUPS.values() for name, what in group.items()}
    print_completion({name: (command_class(name), says[name]) for name in COMMANDS}, words[0])
    return 0
