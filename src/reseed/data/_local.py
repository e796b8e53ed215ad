"""Known data sets from scikit-learn and from the folder that RESEED_DATA names."""

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from reseed._errors import DataError
from reseed.data._images import DIVISOR, from_bytes, from_pictures
from reseed.data._rows import Index, Inputs, Rows

if TYPE_CHECKING:
    import pyarrow as pa

_GREYS = 16  # of a pixel of digits, besides black
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def read_digits() -> Rows:
    """Handwritten digits `[sample, 1, 8, 8]`; an id is the row number in scikit-learn's array."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = torch.from_numpy(digits.images.astype(np.float32) / _GREYS).unsqueeze(1)
    labels = tuple(str(label) for label in digits.target)
    ids = _numbered(len(labels))
    return Rows("train", ids, labels, lambda index: images[torch.from_numpy(index)], divisor=_GREYS)


def read_mnist(folder: Path, split: str) -> Rows:
    """Handwritten digits `[sample, 1, 28, 28]`."""
    with np.load(_existing(folder, "mnist/mnist.npz"), allow_pickle=False) as archive:
        images, numbers = archive[f"{split}_images"], archive[f"{split}_labels"]
    labels = tuple(str(label) for label in numbers)
    return Rows(split, _numbered(len(labels)), labels, lambda index: from_bytes(images[index]), divisor=DIVISOR)


def read_cifar10(folder: Path, split: str) -> Rows:
    """Photographs `[sample, 3, 32, 32]`, decoded when they are taken."""
    from pyarrow import parquet

    with parquet.ParquetFile(_existing(folder, f"cifar10/{split}.parquet")) as file:
        table = file.read(["image", "label"])
    labels = tuple(CIFAR10[label] for label in table["label"].to_pylist())
    ids = _numbered(len(labels))
    return Rows(split, ids, labels, lambda index: _pictures(table["image"], index), divisor=DIVISOR)


def read_clinc150(folder: Path, split: str) -> Rows:
    """Questions and their intents; those of the splits `oos_test` and `oos_val` have none."""
    with gzip.open(_existing(folder, "clinc150/data_full.json.gz"), "rt", encoding="utf-8") as file:
        pairs = json.load(file)["val" if split == "validation" else split]
    texts = [text for text, _ in pairs]
    labels = tuple(None if split.startswith("oos") else intent for _, intent in pairs)
    return Rows(split, _numbered(len(labels)), labels, lambda index: tuple(texts[i] for i in index))


def read_massive(folder: Path, split: str) -> Rows:
    """Requests and their intents; ids are the data set's own."""
    with gzip.open(_existing(folder, f"massive/{split}.jsonl.gz"), "rt", encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    texts = [record["text"] for record in records]
    return Rows(
        split,
        tuple(str(record["id"]) for record in records),
        tuple(record["label_text"] for record in records),
        lambda index: tuple(texts[i] for i in index),
    )


def _pictures(column: "pa.ChunkedArray", index: Index) -> Inputs:
    return from_pictures(column.take(index).to_pylist())


def _existing(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise DataError(
            f"RESEED_DATA is {str(folder)!r}, but the file {name!r} is not in it; put it there, or unset "
            "RESEED_DATA to download from the Hugging Face hub."
        )
    return path


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(str(row) for row in range(count))
