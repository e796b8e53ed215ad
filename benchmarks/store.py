"""Ways of keeping a study's predictions on disk, compared on the same arrays in one run.

- blocks: what reseed does; checkpoints are buffered into zarr chunks of about 4 MB (`RunWriter`).
- checkpoints: a zarr chunk, hence a file, for each checkpoint.
- repacked: the same, and each finished run's arrays rewritten into one zarr shard, a chunk for each checkpoint inside.
- shards: blocks as reseed buffers them, each written as one zarr shard with a chunk for each checkpoint inside.
- npy: a memory-mapped .npy file for each array, not compressed.

All have a folder for each run and a manifest that is renamed into place. Ways take turns run by run, so that noise hits
all alike; before each the disk is made to rest. What is read was forgotten by the page cache, though not by the disk;
opening the arrays is included.

    python benchmarks/store.py
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from _environment import write_result
from _predictions import Predictions
from numpy.typing import NDArray

from reseed.studies import Manifest, replace_json
from reseed.studies._store import RunWriter

CASES = [  # runs, checkpoints, samples, classes, level
    (50, 100, 10_000, 10, "labels"),
    (50, 100, 10_000, 10, "scores"),
    (20, 20, 100_000, 10, "scores"),
    (4, 5, 10_000, 1_000, "full"),
]
REPETITIONS = 3
BLOCK_BYTES = 4 << 20
Arrays = dict[str, NDArray]


class AbstractLayout(ABC):
    """A way of keeping predictions, in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @abstractmethod
    def write(self, run: int, checkpoints: Sequence[Arrays]) -> None:
        """Write a run checkpoint by checkpoint, as a training would, and its manifest."""

    @abstractmethod
    def open(self, run: int, name: str) -> Any:
        """Open an array [checkpoint, sample, ...] for reading."""

    def repack(self, run: int, names: Sequence[str]) -> None:
        """Do what is to be done when a run has finished: nothing, for most."""
        return

    def folder(self, run: int) -> Path:
        """Return the folder of a run's arrays."""
        return self.root / f"run-{run:05d}"

    def finish(self, run: int) -> None:
        """Write the manifest."""
        replace_json(self.folder(run) / "manifest.json", {"run": run, "status": "complete"})


class Blocks(AbstractLayout):
    """What reseed does."""

    def write(self, run: int, checkpoints: Sequence[Arrays]) -> None:
        """Write with `RunWriter`."""
        writer = RunWriter(self.root, run, len(checkpoints), num_classes=10)
        for checkpoint, arrays in enumerate(checkpoints):
            writer.write("evaluation", checkpoint, arrays)
        writer.finish(Manifest(run, "complete", writer.name, tuple(range(len(checkpoints))), "data"))

    def open(self, run: int, name: str) -> Any:
        """Open a zarr array."""
        (path,) = (self.root / "runs" / f"run-{run:05d}").glob(f"predictions-*/evaluation/{name}")
        return zarr.open_array(path, mode="r")


class Checkpoints(AbstractLayout):
    """A zarr chunk for each checkpoint."""

    def write(self, run: int, checkpoints: Sequence[Arrays]) -> None:
        """Write each checkpoint when it comes."""
        group = zarr.open_group(self.folder(run), mode="a")
        made = {name: create(group, name, len(checkpoints), first, block=1) for name, first in checkpoints[0].items()}
        for checkpoint, arrays in enumerate(checkpoints):
            for name, values in arrays.items():
                made[name][checkpoint] = values
        self.finish(run)

    def open(self, run: int, name: str) -> Any:
        """Open a zarr array."""
        return zarr.open_array(self.folder(run) / name, mode="r")


class Repacked(Checkpoints):
    """A zarr chunk for each checkpoint, then one shard for each array of a finished run."""

    def repack(self, run: int, names: Sequence[str]) -> None:
        """Rewrite the run's arrays and drop the old ones."""
        group = zarr.open_group(self.folder(run), mode="a")
        for name in names:
            values = group[name][:]
            create(group, f"{name}-shard", len(values), values[0], block=1, shard=len(values))[:] = values
            shutil.rmtree(self.folder(run) / name)
            (self.folder(run) / f"{name}-shard").rename(self.folder(run) / name)


