"""NumPy archives (`.npz`) as samples; nothing in them is ever unpickled."""

import math
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.format import MAGIC_PREFIX, read_array, read_array_header_1_0, read_array_header_2_0, read_magic
from numpy.typing import NDArray

from reseed._errors import DataError
from reseed._limits import check_size
from reseed.data._images import DIVISOR, from_bytes
from reseed.data._opened import opened
from reseed.data._rows import Index, Inputs, Rows

_KNOWN = ("x", "y", "x_eval", "y_eval", "ids", "ids_eval", "class_names")


def read_arrays(path: Path) -> tuple[Rows, Rows | None, tuple[str, ...] | None]:
    """Reads `x`, `y` and, where they exist, `x_eval`, `y_eval`, `ids`, `ids_eval` and `class_names`.

    `x` is features `[sample, feature]`, texts `[sample]`, or images `[sample, height, width]`, `[sample,
    channel, height, width]` or `[sample, height, width, channel]` (1 or 3 channels). Images of unsigned
    bytes are divided by 255; others must be in [0, 1]. `y` `[sample]` holds words or integers; with
    `class_names` it holds positions in them, and -1 in `y_eval` says "unknown".

    Returns:
        The training samples, the evaluation samples if there are any, and the class names if they are given.

    Raises:
        DataError: the archive holds Python objects, a false header or too much, or its arrays do not fit together.
    """
    arrays = _read(path)
    missing = [name for name in ("x", "y") if name not in arrays]
    if missing:
        raise DataError(
            f"{path.name} has no array {missing[0]!r}; it has {', '.join(arrays) or 'none'}, and needs x "
            f"and y (optional: {', '.join(_KNOWN[2:])})."
        )
    if ("x_eval" in arrays) != ("y_eval" in arrays):
        raise DataError(f"{path.name} has only one of x_eval and y_eval; give both or none.")
    class_names = None
    if "class_names" in arrays:
        named = arrays["class_names"]
        if named.ndim != 1:
            raise DataError(f"{path.name}: class_names has shape {named.shape}; give one name for each class, [class].")
        class_names = tuple(map(str, named.tolist()))
    train = _rows(path.name, arrays, "", class_names)
    evaluation = _rows(path.name, arrays, "_eval", class_names) if "x_eval" in arrays else None
    return train, evaluation, class_names


def array_rows(x: Any, y: Any, split: str) -> Rows:
    """Samples of arrays in memory, for which the same holds as for those of an archive.

    Args:
        x: an array or a tensor of numbers, or texts as an array or a list.
        y: labels, words or integers, [sample].
        split: `train`, or the name of an evaluation split.

    Raises:
        DataError: they are of other types, or do not fit together.
    """
    part = "" if split == "train" else "_eval"
    inputs, labels = _plain(x, f"X{part}"), _plain(y, f"y{part}")
    if labels.dtype.kind == "f" and (labels == np.round(labels)).all():
        labels = labels.astype(np.int64)
    if labels.dtype == object and all(isinstance(label, str | int) for label in labels.tolist()):
        labels = labels.astype(str)
    arrays = {f"x{part}": inputs, f"y{part}": labels}
    if inputs.dtype != object:
        return _rows("arrays", arrays, part, None)
    texts = inputs.tolist()
    wrong = [text for text in texts if not isinstance(text, str)]
    if wrong:
        raise DataError(f"arrays: X{part} holds {wrong[0]!r} among texts; give numbers or texts.")
    rows = _rows("arrays", arrays | {f"x{part}": np.zeros((len(texts), 1))}, part, None)
    return replace(rows, take=lambda index: tuple(texts[i] for i in index))


def _plain(value: Any, name: str) -> NDArray[Any]:
    """What numbers or names come in as numpy; texts as objects, since numpy's own take the room of the longest."""
    if hasattr(value, "tocsr"):
        raise DataError(f"{name} is a sparse matrix; pass {name}.toarray(), or give it to reseed.run.")
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy()
    if isinstance(value, list | tuple) and value and all(isinstance(item, str) for item in value):
        return np.array(value, dtype=object)
    try:
        return np.asarray(value)
    except ValueError as error:
        raise DataError(f"{name} must be rectangular, got lists of unequal length.") from error


def _read(path: Path) -> dict[str, NDArray[Any]]:
    with opened(path) as file:
        if not zipfile.is_zipfile(file):
            file.seek(0)
            is_array = file.read(len(MAGIC_PREFIX)) == MAGIC_PREFIX
            told = "it holds one bare array; save x and y together with numpy.savez" if is_array else "it is no archive"
            raise DataError(f"{path.name} cannot be read as npz: {told}.")
        with zipfile.ZipFile(file) as archive:
            parts = {part.filename.removesuffix(".npy"): part for part in archive.infolist()}
            known = {name: parts[name] for name in _KNOWN if name in parts}
            check_size(sum(part.file_size for part in known.values()), path.name)
            return {name: _array(archive, part, path.name) for name, part in known.items()}


