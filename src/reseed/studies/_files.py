"""Writing files so that a crash, a full disk or Ctrl-C leaves the old one or the new one, never half of one."""

from __future__ import annotations

import errno
import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints
from uuid import uuid4

from reseed._arguments import argument
from reseed._errors import InputError, StorageError, StudyError
from reseed._foreign import reason

if TYPE_CHECKING:
    import pyarrow as pa

# The number of the process that writes it, and what tells its files apart.
_PARTIAL = re.compile(r"\..+\.([0-9a-f]{6})[0-9a-f]{2,10}")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

T = TypeVar("T")


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn an operating system's refusal to write into a `StorageError` that says what to do.

    Raises:
        StorageError: Something inside raised OSError: no space, no permission, a name that is taken. Or the name holds
            a NUL, or half a surrogate pair (a byte that is no UTF-8), which not every library can write to.
    """
    if "\0" in str(path):
        raise StorageError(f"cannot write {str(path)!r}: its name holds a NUL character; choose another one.")
    if any("\ud800" <= character <= "\udfff" for character in str(path)):
        raise StorageError(f"cannot write {str(path)!r}: its name is not in UTF-8; choose another one.")
    try:
        yield
    except OSError as error:
        remedy = "make room, or choose" if error.errno in _NO_ROOM else "choose"
        raise StorageError(
            f"cannot write {str(path)!r}: {reason(error)}. Finished runs are kept: {remedy} a folder that can be "
            f"written with {argument('out')}, then run the same command again."
        ) from error


def replace_files(files: Mapping[Path, Callable[[Path], None]]) -> None:
    """Have temporary files filled beside their places, then rename all of them into place, in the order given.

    Where one cannot be made none is replaced, so that what stands together is of one time.

    Args:
        files: What fills the file for each path.

    Raises:
        StorageError: One of them cannot be written.
        InputError: A text holds half a surrogate pair.
    """
    partials = {path: _beside(path) for path in files}
    try:
        for path, write in files.items():
            with storing(path):
                if path.is_dir():
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
                path.parent.mkdir(parents=True, exist_ok=True)
                try:
                    write(partials[path])
                except UnicodeEncodeError as error:
                    raise InputError(
                        f"{path.name} would hold {error.object[error.start : error.end]!r}, which cannot be written as "
                        "UTF-8; it stands in the name of a file, column, model or the like: call that otherwise."
                    ) from error
                with partials[path].open("rb") as file:
                    os.fsync(file.fileno())
        for path, partial in partials.items():
            with storing(path):
                partial.replace(path)
    finally:
        for partial in partials.values():
            with suppress(OSError, ValueError):  # its folder may be none; what went wrong is told already
                partial.unlink(missing_ok=True)


def replace_file(path: Path, write: Callable[[Path], None]) -> None:
    """Have ``write`` fill a temporary file beside ``path``, then rename it into place; see `replace_files`."""
    replace_files({path: write})


def _beside(path: Path) -> Path:
    """Return a name for a temporary file that nobody else takes, and that says which process writes it."""
    return path.with_name(f".{path.name}.{os.getpid():06x}{uuid4().hex[:10]}")


def is_partial(name: str) -> bool:
    """Whether a file has the name of a temporary one."""
    return _PARTIAL.fullmatch(name) is not None


def remove_partials(folder: Path) -> None:
    """Remove the temporary files that killed processes left in a folder, but none of a process that lives."""
    for file in folder.glob(".*"):
        found = _PARTIAL.fullmatch(file.name)
        if found is not None and not _is_alive(int(found[1], 16)):
            with suppress(OSError):
                file.unlink()


def _is_alive(process: int) -> bool:
    if os.name != "posix":  # elsewhere asking would end it
        return True
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return process > 0


def replace_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, see `replace_file`."""
    replace_file(path, text_writer(text))


def replace_json(path: Path, value: object) -> None:
    """Write a JSON file, see `replace_file`; numbers that are not finite become null."""
    replace_file(path, json_writer(value))


def replace_table(path: Path, table: pa.Table) -> None:
    """Write a table as Parquet, see `replace_file`."""
    replace_file(path, table_writer(table))


def bytes_writer(content: bytes) -> Callable[[Path], None]:
    """Return what fills a file with bytes, for `replace_files`."""

    def write(partial: Path) -> None:
        partial.write_bytes(content)

    return write


def text_writer(text: str) -> Callable[[Path], None]:
    """Return what fills a file with a text in UTF-8, for `replace_files`."""

    def write(partial: Path) -> None:
        partial.write_bytes(text.encode())  # here, where what cannot be written is told as such

    return write


def json_writer(value: object) -> Callable[[Path], None]:
    """Return what fills a file with JSON; numbers that are not finite become null."""
    return text_writer(json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def table_writer(table: pa.Table) -> Callable[[Path], None]:
    """Return what fills a Parquet file with a table."""
    import pyarrow.parquet as pq

    return lambda partial: pq.write_table(table, partial, compression="zstd")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def checked(instance: T) -> T:
    """Return a dataclass instance whose fields came from a file, if they have the annotated types.

    Raises:
        TypeError: A field has another type; the message names it.
    """
    from typeguard import CollectionCheckStrategy, TypeCheckError, check_type

    for name, hint in get_type_hints(type(instance)).items():
        try:
            check_type(getattr(instance, name), hint, collection_check_strategy=CollectionCheckStrategy.ALL_ITEMS)
        except TypeCheckError as error:
            raise TypeError(f"{name}: {error}") from error
    return instance


def inside(root: Path, *parts: str) -> Path:
    """Return a path below ``root``.

    Raises:
        StudyError: It leads outside or nowhere, by its name or through a link.
    """
    path = root.joinpath(*parts)
    try:
        leads_inside = path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError) as error:  # links that lead to each other
        raise StudyError(f"{str(path)!r} leads nowhere: {reason(error)}; the study was tampered with.") from error
    if not leads_inside:
        raise StudyError(f"{str(path)!r} leads outside the study {str(root)!r}; the study was tampered with.")
    return path
