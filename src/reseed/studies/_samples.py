"""The evaluation samples of a study: ids, targets, and what a reader needs to recognise each."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reseed._errors import InputError
from reseed.data import Dataset, previews

_MOST_FEATURES = 1 << 24  # numbers kept with a study: 64 MiB


@dataclass(frozen=True, eq=False)
class Samples:
    """Who was predicted.

    Attributes:
        ids: Stable sample ids, unique.
        targets: int64 [sample]; -1 where unknown.
        class_names: Names of the classes; labels are indices into them.
        texts: What each sample says, or None.
        images: PNG of each sample, or None.
        digest: Hash over ids, targets and class names.
        features: Where each is made of numbers, and they are not very many, these, [sample, feature], or None.
        feature_names: What they are called, or None.

    Raises:
        InputError: An id, a class name or a text holds half a surrogate pair, which no file can.
    """

    ids: tuple[str, ...]
    targets: NDArray[np.int64]
    class_names: tuple[str, ...]
    texts: tuple[str, ...] | None = None
    images: tuple[bytes, ...] | None = None
    digest: str = ""
    features: NDArray[np.float32] | None = None
    feature_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("ids", "class_names", "texts", "feature_names"):
            check_encodable(name, getattr(self, name) or ())
        if not self.digest:
            object.__setattr__(self, "digest", _digest(self.ids, self.targets, self.class_names))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def has_targets(self) -> bool:
        """Whether at least one target is known."""
        return bool((self.targets >= 0).any())


def samples_of(dataset: Dataset) -> Samples:
    """Return the samples of an evaluation data set, with previews, and with the numbers that those do not show."""
    texts, images = [], []
    for item in previews(dataset):
        if isinstance(item, bytes):
            images.append(item)
        else:
            texts.append(item)
    inputs = None if images or not isinstance(dataset.inputs, torch.Tensor) else dataset.inputs
    is_kept = inputs is not None and inputs.numel() <= _MOST_FEATURES
    return Samples(
        dataset.sample_ids,
        dataset.labels.numpy().astype(np.int64),
        dataset.class_names,
        texts=None if images else tuple(texts),
        images=tuple(images) if images else None,
        digest=dataset.digest,
        features=inputs.flatten(1).numpy() if inputs is not None and is_kept else None,
        feature_names=dataset.feature_names if is_kept else None,
    )


def samples_from(
    count: int,
    *,
    targets: Sequence[Any] | NDArray[Any] | None = None,
    sample_ids: Sequence[Any] | None = None,
    class_names: Sequence[Any] | None = None,
    texts: Sequence[str] | None = None,
) -> Samples:
    """Build samples from what a user has at hand.

    Args:
        count: Number of samples.
        targets: Class names, or indices into ``class_names``; None where unknown altogether.
        sample_ids: Default: the row number.
        class_names: Default: the sorted distinct targets.
        texts: What to show of each sample.

    Raises:
        InputError: Lengths differ, ids repeat, or a target is no class.
    """
    for name, values in (("targets", targets), ("sample_ids", sample_ids), ("texts", texts)):
        if values is not None and len(values) != count:
            raise InputError(f"{name} has {len(values)} entries for {count} samples; pass one for each.")
    ids = tuple(map(str, range(count) if sample_ids is None else sample_ids))
    if len(set(ids)) != count:
        repeated = Counter(ids).most_common(1)[0][0]
        raise InputError(f"sample_ids are not unique: {repeated!r} stands more than once.")
    if class_names is None:
        if targets is None:
            raise InputError("class_names are needed where no targets are given; pass the name of each class.")
        class_names = class_names_of(targets)
    names = tuple(map(str, class_names))
    if len(set(names)) != len(names) or len(names) < 2:
        raise InputError(f"class_names must be two or more distinct names, got {names!r}.")
    indices = np.full(count, -1) if targets is None else label_indices(targets, names, "targets")
    return Samples(ids, indices, names, None if texts is None else tuple(map(str, texts)))


def evaluation_data(
    data: Any,
    argument: str,
    *,
    sample_ids: Sequence[Any] | None,
    class_names: Sequence[Any] | None,
    texts: Sequence[str] | None,
    needs_inputs: bool = True,
) -> tuple[Any, Samples, str]:
    """Return inputs, samples and the name of evaluation data, given as a `Dataset` or as ``(inputs, targets)``.

    Args:
        data: The data; targets may be None.
        argument: What the caller calls it.
        sample_ids: Stable ids; default: the row number. A `Dataset` brings its own, and the next two.
        class_names: Names of the classes; default: the sorted distinct targets.
        texts: What a reader is shown of each sample.
        needs_inputs: Whether inputs may not be None.

    Raises:
        InputError: It is neither, or does not fit what is given beside it.
    """
    if isinstance(data, Dataset):
        for name, value in (("sample_ids", sample_ids), ("class_names", class_names), ("texts", texts)):
            if value is not None:
                raise InputError(f"{name} is given, but the data set {data.name!r} brings its own.")
        return data.inputs, samples_of(data), data.name
    inputs, targets = pair(data, argument)
    if inputs is None and targets is None and not needs_inputs:
        raise InputError(f"{argument} is (None, None); pass inputs, targets, or both.")
    count = _count(targets if inputs is None and not needs_inputs else inputs, argument)
    samples = samples_from(count, targets=targets, sample_ids=sample_ids, class_names=class_names, texts=texts)
    return inputs, samples, argument


def pair(data: Any, argument: str) -> tuple[Any, Any]:
    """Return the two parts of ``(inputs, targets)``.

    Raises:
        InputError: It is no pair.
    """
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise InputError(f"{argument} must be a pair (inputs, targets), got {type(data).__name__}.")
    return data[0], data[1]


def _count(items: Any, argument: str) -> int:
    """Return the number of samples; sparse matrices have a shape and no length."""
    shape = getattr(items, "shape", None)
    if not shape and not hasattr(items, "__len__"):
        raise InputError(f"the inputs of {argument} must have a length, got {type(items).__name__}.")
    return int(shape[0]) if shape else len(items)


def class_names_of(*labels: Any) -> tuple[str, ...]:
    """Return the sorted distinct labels as names; integers in numerical order.

    Raises:
        InputError: Some labels are names and some are numbers, and none are equal, so that it takes the names of
            the classes to tell which is which.
    """
    parts = [set(_label_array(part, "labels").ravel().tolist()) for part in labels]
    distinct = set().union(*parts)
    if not any(isinstance(item, str) for item in distinct):
        is_boolean = all(isinstance(item, bool) for item in distinct)
        return tuple(str(item if is_boolean else int(item)) for item in sorted(distinct))
    are_names = [any(isinstance(item, str) for item in part) for part in parts]
    named = [{str(item) for item in part} for part in parts]
    if len(set(are_names)) == 2 and not set.intersection(*named):
        raise InputError(
            "predictions and targets do not speak of the same classes: one holds names, the other numbers; pass "
            "class_names, the name of each number."
        )
    return tuple(sorted(set().union(*named)))


def as_array(value: Any, argument: str) -> NDArray[Any]:
    """Return what predictions or labels come in as numpy; torch tensors come from any device.

    Names that do not come as an array become objects: numpy's own strings drop a NUL at the end.

    Raises:
        InputError: Lists have unequal lengths.
    """
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        if value.is_floating_point() and value.itemsize < 4:  # numpy has no bfloat16
            value = value.float()
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InputError(f"{argument} must be rectangular, got lists of unequal length.") from error
    return np.asarray(value, dtype=object) if array.dtype.kind == "U" and array is not value else array


def label_indices(labels: Any, class_names: Sequence[str], argument: str) -> NDArray[np.int64]:
    """Return labels, given as class names or as indices into them, as indices.

    Integers and booleans are names where they all are (classes "3", "5"), else indices.

    Raises:
        InputError: A label is no class; the message names it and its position.
    """
    values = _label_array(labels, argument)
    distinct, inverse = _factorized(values)
    position = {name: index for index, name in enumerate(class_names)}
    found = [position.get(str(item), -1) for item in distinct]
    if -1 in found and values.dtype.kind in "biu":
        found = [int(item) if 0 <= item < len(class_names) else -1 for item in distinct]
    if -1 in found:
        bad = distinct[found.index(-1)]
        where = tuple(int(axis) for axis in np.argwhere(values == bad)[0])
        raise InputError(
            f"{argument} holds {bad!r} at position {where}, which is none of the {len(class_names)} classes "
            f"{_shortened(class_names)}; class_names must list every class."
        )
    return np.array(found, dtype=np.int64)[inverse].reshape(values.shape)


def _label_array(labels: Any, argument: str) -> NDArray[Any]:
    """Return labels as an array of integers, booleans or names.

    Raises:
        InputError: One is neither, or there is none.
    """
    values = as_array(labels, argument)
    if values.dtype.kind == "f":
        bad = values[~np.isfinite(values) | (values != np.round(values))]
        if bad.size:
            raise InputError(f"{argument} must be class names or integers, got {bad.flat[0].item()!r}.")
        return values.astype(np.int64)
    if values.dtype.kind in "OT":
        items = values.ravel().tolist()
        other = next((item for item in items if not isinstance(item, str | int | np.integer | np.bool_)), items)
        if other is not items:
            raise InputError(f"{argument} must be class names or integers, got {other!r}.")
        if any(isinstance(item, str) for item in items):
            return np.array([str(item) for item in items], dtype=object).reshape(values.shape)
        return values.astype(np.int64)
    if values.dtype.kind not in "biuU":
        raise InputError(f"{argument} must be class names or integers, got an array of {values.dtype}.")
    return values


def _factorized(values: NDArray[Any]) -> tuple[list[Any], NDArray[np.int64]]:
    """Return the sorted distinct values, and the position among them of each value, flat."""
    if values.dtype.kind != "O":
        distinct, inverse = np.unique(values, return_inverse=True)
        return distinct.tolist(), inverse.ravel()
    items = values.ravel().tolist()
    names = sorted(set(items))
    position = {name: index for index, name in enumerate(names)}
    return names, np.fromiter((position[item] for item in items), np.int64, len(items))


def check_encodable(name: str, items: Sequence[str]) -> None:
    """Accept texts that can be written to a file.

    Raises:
        InputError: One holds half a surrogate pair.
    """
    for item in items:
        try:
            item.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"{name} holds {item!r}, which cannot be written as UTF-8.") from error


def _digest(ids: Sequence[str], targets: NDArray[np.int64], class_names: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for items in (ids, class_names):
        for item in items:
            encoded = item.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(8, "little") + encoded)
        digest.update(b"\0")
    digest.update(targets.astype("<i8").tobytes())
    return digest.hexdigest()


def _shortened(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:5])
    return f"({shown}{', ...' if len(names) > 5 else ''})"
