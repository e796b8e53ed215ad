"""The labels that people gave the training images of CIFAR-10 (CIFAR-10N)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from reseed._errors import DataError
from reseed._foreign import read_arrays, reason
from reseed.data._splits import Splits
from reseed.data.corruption._classes import check_classes
from reseed.data.corruption._config import ANNOTATIONS
from reseed.data.corruption._record import CorruptionRecord

_FILE = "cifar10/cifar10n_labels.npz"
_CLEAN = "clean_label"


def check_annotations() -> None:
    """Accept to read annotations: they are in the folder that RESEED_DATA names.

    Raises:
        DataError: It names none, or the file is not there.
    """
    _path()


def annotated(splits: Splits, name: str) -> Splits:
    """Gives training samples of cifar10 the labels of an annotator in place of the true ones.

    Args:
        splits: cifar10, or a part of it; ids say which image each sample is.
        name: a key of `ANNOTATIONS`.

    Raises:
        DataError: The file cannot be used, or its true labels are not those of the data set.
    """
    path, train = _path(), splits.train
    try:
        arrays = read_arrays(path)
        clean, given = (_labels(arrays, array, train.num_classes) for array in (_CLEAN, ANNOTATIONS[name]))
        if len(given) != len(clean):
            raise ValueError(f"{ANNOTATIONS[name]} has {len(given)} labels, {_CLEAN} has {len(clean)}")
    except DataError:
        raise
    except (OSError, ValueError) as error:
        raise DataError(f"the annotations of cifar10 in {str(path)!r} cannot be used: {reason(error)}.") from error
    places = np.array([int(row.rpartition("-")[2]) for row in train.sample_ids], np.int64)
    if places.max() >= len(clean):
        raise DataError(f"{str(path)!r} has {len(clean)} labels, and none of sample 'train-{places.max()}'.")
    true = train.labels.numpy()
    wrong = np.flatnonzero(clean[places] != true)
    if len(wrong):
        place = int(wrong[0])
        raise DataError(
            f"{_CLEAN} of {str(path)!r} is {clean[places[place]]} for sample {train.sample_ids[place]!r}, whose label "
            f"is {true[place]}: the images of cifar10 are not in the original order here, so that the annotations are "
            "those of others."
        )
    labels = given[places]
    check_classes(splits, torch.from_numpy(labels), f"labels={name!r}", "train on more samples")
    changed = labels != true
    found = CorruptionRecord(
        f"annotations-{name}",
        None,
        train.sample_ids,
        true.copy(),
        labels,
        np.ones(len(labels), bool),
        changed,
        {"samples": len(labels), "selected": len(labels), "changed": int(changed.sum()), "evaluation": False},
    )
    note = (
        f"Training labels are the annotations {name!r} of CIFAR-10N: {int(changed.sum()):,} of {len(labels):,} are not "
        "the true ones; labels of the evaluation split are untouched."
    )
    return Splits(
        replace(train, labels=torch.from_numpy(labels)), splits.evaluation, (*splits.notes, note), corruption=found
    )


def _path() -> Path:
    named = os.environ.get("RESEED_DATA")
    told = "RESEED_DATA is not set" if not named else f"RESEED_DATA is {named!r}, and {_FILE!r} is not in it"
    path = Path(named or "").expanduser() / _FILE
    if not named or not path.is_file():
        raise DataError(
            f"labels={'|'.join(ANNOTATIONS)} needs the annotations of CIFAR-10N, which are not on the hub with "
            f"cifar10, but {told}; let it name a folder with cifar10/train.parquet and cifar10/test.parquet in the "
            f"original order and {_FILE}, an archive of whole numbers [image] called "
            f"{', '.join((_CLEAN, *ANNOTATIONS.values()))}."
        )
    return path


def _labels(arrays: Mapping[str, NDArray[np.generic]], name: str, num_classes: int) -> NDArray[np.int64]:
    if name not in arrays:
        raise ValueError(f"it has no array {name!r}")
    found = arrays[name]
    if found.dtype.kind not in "iu" or found.ndim != 1 or not len(found):
        raise ValueError(f"its array {name!r} is {found.dtype} of shape {found.shape}, and not whole numbers [image]")
    labels = found.astype(np.int64)
    if labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError(f"its array {name!r} holds {labels.min()} to {labels.max()}, and not 0 to {num_classes - 1}")
    return labels
