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
from reseed.studies._labels import LabelReading, class_names_of
from reseed.studies._targets import AUTO, Targets

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
    labels: LabelReading,
    *,
    targets: Targets | None = None,
    sample_ids: Sequence[Any] | None = None,
    texts: Sequence[str] | None = None,
) -> Samples:
    """Build samples from what a user has at hand.

    Args:
        count: Number of samples.
        labels: How targets are read, and the names of the classes.
        targets: Gold labels; None where unknown altogether.
        sample_ids: Default: the row number.
        texts: What to show of each sample.

    Raises:
        InputError: Lengths differ, ids repeat, or a target is no class.
    """
    check_lengths(count, targets=targets, sample_ids=sample_ids, texts=texts)
    ids = tuple(map(str, range(count) if sample_ids is None else sample_ids))
    if len(set(ids)) != count:
        repeated = Counter(ids).most_common(1)[0][0]
        raise InputError(f"sample_ids are not unique: {repeated!r} stands more than once.")
    indices = np.full(count, -1) if targets is None else targets.indices(labels)
    return Samples(ids, indices, labels.class_names, None if texts is None else tuple(map(str, texts)))


def check_lengths(count: int, **described: Any) -> None:
    """Accept what describes each of ``count`` samples, by argument; None where it is not given.

    Raises:
        InputError: It has another length.
    """
    for name, values in described.items():
        if values is not None and len(values) != count:
            raise InputError(f"{name} has {len(values)} entries for {count} samples; pass one for each.")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What runs predict, and how their answers are read.

    Attributes:
        inputs: What models take; None where predictions come from elsewhere.
        samples: Who is predicted.
        labels: How labels are read.
        name: What the data is called.
        notes: What a reader of the results should know.
    """

    inputs: Any
    samples: Samples
    labels: LabelReading
    name: str
    notes: tuple[str, ...] = ()


def evaluation_data(
    data: Any,
    argument: str,
    *,
    sample_ids: Sequence[Any] | None,
    class_names: Sequence[Any] | None,
    texts: Sequence[str] | None,
    unknown_target: Any = AUTO,
    known_labels: Any = None,
    needs_inputs: bool = True,
) -> Evaluation:
    """Return evaluation data that is given as a `Dataset` or as ``(inputs, targets)``.

    Args:
        data: The data; targets may be None.
        argument: What the caller calls it.
        sample_ids: Stable ids; default: the row number. A `Dataset` brings its own, and the next two.
        class_names: Names of the classes; default: the sorted distinct targets, and ``known_labels``.
        texts: What a reader is shown of each sample.
        unknown_target: The target of samples whose gold label is not known; see `Targets`.
        known_labels: Labels of the training data, if they are known.
        needs_inputs: Whether inputs may not be None.

    Raises:
        InputError: It is neither, or does not fit what is given beside it.
    """
    if isinstance(data, Dataset):
        for name, value in (("sample_ids", sample_ids), ("class_names", class_names), ("texts", texts)):
            if value is not None:
                raise InputError(f"{name} is given, but the data set {data.name!r} brings its own.")
        # Its own labels are positions; numbers among the names could mislead.
        labels = LabelReading(data.class_names, "positions", LabelReading.without_numbers(data.class_names).is_told)
        return Evaluation(data.inputs, samples_of(data), labels, data.name, labels.note())
    inputs, given = pair(data, argument)
    if inputs is None and given is None and not needs_inputs:
        raise InputError(f"{argument} is (None, None); pass inputs, targets, or both.")
    count = _count(given if inputs is None and not needs_inputs else inputs, argument)
    check_lengths(count, targets=given)
    targets = None
    if given is not None:
        targets = Targets.of(given, unknown_target, class_names=class_names, labels=known_labels)
    known = {"targets": None if targets is None else targets.known, "train_data": known_labels}
    labels = reading_of(class_names, **known)
    samples = samples_from(count, labels, targets=targets, sample_ids=sample_ids, texts=texts)
    notes = (*labels.note(), *(() if targets is None else targets.notes))
    return Evaluation(inputs, samples, labels, argument, notes)


def reading_of(class_names: Sequence[Any] | None, **known: Any) -> LabelReading:
    """Return how labels are read: by class names that are given, else by the distinct labels that are known.

    Args:
        class_names: Names of the classes; None: the sorted distinct labels.
        **known: Labels by argument; None where nothing is known.

    Raises:
        InputError: Nothing says what the classes are, or labels do not fit them.
    """
    parts = [part for part in known.values() if part is not None]
    if class_names is None and not parts:
        raise InputError("class_names are needed where no targets are given; pass the name of each class.")
    names = class_names_of(*parts) if class_names is None else class_names
    return LabelReading.of(names, are_named=class_names is not None, **known)


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
