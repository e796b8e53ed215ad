"""The predictions of one run as a zarr group with exactly one writer."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from reseed._errors import StudyError
from reseed._foreign import reason
from reseed._limits import check_size
from reseed.studies._chunks import OPEN_BLOCK, check_array
from reseed.studies._files import inside, remove_partials, storing
from reseed.studies._manifest import (
    RUNS,
    Manifest,
    read_manifest,
    run_folder,
    run_name,
    weights_folder,
    write_manifest,
)
from reseed.studies._tensors_file import write_content
from reseed.studies._weights import file_name, write_weights
from reseed.training import DROPOUT, TRACKED, EvaluatedWeights

_BLOCK_BYTES = 4 << 20
_CHUNK_BYTES = 16 << 20
STEPS = "steps"
_AXES = ("checkpoint", "sample", "class")
_KINDS = {"labels": "i", "abstains": "u"}
_MISSING = {"labels": -1, "abstains": 255}
_NAME = re.compile("[a-z][a-z_]{0,63}")


class RunWriter:
    """Streams one run's predictions into a fresh zarr group; a `training.Sink`.

    Checkpoints are buffered into blocks of a few megabytes, one chunk each, so that a run of many small
    checkpoints does not become as many files. Nothing is visible until `finish` writes the manifest.

    Args:
        root: The study's folder.
        run: The run's number.
        checkpoints: How many checkpoints will be written; None where that is not known.
        num_classes: Decides the width of stored labels.
        about: What files of weights say of themselves.

    Attributes:
        name: The name of the group.
        weights: SHA-256 of each file of weights by its step.
        weights_bytes: How many bytes these files have together.
    """

    def __init__(
        self,
        root: Path,
        run: int,
        checkpoints: int | None,
        num_classes: int,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self._root, self._run, self._checkpoints = root, run, checkpoints
        labels = np.int16 if num_classes <= np.iinfo(np.int16).max else np.int32
        self._types: dict[str, Any] = {"labels": labels, "abstains": np.uint8}
        self.name = f"predictions-{uuid4().hex[:8]}"
        self._folder = run_folder(root, run) / self.name
        self._weights = run_folder(root, run) / weights_folder(self.name)
        self._about = about or {}
        self.weights: dict[str, str] = {}
        self.weights_bytes = 0
        self._buffers: dict[tuple[str, str], _Buffer] = {}
        with storing(self._folder):
            self._folder.mkdir(parents=True)

    def write(self, split: str, checkpoint: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the arrays of one split at one checkpoint; checkpoints come in order."""
        with storing(self._folder):
            for name, values in arrays.items():
                with np.errstate(over="ignore"):  # what is too large for it is infinite, as of a run that diverges
                    values = values.astype(self._types.get(name, np.float32), copy=False)
                buffer = self._buffers.get((split, name))
                if buffer is None:
                    checkpoints = {DROPOUT: 1, TRACKED: None}.get(split, self._checkpoints)
                    buffer = _Buffer(self._folder / split, name, checkpoints, values)
                    self._buffers[split, name] = buffer
                buffer.append(checkpoint, values)

    def write_steps(self, signals: Mapping[str, NDArray[Any]]) -> None:
        """Take what was recorded of every step, arrays [step] by name."""
        import zarr
        from zarr.codecs import ZstdCodec

        with storing(self._folder):
            group = zarr.open_group(self._folder / STEPS, mode="a")
            for name, values in signals.items():
                numbers = values.astype(np.float32)
                group.create_array(name, data=numbers, compressors=ZstdCodec(), dimension_names=("step",))

    def write_weights(self, step: int, networks: Sequence[EvaluatedWeights]) -> None:
        """Take what the run's networks are evaluated with after a step."""
        about = {**self._about, "run": self._run, "step": step}
        digest, size = write_weights(self._weights / file_name(step), networks, about)
        self.weights[str(step)] = digest
        self.weights_bytes += size

    def take_weights(self, step: int, path: Path) -> None:
        """Take a file of what the run's networks are evaluated with after a step, which stays where it is."""
        digest, size = write_content(self._weights / file_name(step), path.read_bytes())
        self.weights[str(step)] = digest
        self.weights_bytes += size

    def drop_weights(self) -> None:
        """Keep no weights of this run."""
        shutil.rmtree(self._weights, ignore_errors=True)
        self.weights, self.weights_bytes = {}, 0

    def finish(self, manifest: Manifest) -> None:
        """Flush, then write the manifest: from here on the run exists.

        Raises:
            StorageError: It cannot be written.
            StudyError: What was written so far is gone.
        """
        with storing(self._folder):
            for buffer in self._buffers.values():
                buffer.flush()
        written = [self._folder / split / name / "zarr.json" for split, name in self._buffers]
        written += [self._weights / file_name(int(step)) for step in self.weights]
        if not all(path.exists() for path in written):
            # A worker that was taken for dead, whose run is done by another one.
            raise StudyError(f"the predictions of run {self._run} were removed while they were written.")
        write_manifest(self._root, manifest)

    def discard(self) -> None:
        """Remove what was written, unless a manifest names it: that run is finished, whatever was interrupted since."""
        manifest = read_manifest(self._root, self._run)
        if manifest is None or manifest.predictions != self.name:
            shutil.rmtree(self._folder, ignore_errors=True)
            shutil.rmtree(self._weights, ignore_errors=True)


