"""Small files that a stranger may have written, read as text, JSON, TOML or array: regular ones only, of bounded size.

What is wrong with a file comes as `OSError` (it cannot be read) or `ValueError` (it does not hold what it should), and
nothing else: who reads it says in his own words which file that is and what to do.
"""

from __future__ import annotations

import errno
import json
import math
import re
import stat
import sys
import tokenize
import tomllib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed._errors import DataError, InputError, StudyError
from reseed._limits import check_size

# Bytes in memory for each byte of text, at most: a list of nothing has 3 bytes and takes 64, a TOML table of many parts
# has a dictionary and two sets for every two bytes.
_JSON_GROWTH, _TOML_GROWTH = 32, 512
_DAMAGE = (EOFError, SyntaxError, tokenize.TokenError, RecursionError, MemoryError, OverflowError)  # of numpy's headers
_MOST_BITS = 1023  # of a whole number, so that it has a value in double precision
_MANY_PARTS = re.compile(r"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){64}""")


def check_regular(path: Path) -> None:
    """Accept a regular file, or a link to one: opening others may wait for ever, or read from a device.

    Raises:
        OSError: It is something else, or not there.
    """
    try:
        found = path.stat()
    except ValueError as error:
        raise OSError(errno.EINVAL, "the name holds a NUL character", str(path)) from error
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))


def read_text(path: Path, growth: int = _JSON_GROWTH, error: type[InputError] = DataError) -> str:
    """Return a text file in UTF-8.

    Args:
        path: The file.
        growth: How many bytes what is made of each byte of it may take.
        error: The type to raise where that is above the limit.

    Raises:
        OSError: It cannot be read, or is no regular file.
        UnicodeDecodeError: It is not in UTF-8.
        InputError: Reading it may take more than `reseed.max_bytes` allows; of type ``error``.
    """
    check_regular(path)
    check_size(growth * path.stat().st_size, repr(str(path)), error)
    return path.read_text(encoding="utf-8")


def read_toml(path: Path, error: type[InputError] = DataError) -> str:
    """Return a text file that `parse_toml` will parse, see `read_text`."""
    return read_text(path, _TOML_GROWTH, error)


def read_array(path: Path, error: type[InputError] = DataError) -> NDArray[Any]:
    """Return the array in a .npy file; nothing in it is unpickled.

    Args:
        path: The file.
        error: The type to raise where it takes too much.

    Raises:
        OSError: It cannot be read, or is no regular file.
        ValueError: It holds no array, or not all of it.
        InputError: Reading it takes more than `reseed.max_bytes` allows; of type ``error``.
    """
    check_regular(path)
    check_size(path.stat().st_size, repr(str(path)), error)
    with path.open("rb") as file:
        try:
            found: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        except _DAMAGE as problem:
            raise ValueError(f"it is damaged: {problem}") from problem
    check_characters(found)
    return found


def check_characters(array: NDArray[Any]) -> None:
    """Accept an array whose texts, if it holds any, are made of characters; Python cannot even print others.

    Raises:
        ValueError: A text holds a number that is no character's.

    Examples:
        >>> check_characters(np.array([0xFFFFFFFF], np.uint32).view("U1"))
        Traceback (most recent call last):
            ...
        ValueError: it holds texts of what is no character
    """
    if array.dtype.kind == "U" and array.nbytes:
        numbers = np.ascontiguousarray(array).view(np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
        if numbers.max() > sys.maxunicode:
            raise ValueError("it holds texts of what is no character")


def read_arrays(path: Path, error: type[InputError] = DataError) -> dict[str, NDArray[Any]]:
    """Return the arrays in a .npz file by name; nothing in it is unpickled. Raises what `read_array` does."""
    check_regular(path)
    try:
        with zipfile.ZipFile(path) as archive:
            check_size(sum(part.file_size for part in archive.infolist()), repr(str(path)), error)
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, LookupError, *_DAMAGE) as problem:
        raise ValueError(f"it is damaged: {problem}") from problem


def parse_json(text: str) -> Any:
    """Return what a JSON text holds; numbers are finite, and texts can be written to a file.

    Raises:
        ValueError: It is no JSON, or holds what no file of reseed's does.

    Examples:
        >>> parse_json('{"loss": NaN}')
        Traceback (most recent call last):
            ...
        ValueError: NaN is no number
    """
    try:
        value = json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=_no_number)
        if "\\ud" in text.lower():  # half a surrogate pair, if no whole one
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeEncodeError:
        raise ValueError("it holds half a surrogate pair, which cannot be written as UTF-8") from None
    return value


def parse_toml(text: str) -> dict[str, Any]:
    """Return what a TOML text holds.

    Raises:
        ValueError: It is no TOML, nested more deeply than anything of reseed's, or holds a whole number that is too
            large to compute with.
    """
    if _MANY_PARTS.search(text):  # the parser takes time and memory with the square of their number
        raise ValueError("it holds a name of 64 parts or more")
    try:
        tree = tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    for value in _leaves(tree):
        if isinstance(value, int) and value.bit_length() > _MOST_BITS:
            raise ValueError(f"it holds a whole number of {value.bit_length()} bits")
    return tree


@contextmanager
def damage_told(kinds: tuple[type[Exception], ...], told: Callable[[Exception], str]) -> Iterator[None]:
    """Have what goes wrong while a file of a study is read end in a `StudyError`; one that is raised inside stays.

    Args:
        kinds: What may go wrong.
        told: Returns the message.

    Raises:
        StudyError: Something of these kinds went wrong.

    Examples:
        >>> with damage_told((KeyError,), lambda error: f"'a.json' is damaged: it lacks {reason(error)}."):
        ...     {}["name"]
        Traceback (most recent call last):
            ...
        reseed._errors.StudyError: 'a.json' is damaged: it lacks 'name'.
    """
    try:
        yield
    except StudyError:  # one of these kinds itself
        raise
    except kinds as error:
        raise StudyError(told(error)) from error


def reason(error: Exception) -> str:
    """Return what an error says in one line, of the operating system's its own words alone; no full stop at the end.

    Examples:
        >>> reason(FileNotFoundError(2, "No such file or directory", "a.json"))
        'No such file or directory'
    """
    said = str((error.strerror if isinstance(error, OSError) else None) or error)
    return " ".join(said.split()).rstrip(".")


def _leaves(tree: dict[str, Any]) -> Iterator[Any]:
    """Yield everything in a tree that is neither a table nor a list."""
    left: list[Any] = [tree]
    while left:
        value = left.pop()
        if isinstance(value, dict | list):
            left.extend(value.values() if isinstance(value, dict) else value)
        else:
            yield value


def _whole(digits: str) -> int:
    value = int(digits)
    _finite(digits)  # more than any measure can be computed with
    return value


def _finite(digits: str) -> float:
    value = float(digits)
    return value if math.isfinite(value) else _no_number(digits)


def _no_number(digits: str) -> Any:
    shown = digits if len(digits) <= 20 else f"{digits[:12]}... of {len(digits)} characters"
    raise ValueError(f"{shown} is no number")