def _array(archive: zipfile.ZipFile, part: zipfile.ZipInfo, where: str) -> NDArray[Any]:
    """Reads one array, whose header must say how many bytes follow it."""
    with warnings.catch_warnings(), archive.open(part) as file:
        warnings.simplefilter("ignore")  # odd headers warn before they fail
        version = read_magic(file)
        readers = {(1, 0): read_array_header_1_0, (2, 0): read_array_header_2_0}
        if version not in readers:  # the third is for names of fields, and arrays of reseed have no fields
            raise DataError(f"{where}: the array {part.filename!r} is in version {version} of the format.")
        shape, _, kind = readers[version](file)
        header = file.tell()
    if kind.hasobject:
        raise DataError(
            f"{where} holds Python objects, which reseed never loads; save plain arrays of numbers "
            "or text (for texts: numpy.array(texts, dtype=str))."
        )
    size = math.prod(shape) * kind.itemsize
    if min(shape, default=0) < 0 or size != part.file_size - header:
        raise DataError(
            f"{where}: the array {part.filename!r} of shape {shape} and type {kind} needs {size} bytes, but has "
            f"{part.file_size - header}; save it again."
        )
    with warnings.catch_warnings(), archive.open(part) as file:
        warnings.simplefilter("ignore")
        return np.asarray(read_array(file, allow_pickle=False))


def _rows(where: str, arrays: Mapping[str, NDArray[Any]], part: str, class_names: tuple[str, ...] | None) -> Rows:
    x, y, ids = arrays[f"x{part}"], arrays[f"y{part}"], arrays.get(f"ids{part}")
    if x.ndim == 0:
        raise DataError(f"{where}: x{part} holds a single value; give one row for each sample.")
    for name, values in ((f"y{part}", y), (f"ids{part}", ids)):
        if values is not None and values.shape != x.shape[:1]:
            raise DataError(f"{where}: {name} has shape {values.shape}; x{part} has {x.shape}, so give one for each.")
    if y.dtype.kind not in "iubU":
        raise DataError(f"{where}: y{part} is of type {y.dtype}; labels are integers or text.")
    if x.dtype.kind not in "iubfU":
        raise DataError(f"{where}: x{part} is of type {x.dtype}; inputs are numbers or text.")
    labels: tuple[str | None, ...] = tuple(map(str, y.tolist()))
    if class_names is not None:
        labels = tuple(_name(where, part, i, value, class_names) for i, value in enumerate(y.tolist()))
    return Rows(
        split="test" if part else "train",
        ids=tuple(map(str, range(len(x)) if ids is None else ids.tolist())),
        labels=labels,
        take=lambda index: _inputs(where, f"x{part}", x, index),
        divisor=DIVISOR if _are_bytes(x) else None,
    )


def _name(where: str, part: str, position: int, value: Any, class_names: tuple[str, ...]) -> str | None:
    if isinstance(value, str):
        if value in class_names:
            return str(value)
    elif value == -1 and part:
        return None
    elif 0 <= value < len(class_names):
        return class_names[int(value)]
    raise DataError(
        f"{where}: y{part} holds {value!r} at position {position}, which is not among the "
        f"{len(class_names)} classes of class_names."
    )


def _inputs(where: str, name: str, x: NDArray[Any], index: Index) -> Inputs:
    if x.dtype.kind == "U" and x.ndim == 1:
        return tuple(x[index].tolist())
    if x.dtype.kind == "U" or x.ndim not in (2, 3, 4):
        raise DataError(
            f"{where}: {name} of type {x.dtype} has shape {x.shape}; give features [sample, feature], images or texts."
        )
    values = x[index]
    check_size(values.size * np.dtype(np.float32).itemsize, f"{name} of {where}")
    if x.ndim == 4 and x.shape[1] not in (1, 3) and x.shape[3] in (1, 3):
        values = values.transpose(0, 3, 1, 2)
    if x.ndim == 3:
        values = values[:, None]
    if _are_bytes(x):
        return from_bytes(values.transpose(0, 2, 3, 1))
    with np.errstate(over="ignore"):
        return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def _are_bytes(x: NDArray[Any]) -> bool:
    """Whether these are images whose values are to be divided."""
    return x.ndim > 2 and x.dtype == np.uint8
