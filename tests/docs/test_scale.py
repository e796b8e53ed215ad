"""The cost model of `scale.md` against studies that are written here."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from reseed.studies import Manifest
from reseed.studies._store import run_writer

Size = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "_cost_model.py"))["Size"]


@pytest.mark.parametrize(
    ("checkpoints", "samples", "classes", "level"),
    [
        (7, 20, 3, "labels"),
        (7, 20, 3, "full"),
        (9, 400_000, 3, "scores"),  # blocks of 5 and of 2 checkpoints
        (1, 5_000_000, 40_000, "labels"),  # wide labels, split over samples
        (2, 3_000, 1_600, "full"),  # a checkpoint of probabilities larger than a chunk
    ],
)
def test_files_and_bytes_follow_the_formula(tmp_path, checkpoints, samples, classes, level):
    """A run's files are as many as the formula says, and its arrays as large."""
    size = Size(1, checkpoints, samples, classes, level)
    kinds = {"labels": (samples,)}
    if level != "labels":
        kinds |= dict.fromkeys(("own_probability", "confidence", "margin", "entropy"), (samples,))
    if level == "full":
        kinds["probabilities"] = (samples, classes)
    arrays = {name: np.ones(shape, np.int64 if name == "labels" else np.float32) for name, shape in kinds.items()}
    with run_writer(tmp_path, 0, checkpoints, classes) as writer:
        for checkpoint in range(checkpoints):
            writer.write("evaluation", checkpoint, arrays)
        writer.finish(Manifest(0, "complete", writer.name, tuple(range(checkpoints)), ""))
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == size.files
    wide = 4 if classes > 32_767 else 2
    each = wide + (16 if level != "labels" else 0) + (4 * classes if level == "full" else 0)
    assert size.raw_bytes == checkpoints * samples * each
