"""Helpers for the tests of `reseed.data`."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from reseed.data import Dataset

Write = Callable[[str, str | bytes], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file and gives its path."""

    def write(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write


@pytest.fixture
def real_data() -> Path:
    """The folder with real data; skips where there is none."""
    folder = os.environ.get("RESEED_DATA")
    if not folder:
        pytest.skip("RESEED_DATA is not set: it names a folder with clinc150/, massive/, mnist/ and cifar10/")
    return Path(folder)


@pytest.fixture
def toy() -> Callable[..., Dataset]:
    """Makes a small data set, with parts of it replaced."""

    def make(**parts: object) -> Dataset:
        given: dict[str, object] = {
            "name": "toy",
            "split": "train",
            "inputs": torch.tensor([[0.1, 2.0], [1.0, 3.0], [0.5, 0.5]]),
            "labels": torch.tensor([0, 1, 1]),
            "sample_ids": ("a", "b", "c"),
            "class_names": ("no", "yes"),
        }
        return Dataset(**{**given, **parts})  # type: ignore[arg-type]

    return make
