"""Samples on their way to a `Dataset`: class names instead of numbers, inputs not yet read."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from reseed._errors import DataError
from reseed.data._config import DataConfig
from reseed.data._dataset import UNKNOWN_LABEL, Dataset, shown
from reseed.data._splits import Splits
from reseed.data._subsets import stratified_limit, stratified_split

Inputs: TypeAlias = torch.Tensor | tuple[str, ...]
Index: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Samples before their classes are numbered.

    Attributes:
        split: name of the split.
        ids: an id for each sample.
        labels: the class name of each sample; None says "unknown".
        take: gives the inputs at the positions it is called with, so that what is dropped is never decoded.
        feature_names: what the features are called, where the data says.
        divisor: what the values of images are divided by.
    """

    split: str
    ids: tuple[str, ...]
    labels: tuple[str | None, ...]
    take: Callable[[Index], Inputs]
    feature_names: tuple[str, ...] | None = None
    divisor: int | None = None

    def select(self, index: Index, split: str | None = None) -> "Rows":
        """The samples at these positions, in this order."""
        return Rows(
            split or self.split,
            tuple(self.ids[i] for i in index),
            tuple(self.labels[i] for i in index),
            lambda positions: self.take(index[positions]),
            self.feature_names,
            self.divisor,
        )

    def where(self, keep: Sequence[bool], split: str | None = None) -> "Rows":
        """The samples marked True."""
        return self.select(np.flatnonzero(np.asarray(keep, dtype=bool)), split)

    def renumbered(self) -> "Rows":
        """The same samples with their row numbers as ids."""
        return replace(self, ids=tuple(map(str, range(len(self.ids)))))

    def relabel(self, rule: Callable[[str], str | None]) -> "Rows":
        """The same samples with each known class name passed through `rule`."""
        labels = tuple(None if label is None else rule(label) for label in self.labels)
        return replace(self, labels=labels)


def sorted_classes(labels: Sequence[str | None]) -> tuple[str, ...]:
    """The distinct class names; in numeric order where all of them are integers, else alphabetical."""
    names = {label for label in labels if label is not None}
    try:
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    except ValueError:
        return tuple(sorted(names))


def split_rows(name: str, rows: Rows, config: DataConfig, eval_split: str = "test") -> tuple[Rows, Rows]:
    """Divides samples into a training and an evaluation part, class by class."""
    classes = sorted_classes(rows.labels)
    if len(classes) < 2:
        raise DataError(f"{name}: only one class, {shown(classes)}; classifying needs at least two.")
    twice = [row for row, count in Counter(rows.ids).items() if count > 1]
    if twice:
        raise DataError(f"{name}: sample ids must be unique; given more than once: {shown(twice)}.")
    unknown = rows.labels.count(None)
    if unknown:
        raise DataError(f"{name}: {unknown} samples have no label; training needs one for each.")
    numbers = _numbered(rows.labels, classes)
    train, evaluation = stratified_split(name, numbers, classes, config.eval_fraction, config.split_seed)
    return rows.select(train, "train"), rows.select(evaluation, eval_split)


def to_splits(
    name: str,
    train: Rows,
    evaluation: Rows,
    config: DataConfig,
    class_names: tuple[str, ...] | None = None,
    notes: tuple[str, ...] = (),
) -> Splits:
    """Numbers the classes, applies `config.limit`, reads the inputs and checks the result.

    Ids that occur in both parts get the part's name in front (`train-0`, `test-0`), in both parts throughout.
    """
    classes = class_names or sorted_classes(train.labels + evaluation.labels)
    if len(classes) < 2:
        raise DataError(f"{name}: only one class, {shown(classes)}; classifying needs at least two.")
    together = not set(train.ids).isdisjoint(evaluation.ids)
    parts = []
    for rows in (train, evaluation):
        ids = tuple(f"{rows.split}-{row}" for row in rows.ids) if together else rows.ids
        numbers = _numbered(rows.labels, classes)
        index = np.arange(len(ids))
        if rows is train and config.limit is not None and config.limit < len(ids):
            index = stratified_limit(name, numbers, config.limit, config.split_seed)
        parts.append(
            Dataset(
                name=name,
                split=rows.split,
                inputs=rows.take(index),
                labels=torch.from_numpy(numbers[index]),
                sample_ids=tuple(ids[i] for i in index),
                class_names=classes,
                feature_names=rows.feature_names,
                divisor=rows.divisor,
            )
        )
    return Splits(parts[0], parts[1], notes)


def _numbered(labels: Sequence[str | None], classes: Sequence[str]) -> Index:
    number: dict[str | None, int] = {name: position for position, name in enumerate(classes)}
    number[None] = UNKNOWN_LABEL
    return np.array([number[label] for label in labels], dtype=np.int64)
