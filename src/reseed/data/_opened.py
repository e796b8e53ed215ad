"""A user's file on its way in: regular files only, no more of one than may be read, and failures in reseed's words."""

from __future__ import annotations

import gzip
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from reseed._errors import DataError, ReseedError
from reseed._limits import check_size

_BLOCK = 1 << 20  # bytes that are decompressed at a time
_MESSAGE = 300  # characters of a reader's own message, which may quote a row


def check_file(path: Path) -> None:
    """Accepts a path that leads to a regular file with something in it, itself or through links.

    Raises:
        DataError: there is none, or a folder, a pipe or a device, which might never end; or it is empty.
    """
    with opened(path) as file:
        if not os.fstat(file.fileno()).st_size:
            raise DataError(f"{path.name} is empty (0 bytes).")


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Opens a regular file for reading.

    Raises:
        DataError: there is none, it may not be read, or it is a folder, a pipe or a device, which might never end.
    """
    try:
        str(path).encode()
        # Opening a pipe would wait for whoever writes to it.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataError(f"no such file: {path}") from error
    except OSError as error:
        if isinstance(error, PermissionError) and path.is_dir():  # not every system opens folders
            raise DataError(f"{path} is a folder; name a file in it.") from error
        raise DataError(f"{path} cannot be opened: {error.strerror or error}.") from error
    except ValueError as error:  # NUL, or bytes that are no text
        raise DataError(f"{str(path)!r} is no name of a file that reseed can read; rename it.") from error
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise DataError(f"{path} is a folder; name a file in it.")
        if not stat.S_ISREG(mode):
            raise DataError(f"{path} is no regular file but a pipe or a device; save what it gives in a file first.")
        file = os.fdopen(descriptor, "rb")
    except DataError:
        os.close(descriptor)
        raise
    with file:
        yield file


@contextmanager
def understood(path: Path, kind: str) -> Iterator[None]:
    """Turns whatever goes wrong while a file is read into a `DataError` that names it.

    Args:
        path: the file.
        kind: what it is read as.

    Raises:
        DataError: something inside raised an error that was not reseed's own.
    """
    try:
        yield
    except ReseedError:
        raise
    except MemoryError as error:
        raise DataError(f"{path.name} cannot be read as {kind}: it does not fit in memory.") from error
    except Exception as error:  # over bytes that they did not expect, libraries raise errors of every kind
        message = " ".join(str(error).split())[:_MESSAGE].rstrip(".") or type(error).__name__
        raise DataError(f"{path.name} cannot be read as {kind}: {message}.") from error


def content_of(path: Path) -> bytes:
    """The whole content of a file, decompressed where its name ends in `.gz`.

    Raises:
        DataError: it is above the limit on what may be read.
    """
    with opened(path) as file:
        if path.suffix.lower() != ".gz":
            check_size(os.fstat(file.fileno()).st_size, path.name)
            return file.read()
        content = io.BytesIO()
        with gzip.GzipFile(fileobj=file) as parts:
            while block := parts.read(_BLOCK):
                content.write(block)
                check_size(content.tell(), path.name)
        return content.getvalue()
