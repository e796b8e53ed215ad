"""What a stored array declares of itself, held against what can be before any of it is unpacked.

A file of a hundred kilobytes unpacks to gigabytes if its reader lets it. So nothing is taken from zarr before the
shape, the chunks and the codecs that the metadata names are looked at, and the size that each compressed chunk gives.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reseed._errors import StudyError
from reseed._foreign import damage_told, parse_json, read_text, reason
from reseed._limits import check_size

OPEN_BLOCK = 64
"""Checkpoints in a chunk where their number is not known: runs of a few do not fill large ones."""
_METADATA = "zarr.json"
_ITEM_BYTES = {
    **{f"{kind}{8 * size}": size for kind in ("int", "uint") for size in (1, 2, 4, 8)},
    **{f"float{8 * size}": size for size in (2, 4, 8)},
}
_CODECS = (["bytes"], ["bytes", "zstd"])
_CHUNK = re.compile(r"c(/[0-9]+)*")
# Each chunk costs a look for its file, there or not. A writer's own hold megabytes, but for small arrays.
_SMALL_CHUNK, _SPARE_CHUNKS, _STRAY_FILES = 4096, 1024, 64
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_LONGEST_ZSTD_HEADER = 18


def check_array(path: Path) -> None:
    """Accept a folder that holds an array whose chunks are what its metadata says, and not out of all proportion.

    Raises:
        StudyError: It is missing, unreadable or damaged, holds links or what is no file, or takes more to read than
            `reseed.max_bytes` allows.
    """
    _check_no_link(path / _METADATA, path)
    try:
        text = read_text(path / _METADATA, error=StudyError)
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"cannot read the predictions {str(path)!r}: {reason(error)}.") from error
    with damage_told(
        (KeyError, IndexError, TypeError, ValueError, AttributeError),
        lambda error: (
            f"the predictions {str(path)!r} are corrupt: their metadata is none of an array that reseed writes "
            f"({type(error).__name__}: {reason(error)})."
        ),
    ):
        layout = _layout(parse_json(text), path)
    check_size(layout.chunk_bytes, f"a chunk of the predictions {str(path)!r}", StudyError)
    try:
        for file in _files(path, layout.count):
            if _CHUNK.fullmatch(file.relative_to(path).as_posix()):
                _check_chunk(file, layout)
    except OSError as error:
        raise StudyError(f"cannot read the predictions {str(path)!r}: {reason(error)}.") from error


@dataclass(frozen=True)
class _Layout:
    """How many chunks an array is made of, and how each is stored."""

    count: int
    chunk_bytes: int
    is_compressed: bool


def _layout(tree: dict[str, Any], path: Path) -> _Layout:
    shape, chunks = list(tree["shape"]), list(tree["chunk_grid"]["configuration"]["chunk_shape"])
    codecs, kind = [codec["name"] for codec in tree["codecs"]], tree["data_type"]
    named = (tree["zarr_format"], tree["node_type"], tree["chunk_grid"]["name"], tree["chunk_key_encoding"]["name"])
    if named != (3, "array", "regular", "default") or codecs not in _CODECS:
        raise ValueError(f"it is made of {', '.join(map(str, (*named, *codecs)))}")
    if tree["chunk_key_encoding"].get("configuration", {}).get("separator", "/") != "/":
        raise ValueError("its chunks are not in folders")
    if not isinstance(kind, str) or kind not in _ITEM_BYTES:
        raise StudyError(f"the predictions {str(path)!r} are corrupt: they hold {kind}.")
    if len(shape) != len(chunks) or not all(isinstance(size, int) for size in (*shape, *chunks)) or not shape:
        raise ValueError(f"its shape is {shape}, in chunks of {chunks}")
    most = [max(OPEN_BLOCK, shape[0]), *(max(1, size) for size in shape[1:])]
    if min(shape) < 0 or not all(1 <= chunk <= limit for chunk, limit in zip(chunks, most, strict=True)):
        raise ValueError(f"its shape is {shape}, in chunks of {chunks}")
    item = _ITEM_BYTES[kind]
    count = math.prod(-(-size // chunk) for size, chunk in zip(shape, chunks, strict=True))
    if count > _SPARE_CHUNKS + shape[0] + math.prod(shape) * item // _SMALL_CHUNK:
        raise ValueError(f"its shape is {shape}, in {count} chunks")
    return _Layout(count, math.prod(chunks) * item, "zstd" in codecs)


def _files(folder: Path, chunks: int) -> Iterator[Path]:
    """Yield the files in a folder and below it, none of them a link, a device or the like, and no more than can be."""
    count = 0
    for parent, folders, files in os.walk(folder, onerror=_raise):
        count += len(files)
        if count > chunks + _STRAY_FILES:
            raise StudyError(f"the predictions {str(folder)!r} are corrupt: {count} files or more for {chunks} chunks.")
        for name in (*folders, *files):
            _check_no_link(Path(parent, name), folder)
        for name in files:
            file = Path(parent, name)
            if not file.is_file():
                raise StudyError(f"the predictions {str(folder)!r} hold {name!r}, which is no regular file.")
            yield file


def _check_no_link(path: Path, folder: Path) -> None:
    if path.is_symlink():
        raise StudyError(f"the predictions {str(folder)!r} hold links, which may lead outside the study.")


def _raise(error: OSError) -> None:
    raise error


def _check_chunk(file: Path, layout: _Layout) -> None:
    """Accept a chunk that unpacks to as many bytes as a chunk has; one that was cut off is found when it is unpacked.

    Raises:
        StudyError: It would unpack to more or fewer, or does not say to how many.
    """
    size = file.stat().st_size
    if layout.is_compressed:
        check_size(size, f"the chunk {str(file)!r}", StudyError)
        with file.open("rb") as opened:
            unpacked = _zstd_size(opened.read(_LONGEST_ZSTD_HEADER))
    else:
        unpacked = size
    if unpacked != layout.chunk_bytes:
        told = "an unknown number of" if unpacked is None else f"{unpacked:,}"
        raise StudyError(
            f"the chunk {str(file)!r} is damaged: it holds {told} bytes, and a chunk of this array has "
            f"{layout.chunk_bytes:,}."
        )


def _zstd_size(start: bytes) -> int | None:
    """Return the size that the first frame of a zstd file declares, None where it declares none.

    Its decoder allocates that much and fills it, or grows without a bound where there is no such number.
    """
    if len(start) < 6 or not start.startswith(_ZSTD_MAGIC):
        return None
    descriptor = start[4]
    is_single, kind = bool(descriptor >> 5 & 1), descriptor >> 6
    position = 5 + (not is_single) + (0, 1, 2, 4)[descriptor & 3]
    width = (1 if is_single else 0, 2, 4, 8)[kind]
    field = start[position : position + width]
    if width == 0 or len(field) < width:
        return None
    return int.from_bytes(field, "little") + (256 if width == 2 else 0)