class Shards(Checkpoints):
    """Blocks of about 4 MB, each a shard with a chunk for each checkpoint."""

    def write(self, run: int, checkpoints: Sequence[Arrays]) -> None:
        """Write each block when it is full."""
        group, count = zarr.open_group(self.folder(run), mode="a"), len(checkpoints)
        for name, first in checkpoints[0].items():
            block = max(1, min(count, BLOCK_BYTES // first.nbytes))
            made = create(group, name, count, first, block=1, shard=block)
            for start in range(0, count, block):
                made[start : start + block] = np.stack([one[name] for one in checkpoints[start : start + block]])
        self.finish(run)


class Npy(AbstractLayout):
    """Memory-mapped .npy files."""

    def write(self, run: int, checkpoints: Sequence[Arrays]) -> None:
        """Write each checkpoint into its row of the map."""
        self.folder(run).mkdir(parents=True)
        made = {
            name: np.lib.format.open_memmap(
                self.folder(run) / f"{name}.npy", mode="w+", dtype=first.dtype, shape=(len(checkpoints), *first.shape)
            )
            for name, first in checkpoints[0].items()
        }
        for checkpoint, arrays in enumerate(checkpoints):
            for name, values in arrays.items():
                made[name][checkpoint] = values
        self.finish(run)

    def open(self, run: int, name: str) -> Any:
        """Map a file."""
        return np.load(self.folder(run) / f"{name}.npy", mmap_mode="r")


LAYOUTS: dict[str, Callable[[Path], AbstractLayout]] = {
    "blocks": Blocks,
    "checkpoints": Checkpoints,
    "repacked": Repacked,
    "shards": Shards,
    "npy": Npy,
}


def create(group: zarr.Group, name: str, count: int, first: NDArray, block: int, shard: int | None = None) -> Any:
    """Create an array with zarr's default compression, as `RunWriter` does."""
    return group.create_array(
        name,
        shape=(count, *first.shape),
        chunks=(block, *first.shape),
        shards=None if shard is None else (shard, *first.shape),
        dtype=first.dtype,
        fill_value=-1 if first.dtype.kind == "i" else float("nan"),
    )


def seconds(function: Callable[..., object], *arguments: Any) -> float:
    """Time one call."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def forget(root: Path) -> None:
    """Have the page cache drop a folder's contents."""
    os.sync()
    for path in root.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def write_all(
    layouts: Mapping[str, AbstractLayout], runs: int, predictions: Predictions
) -> dict[str, dict[str, float]]:
    """Write all runs in all ways, in turns, and return the seconds each way took."""
    taken = {name: {"write_s": 0.0, "repack_s": 0.0} for name in layouts}
    for run in range(runs):
        checkpoints = list(predictions.of_run(run))
        names = list(layouts)
        for name in names[run % len(names) :] + names[: run % len(names)]:
            os.sync()
            layout = layouts[name]
            taken[name]["write_s"] += seconds(layout.write, run, checkpoints)
            taken[name]["repack_s"] += seconds(layout.repack, run, list(checkpoints[0]))
    return taken


def read(layout: AbstractLayout, runs: int, array: str, key: Any) -> None:
    """Read a selection of an array of every run, run by run."""
    for run in range(runs):
        np.array(layout.open(run, array)[key])


def read_all(layout: AbstractLayout, runs: int, main: str, sample: int) -> dict[str, float]:
    """Return the seconds that each kind of reading takes, over all runs."""
    taken = {}
    for array in dict.fromkeys(("labels", main)):
        for what, key in {"last": (-1,), "one sample": (slice(None), sample), "all": (slice(None),)}.items():
            forget(layout.root)
            taken[f"{array}, {what}"] = seconds(read, layout, runs, array, key)
    return taken


def size(root: Path) -> dict[str, int]:
    """Return the bytes, files and folders below a folder."""
    paths = list(root.rglob("*"))
    files = [path for path in paths if path.is_file()]
    return {
        "bytes": sum(path.stat().st_size for path in files),
        "files": len(files),
        "folders": len(paths) - len(files),
    }


def compare(runs: int, checkpoints: int, samples: int, classes: int, level: str) -> dict[str, object]:
    """Write and read one size in all ways, several times."""
    predictions = Predictions(checkpoints, samples, classes, level)
    first = next(iter(predictions.of_run(0)))
    main = {"labels": "labels", "scores": "confidence", "full": "probabilities"}[level]
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in LAYOUTS}
    for _ in range(REPETITIONS):
        with tempfile.TemporaryDirectory() as folder:
            layouts = {name: make(Path(folder) / name) for name, make in LAYOUTS.items()}
            written = write_all(layouts, runs, predictions)
            for name, layout in layouts.items():
                rounds[name].append(written[name] | read_all(layout, runs, main, samples // 3) | size(layout.root))
    raw = runs * checkpoints * sum(values.nbytes for values in first.values())
    case = f"{runs} runs x {checkpoints} checkpoints x {samples:,} samples x {classes:,} classes, {level}"
    print(f"{case}: {raw / 1e6:,.0f} MB")
    for name, found in rounds.items():
        middle = {key: statistics.median(one[key] for one in found) for key in found[0]}
        print(f"  {name}: " + ", ".join(f"{key} {value:,.4g}" for key, value in middle.items()))
    return {
        "case": case,
        "runs": runs,
        "checkpoints": checkpoints,
        "samples": samples,
        "classes": classes,
        "level": level,
        "raw_bytes": raw,
        "agreement": agreement(predictions),
        "layouts": rounds,
    }


def agreement(predictions: Predictions) -> dict[str, float]:
    """Return on how many answers two runs, and two successive checkpoints of one, agree."""
    one, other = ([arrays["labels"] for arrays in predictions.of_run(run)] for run in (0, 1))
    return {
        "between runs": float((one[-1] == other[-1]).mean()),
        "between checkpoints": float(np.mean([(a == b).mean() for a, b in pairwise(one)])),
    }


def main() -> None:
    """Compare all sizes and write the raw numbers beside this file."""
    results = [compare(*case) for case in CASES]
    write_result("store", {"zarr": version("zarr"), "repetitions": REPETITIONS, "cases": results})


if __name__ == "__main__":
    main()
