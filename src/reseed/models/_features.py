"""Features of texts that an encoder computed once, found again for any part of these texts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reseed._errors import ModelError
from reseed._foreign import read_array, reason

_FEATURES, _TEXTS = "features-{}.npy", "texts-{}.npy"


def text_marks(name: str, token_ids: Tensor, padding_id: int) -> NDArray[np.bytes_]:
    """Return what tells texts apart, [sample]: a digest of the encoder's name and of the tokens that are no padding.

    Args:
        name: The encoder's.
        token_ids: [sample, token], with padding behind each text.
        padding_id: What marks padding.
    """
    ends = (token_ids != padding_id).sum(1).tolist()
    rows = zip(token_ids.numpy(), ends, strict=True)
    marks = [hashlib.sha256(f"{name}\0".encode() + row[:end].tobytes()).hexdigest()[:32] for row, end in rows]
    return np.array(marks, "S32")


def kept_features(
    cache: Path | None, key: str, marks: NDArray[np.bytes_], compute: Callable[[NDArray[np.int64]], Tensor]
) -> Tensor:
    """Return the features [sample, feature] of a set of texts, and keep them.

    Those of the very set come back bit for bit. Of another one, those of texts that any set in the folder has are taken
    from there and the others computed; in another batch a text's features may round differently.

    Args:
        cache: The folder; None to keep nothing.
        key: The set's name there.
        marks: See `text_marks`.
        compute: Takes the samples that are in no set, and returns their features.

    Raises:
        ModelError: What is kept cannot be read.
    """
    everything = np.arange(len(marks))
    if cache is None:
        return compute(everything)
    path = cache / _FEATURES.format(key)
    if path.exists():
        return torch.from_numpy(_features(path))
    known = _known(cache, frozenset(marks.tolist()))
    missing = np.array([row for row, mark in enumerate(marks.tolist()) if mark not in known], np.int64)
    if not known:
        features = compute(everything)
    else:
        computed = zip(missing, compute(missing).numpy() if len(missing) else [], strict=True)
        known |= {marks[row]: values for row, values in computed}
        features = torch.from_numpy(np.stack([known[mark] for mark in marks.tolist()]))
    cache.mkdir(parents=True, exist_ok=True)
    for target, array in ((path, features.numpy()), (cache / _TEXTS.format(key), marks)):
        partial = target.with_suffix(".partial.npy")
        np.save(partial, array, allow_pickle=False)
        partial.replace(target)
    return features


def _known(cache: Path, wanted: frozenset[bytes]) -> dict[bytes, NDArray[np.float32]]:
    """Return the features of texts, by their marks, that sets in a folder have."""
    known: dict[bytes, NDArray[np.float32]] = {}
    for path in sorted(cache.glob(_TEXTS.format("*"))):
        source = path.with_name(path.name.replace("texts-", "features-", 1))
        marks: list[bytes] = _read(path).tolist()
        rows = [row for row, mark in enumerate(marks) if mark in wanted and mark not in known]
        if rows and source.exists():
            features = _features(source)
            if len(features) != len(marks):
                raise _unreadable(source, f"it has {len(features)} rows for {len(marks)} texts")
            known |= {marks[row]: features[row] for row in rows}
    return known


def _features(path: Path) -> NDArray[np.float32]:
    return np.asarray(_read(path), np.float32)


def _read(path: Path) -> NDArray[Any]:
    """Return what was kept.

    Raises:
        ModelError: It cannot be read.
    """
    try:
        return read_array(path, ModelError)
    except (OSError, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        raise _unreadable(path, reason(error)) from error


def _unreadable(path: Path, why: str) -> ModelError:
    return ModelError(
        f"the features kept in {str(path)!r} cannot be read: {why}. Delete the file; they are then computed again."
    )
