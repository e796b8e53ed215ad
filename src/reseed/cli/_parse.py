"""How words become a command: its options, its help, and what is said of words that no option takes."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import getdoc
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import docstring_parser
import tyro
from tyro.conf import Positional

from reseed._near import did_you_mean

if TYPE_CHECKING:
    from reseed.cli._options import Command

SHELLS = {
    # Where no word of ours fits, the names of files do: a table, a study's folder.
    "bash": """\
_reseed() {
  _tyro_reseed
  [[ -n ${COMPREPLY[0]} ]] || COMPREPLY=()
}
complete -o default -F _reseed reseed""",
    "zsh": "(( compstate[nmatches] )) || _files",
    "fish": "complete --command reseed --force-files --condition 'test (count (commandline -opc)) -gt 1'",
}
"""The shells whose completion can be printed, each with what follows tyro's script."""

_CONFIG = (tyro.conf.FlagCreatePairsOff,)
_POSITIONAL = get_args(Positional[int])[1]
_WIDEST = 100  # letters in a line of running text


@dataclass(frozen=True)
class Option:
    """An option of a command.

    Attributes:
        name: The field that holds it.
        called: What the user writes: ``--burn-in``, or the word of usage that stands for a positional one.
        choices: The words that it takes; empty where it takes others too.
    """

    name: str
    called: str
    choices: tuple[str, ...]


def options_of(kind: type[Any]) -> Iterator[Option]:
    """Yield the options of a command, those of its groups included."""
    for item, hint in _fields(kind):
        if _is_group(hint):
            yield from options_of(_plain_type(hint))
            continue
        notes = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
        called = "--" + item.name.replace("_", "-")
        if _POSITIONAL in notes:
            called = next((str(name) for note in notes if (name := getattr(note, "metavar", None))), item.name.upper())
        yield Option(item.name, called, tuple(map(str, _choices(_plain_type(hint)))))


def parse(kind: type[Command], name: str, words: Sequence[str]) -> Command:
    """Return the command that words ask for; help and what is wrong with them are printed.

    Args:
        kind: The command's class.
        name: What it is called.
        words: Those after its name.

    Raises:
        SystemExit: Help was asked for (0), or the words are wrong (2).
    """
    _flow_help(kind)
    if {"-h", "--help"} & set(words):
        print(_wrapped(getdoc(kind) or ""), end="\n\n")
    try:
        return tyro.cli(kind, prog=f"reseed {name}", description="", args=words, config=_CONFIG)
    except SystemExit as ended:
        if ended.code == 2 and (hint := _hint(kind, words)):
            print(hint, file=sys.stderr)
        raise


def print_completion(kinds: Mapping[str, tuple[type[Command], str]], shell: str) -> None:
    """Print the script that teaches a shell to complete commands and their options.

    Args:
        kinds: Each command's class and what it does, by its name.
        shell: A key of `SHELLS`.
    """
    for kind, _ in kinds.values():
        _flow_help(kind)
    commands = tuple(
        Annotated[kind, tyro.conf.subcommand(name, description=says, prefix_name=False)]
        for name, (kind, says) in kinds.items()
    )
    kind_of_any: Any = Union[commands]  # noqa: UP007
    try:
        tyro.cli(kind_of_any, prog="reseed", args=["--tyro-print-completion", shell], config=_CONFIG)
    except SystemExit as ended:
        if ended.code:
            raise
    print(SHELLS[shell])


def _flow_help(kind: type[Any]) -> None:
    """Make each option's docstring one paragraph: tyro keeps the ends of lines that a source file needs."""
    for each in _classes(kind):
        said = {part.arg_name: part.description for part in docstring_parser.parse_from_object(each).params}
        for item in dataclasses.fields(each):
            if text := said.get(item.name):
                item.metadata = MappingProxyType({**item.metadata, "help": " ".join(text.split())})


def _classes(kind: type[Any]) -> Iterator[type[Any]]:
    """Yield the classes whose docstrings describe the options of a command."""
    yield from (each for each in kind.__mro__ if dataclasses.is_dataclass(each))
    for _, hint in _fields(kind):
        if _is_group(hint):
            yield from _classes(_plain_type(hint))


def _fields(kind: type[Any]) -> Iterator[tuple[dataclasses.Field[Any], Any]]:
    hints = get_type_hints(kind, include_extras=True)
    yield from ((item, hints[item.name]) for item in dataclasses.fields(kind))


def _plain_type(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _is_group(hint: Any) -> bool:
    return dataclasses.is_dataclass(_plain_type(hint))


def _choices(hint: Any) -> Iterator[Any]:
    """Yield the words of a type that takes nothing else, or nothing as well."""
    if get_origin(hint) is Literal:
        yield from get_args(hint)
    elif get_origin(hint) is Union and type(None) in get_args(hint):
        yield from (choice for part in get_args(hint) for choice in _choices(part))


def _hint(kind: type[Any], words: Sequence[str]) -> str:
    """Return what a mistyped choice of an option was probably meant to be; empty if nothing is near."""
    known = {option.called: option.choices for option in options_of(kind) if option.choices}
    pairs = [*pairwise(words), *(word.split("=", 1) for word in words if "=" in word)]
    for called, word in pairs:
        if word not in known.get(called, (word,)) and (hint := did_you_mean(word, known[called])):
            return f"{called} {word}:{hint}"
    return ""


def _wrapped(text: str) -> str:
    """Return a description whose running text fits the terminal; what is indented stays as it is."""
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    paragraphs = text.split("\n\n")
    return "\n\n".join(
        paragraph if "\n  " in paragraph else textwrap.fill(" ".join(paragraph.split()), width, break_on_hyphens=False)
        for paragraph in paragraphs
    )
