"""Tensors by name in a safetensors file, with what the file says of itself; nothing in it is executed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from reseed._errors import StudyError
from reseed._foreign import check_regular, parse_json, reason
from reseed._limits import check_size
from reseed.studies._files import replace_file

_ABOUT = "reseed"  # the one entry of a file's metadata, since several come in any order
_HEADER_GROWTH = 32  # bytes in memory for each byte of a header


def write_tensors(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> tuple[str, int]:
    """Write tensors by rename, and return the file's SHA-256 and its size.

    Raises:
        StorageError: It cannot be written.
    """
    from safetensors.torch import save

    return write_content(path, save(dict(tensors), {_ABOUT: json.dumps(about)}))


def write_content(path: Path, content: bytes) -> tuple[str, int]:
    """Write what a file of tensors holds; see `write_tensors`."""

    def write(partial: Path) -> None:
        partial.write_bytes(content)

    replace_file(path, write)
    return hashlib.sha256(content).hexdigest(), len(content)


def read_content(path: Path, what: str, remedy: str) -> bytes | None:
    """Return what a file of tensors holds, unread, or None where there is no file.

    Args:
        path: The file.
        what: What it holds, for messages.
        remedy: What is to be done where it cannot be read.

    Raises:
        StudyError: It cannot be read, or takes more than `reseed.max_bytes` allows.
    """
    try:
        check_regular(path)
        check_size(path.stat().st_size, f"the file of {what} {str(path)!r}", StudyError)
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StudyError(f"the {what} {str(path)!r} cannot be read: {reason(error)}. {remedy}") from error


def parsed(path: Path, content: bytes, what: str, remedy: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors in a file, and what it says about them; what they take is known before they are read.

    Raises:
        StudyError: It is damaged, or takes more than `reseed.max_bytes` allows.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    length = int.from_bytes(content[:8], "little")
    declared = _HEADER_GROWTH * min(length, len(content))  # of lists and texts; the numbers are in the content
    check_size(len(content) + declared, f"the file of {what} {str(path)!r}", StudyError)
    try:
        tensors = load(content)
        about = parse_json(parse_json(content[8 : 8 + length].decode())["__metadata__"][_ABOUT])
    except (SafetensorError, AssertionError, LookupError, RuntimeError, TypeError, ValueError, OverflowError) as error:
        raise unreadable(path, error, what, remedy) from error
    if not isinstance(about, dict):
        raise unreadable(path, ValueError("it says nothing of itself"), what, remedy)
    return tensors, about


def unreadable(path: Path, error: Exception, what: str, remedy: str) -> StudyError:
    """Return the error that tells of a file which holds something else than it should."""
    return StudyError(f"the {what} {str(path)!r} cannot be read: {type(error).__name__}: {reason(error)}. {remedy}")