class _Buffer:
    """One array [checkpoint, sample, ...]: collects a block of checkpoints in memory, then writes one chunk."""

    def __init__(self, group: Path, name: str, checkpoints: int | None, first: NDArray[Any]) -> None:
        import zarr
        from zarr.codecs import ZstdCodec  # named, since `check_array` accepts no other

        self._grows = checkpoints is None
        block = max(1, min(OPEN_BLOCK if checkpoints is None else checkpoints, _BLOCK_BYTES // max(1, first.nbytes)))
        samples = len(first)
        bytes_per_sample = max(1, first.nbytes // max(1, samples)) * block
        chunk = min(samples, max(1, _CHUNK_BYTES // bytes_per_sample))
        self._array = zarr.open_group(group, mode="a").create_array(
            name,
            shape=(checkpoints or 0, *first.shape),
            chunks=(block, chunk, *first.shape[1:]),
            dtype=first.dtype,
            compressors=ZstdCodec(),
            fill_value=_MISSING.get(name, float("nan")),
            dimension_names=_AXES[: first.ndim + 1],
        )
        self._block = np.empty((block, *first.shape), first.dtype)
        self._start, self._filled = 0, 0

    def append(self, checkpoint: int, values: NDArray[Any]) -> None:
        if self._filled == len(self._block):
            self.flush()
            self._start, self._filled = checkpoint, 0
        self._block[self._filled] = values
        self._filled += 1

    def flush(self) -> None:
        if self._grows:
            self._array.resize((self._start + self._filled, *self._block.shape[1:]))
        self._array[self._start : self._start + self._filled] = self._block[: self._filled]


@contextmanager
def run_writer(
    root: Path, run: int, checkpoints: int, num_classes: int, about: Mapping[str, Any] | None = None
) -> Iterator[RunWriter]:
    """Open a `RunWriter`; if the block is left before the run is finished, what was written is removed."""
    writer = RunWriter(root, run, checkpoints, num_classes, about)
    try:
        yield writer
    finally:  # Ctrl-C included: an unfinished run leaves nothing behind
        writer.discard()


def remove_leftovers(root: Path, run: int, manifest: Manifest | None) -> None:
    """Remove predictions and weights that no manifest names, and half a manifest: what killed writers left behind."""
    remove_partials(run_folder(root, run))
    named = {manifest.predictions, manifest.weights_folder if manifest.weights else ""} if manifest else set()
    for kind in ("predictions-*", "weights-*"):
        for folder in run_folder(root, run).glob(kind):
            if folder.name not in named:
                shutil.rmtree(folder, ignore_errors=True)


def open_array(
    root: Path, manifest: Manifest, split: str, name: str, samples: int | None = None, classes: int | None = None
) -> Any:
    """Open one recorded array [checkpoint, sample, ...] of a finished run for reading.

    Args:
        root: The study's folder.
        manifest: The run.
        split: Which split.
        name: Which array.
        samples: How many samples it must have, where that is known.
        classes: How many classes probabilities must have, where that is known.

    Raises:
        StudyError: It is missing, unreadable, of another type or shape than the run's, or leads outside the study.
    """
    array = _opened(root, manifest, split, name)
    expected = (
        1 if split == DROPOUT else len(manifest.steps),
        samples,
        *((classes,) if name == "probabilities" else ()),
    )
    if len(array.shape) != len(expected) or any(
        wanted is not None and size != wanted for size, wanted in zip(array.shape, expected, strict=True)
    ):
        raise StudyError(f"the predictions {str(array.store_path)!r} are corrupt: they have shape {array.shape}.")
    return array


def read_steps(root: Path, manifest: Manifest, name: str) -> NDArray[Any]:
    """Read one signal of every step of a finished run, [step].

    Raises:
        StudyError: It is missing, unreadable, of another type or length than the run's, or leads outside the study.
    """
    array = _opened(root, manifest, STEPS, name)
    if array.shape != manifest.steps[-1:]:
        raise StudyError(f"the signal {str(array.store_path)!r} is corrupt: it has shape {array.shape}.")
    check_size(array.nbytes, f"the signal {str(array.store_path)!r}", StudyError)
    return read(array, slice(None))


def read_tracked(root: Path, manifest: Manifest, name: str) -> NDArray[Any]:
    """Read what was measured of a run along its training, a number for each measurement.

    Raises:
        StudyError: It is missing, unreadable, of another type or shape, or leads outside the study.
    """
    array = _opened(root, manifest, TRACKED, name)
    check_size(array.nbytes, f"the measurements {str(array.store_path)!r}", StudyError)
    if len(array.shape) != 2 or array.shape[1] != 1:
        raise StudyError(f"the measurements {str(array.store_path)!r} are corrupt: they have shape {array.shape}.")
    return read(array, slice(None))[:, 0]


def _opened(root: Path, manifest: Manifest, split: str, name: str) -> Any:
    import zarr

    path = inside(root, RUNS, run_name(manifest.run), manifest.predictions, split, name)
    check_array(path)
    try:
        # Only format 3, which has no codec that unpickles.
        array = zarr.open_array(path, mode="r", zarr_format=3)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise StudyError(f"cannot read the predictions {str(path)!r}: {error}") from error
    if array.dtype.kind != _KINDS.get(name, "f"):
        raise StudyError(f"the predictions {str(path)!r} are corrupt: they hold {array.dtype}.")
    return array


def read(array: Any, key: Any) -> NDArray[Any]:
    """Read a selection of a stored array.

    Raises:
        StudyError: What is stored is damaged.
    """
    try:
        return np.asarray(array.oindex[key])
    except (RuntimeError, ValueError, OSError) as error:
        raise StudyError(f"the predictions {str(array.store_path)!r} are damaged: {error}") from error


def array_names(root: Path, manifest: Manifest, split: str) -> list[str]:
    """Return the names of the arrays recorded for a split, sorted; empty where the split was not recorded.

    Raises:
        StudyError: The split is there, but what is in it is not told.
    """
    folder = inside(root, RUNS, run_name(manifest.run), manifest.predictions, split)
    try:
        paths = [path for path in folder.iterdir() if _NAME.fullmatch(path.name) and (path / "zarr.json").exists()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StudyError(
            f"the predictions {str(folder)!r} cannot be listed: {reason(error)}. Put that right."
        ) from error
    return sorted(path.name for path in paths)
