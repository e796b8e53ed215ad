"""What is kept of trainings that are under way, so that Ctrl-C, a crash or kill -9 costs a couple of minutes of them.

A folder for each group of runs, below the study's ``unfinished``: where the training stands, what was recorded so far
in parts, and a manifest with the SHA-256 of each file, written last. It is removed when the group is finished.
"""

from __future__ import annotations

import hashlib
import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, final
from uuid import uuid4

import torch
from numpy.typing import NDArray
from torch import Tensor

from reseed._errors import InputError, ReseedError, StudyError
from reseed._foreign import parse_json, read_text, reason
from reseed.engines import Group
from reseed.studies._cost import NOTHING, Taken
from reseed.studies._files import checked, inside, replace_json
from reseed.studies._progress import to_stderr
from reseed.studies._tensors_file import parsed, read_content, write_tensors
from reseed.training import EvaluatedWeights, Sink, Snapshot, Standing, below, prefixed

UNFINISHED = "unfinished"
"""Folder of a study for what is under way."""
_MANIFEST = "manifest.json"
_WHAT, _REMEDY = "checkpoint", "It is not used."
_TRAINING, _PENDING, _WEIGHTS = "training.", "pending.", "weights"
_MOST_HELD = 64 << 20  # bytes of what was recorded since the last checkpoint that are held in memory


def check_save_every(seconds: object) -> float:
    """Return the seconds between checkpoints; 0 where there are to be none.

    Raises:
        InputError: It is no number, or below zero.
    """
    if seconds is None:
        return 0.0
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds >= 0:
        raise InputError(
            f"save_every must be seconds, 0 or more (0: keep nothing of what is under way), got {seconds!r}."
        )
    return float(seconds)


@final
@dataclass(frozen=True)
class _Manifest:
    """What is kept of a group.

    Attributes:
        identity: What the training is of; one of another identity does not go on from it.
        step: Steps made.
        total: Steps of the whole training.
        runs: The runs whose record is kept.
        state: Name and SHA-256 of the file that says where the training stands.
        parts: Names and SHA-256 of those that hold what was recorded, in order.
    """

    identity: dict[str, Any]
    step: int
    total: int
    runs: tuple[int, ...]
    state: tuple[str, str]
    parts: tuple[tuple[str, str], ...]


@final
@dataclass(frozen=True, eq=False)
class Kept:
    """A group's checkpoint that can be gone on from.

    Attributes:
        folder: Where it is.
        standing: Where the training stands.
        taken: How long the training had taken.
        parts: Names and SHA-256 of the files that hold what was recorded, in order.
    """

    folder: Path
    standing: Standing
    taken: Taken
    parts: tuple[tuple[str, str], ...]

    def replay(self, sinks: Mapping[int, Sink], frozen: Callable[[int], Sequence[Mapping[str, Tensor]]]) -> None:
        """Give sinks what was recorded so far, in the order in which it was.

        Args:
            sinks: Those of the runs that are not finished.
            frozen: Returns what is frozen in each network of a run.
        """
        for name, digest in self.parts:
            tensors, _ = _read(self.folder / name, digest)
            written: dict[tuple[int, str, int], dict[str, Tensor]] = {}
            for full, tensor in tensors.items():
                run, split, place, own = full.split("/", 3)
                written.setdefault((int(run), split, int(place)), {})[own] = tensor
            for (number, kind, at), arrays in sorted(written.items(), key=lambda item: item[0]):
                if number not in sinks:
                    continue
                if kind != _WEIGHTS:
                    sinks[number].write(kind, at, {own: tensor.numpy() for own, tensor in arrays.items()})
                    continue
                networks = [EvaluatedWeights(below(f"{n}/", arrays), own) for n, own in enumerate(frozen(number))]
                sinks[number].write_weights(at, networks)


def read_kept(root: Path, group: Group, identity: Mapping[str, Any], missing: Sequence[int]) -> Kept | None:
    """Return what is kept of a group that is under way, or None where nothing is.

    Raises:
        StudyError: It cannot be gone on from: it is damaged, of something else, or lacks one of the missing runs.
    """
    folder = _folder(root, group)
    manifest = _manifest(folder)
    if manifest is None:
        return None
    for name, value in identity.items():
        if manifest.identity.get(name) != value:
            raise StudyError(f"its {name} is {manifest.identity.get(name)!r}, not {value!r}")
    if lacking := set(missing) - set(manifest.runs):
        raise StudyError(f"it has no record of run {min(lacking)}")
    for name, digest in manifest.parts:
        _read(folder / name, digest)
    tensors, about = _read(folder / manifest.state[0], manifest.state[1])
    try:
        snapshot = Snapshot(about["step"], below(_TRAINING, tensors))
        standing = Standing(snapshot, below(_PENDING, tensors), about["outcomes"])
        taken = Taken(float(about["seconds"]), float(about["processor"]))
    except KeyError as error:
        raise StudyError(f"it says nothing of {error}") from error
    return Kept(folder, standing, taken, manifest.parts)


def _read(path: Path, digest: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    content = read_content(path, _WHAT, _REMEDY)
    if content is None:
        raise StudyError(f"the file {path.name!r} is missing")
    if hashlib.sha256(content).hexdigest() != digest:
        raise StudyError(f"the file {path.name!r} was cut off or changed")
    return parsed(path, content, _WHAT, _REMEDY)


def _manifest(folder: Path) -> _Manifest | None:
    try:
        tree = parse_json(read_text(folder / _MANIFEST, error=StudyError))
        tuples = {name: tuple(tree[name]) for name in ("runs", "state")}
        found = _Manifest(**tree | tuples | {"parts": tuple(tuple(part) for part in tree["parts"])})
        checked(found)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StudyError(f"its manifest cannot be read: {reason(error)}") from error
    for name, _ in (found.state, *found.parts):
        inside(folder, name)
    return found


def told_of_kept(root: Path, groups: Sequence[Group]) -> list[str]:
    """Return a line for each group of which something is kept, that says how much."""
    lines = []
    for group in groups:
        try:
            manifest = _manifest(_folder(root, group))
        except StudyError:
            continue  # the next command says that it is not used
        if manifest is not None:
            lines.append(f"{told_runs(group)} to step {manifest.step:,} of {manifest.total:,}")
    return lines


def told_runs(group: Group) -> str:
    """Return what a group is called.

    Examples:
        >>> told_runs((3,)), told_runs((8, 9, 10))
        ('run 3', 'the stack of 3 runs from 8 to 10')
    """
    return f"run {group[0]}" if len(group) == 1 else f"the stack of {len(group)} runs from {group[0]} to {group[-1]}"


def drop_kept(root: Path, group: Group) -> None:
    """Remove what is kept of a group."""
    shutil.rmtree(_folder(root, group), ignore_errors=True)
    with suppress(OSError):  # the last one takes the folder with it
        (root / UNFINISHED).rmdir()


def drop_all_kept(root: Path) -> None:
    """Remove what is kept of trainings that were under way."""
    shutil.rmtree(inside(root, UNFINISHED), ignore_errors=True)


def _folder(root: Path, group: Group) -> Path:
    return inside(root, UNFINISHED, f"runs-{group[0]:05d}-{group[-1]:05d}")


@final
class Keeper:
    """Keeps a training that is under way: what it records, and every so often where it stands.

    A checkpoint that cannot be written is told of once, and nothing more is kept of the group: a training does not end
    for that.

    Args:
        root: The study's folder.
        group: The runs that are trained together.
        identity: What the training is of, see `read_kept`.
        every: Seconds between checkpoints; 0: none are made.
        kept: What the training goes on from.
    """

    def __init__(
        self, root: Path, group: Group, identity: Mapping[str, Any], every: float, kept: Kept | None = None
    ) -> None:
        self._root, self._group, self._identity = root, group, identity
        self._every = every or math.inf
        self._folder = _folder(root, group)
        self._is_on, self._saved = every > 0, time.monotonic()
        self._begun = Taken.now().since(NOTHING if kept is None else kept.taken)
        self._runs: list[int] = []
        self._held: dict[str, Tensor] = {}
        self._held_bytes = 0
        self._parts = list(kept.parts) if kept is not None else []

    def sink(self, run: int, sink: Sink) -> Sink:
        """Return what gives a sink all that a run records, and keeps it."""
        self._runs.append(run)
        return _KeptSink(sink, partial(self._hold, run)) if self._is_on else sink

    def look(self, standing: Callable[[], Standing], total: int) -> None:
        """Keep where a training stands, if that is due."""
        if self._is_on and time.monotonic() - self._saved >= self._every:
            self._try(lambda: self._save(standing(), total))
            self._saved = time.monotonic()

    def _hold(self, run: int, name: str, tensors: Mapping[str, Tensor]) -> None:
        self._held |= {f"{run}/{name}/{own}": tensor for own, tensor in tensors.items()}
        self._held_bytes += sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
        if self._held_bytes > _MOST_HELD:
            self._try(self._put_down)

    def _save(self, standing: Standing, total: int) -> None:
        self._put_down()
        state = self._folder / f"state-{uuid4().hex[:8]}.safetensors"
        tensors = prefixed(_TRAINING, standing.training.tensors) | prefixed(_PENDING, standing.pending)
        taken = Taken.now().since(self._begun)
        about = {
            "step": standing.training.made,
            "outcomes": standing.outcomes,
            "seconds": taken.wall_s,
            "processor": taken.cpu_s,
        }
        digest, _ = write_tensors(state, {name: _copied(tensor) for name, tensor in tensors.items()}, about)
        step, runs, parts = standing.training.made, tuple(self._runs), tuple(self._parts)
        manifest = _Manifest(dict(self._identity), step, total, runs, (state.name, digest), parts)
        replace_json(self._folder / _MANIFEST, asdict(manifest))
        self._drop_strays(manifest)

    def _put_down(self) -> None:
        """Write what was recorded since the last time; it counts once a manifest names it."""
        if self._held:
            name = f"record-{uuid4().hex[:8]}.safetensors"
            digest, _ = write_tensors(self._folder / name, self._held, {})
            self._parts.append((name, digest))
            self._held, self._held_bytes = {}, 0

    def _drop_strays(self, manifest: _Manifest) -> None:
        """Remove what the manifest does not name any more, and what killed commands left."""
        named = {_MANIFEST, manifest.state[0], *(name for name, _ in manifest.parts)}
        for path in self._folder.iterdir():
            if path.name not in named:
                path.unlink(missing_ok=True)

    def _try(self, write: Callable[[], None]) -> None:
        try:
            if self._is_on:
                write()
        except (ReseedError, OSError, MemoryError, RuntimeError) as error:  # a disk that is full, a tensor of some kind
            self._is_on, self._held = False, {}
            to_stderr(
                f"{told_runs(self._group)} cannot be kept while under way any more, and trains on: "
                f"{str(error).partition('. Finished runs')[0]}"
            )


@final
@dataclass(frozen=True)
class _KeptSink:
    """Gives a sink what it gets, and keeps it."""

    sink: Sink
    hold: Callable[[str, Mapping[str, Tensor]], None]

    def write(self, split: str, checkpoint: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the arrays of one split at one checkpoint."""
        self.sink.write(split, checkpoint, arrays)
        self.hold(f"{split}/{checkpoint}", {name: _copied(torch.from_numpy(values)) for name, values in arrays.items()})

    def write_steps(self, signals: Mapping[str, NDArray[Any]]) -> None:
        """Take what was recorded of every step: at the very end, after which nothing is kept."""
        self.sink.write_steps(signals)

    def write_weights(self, step: int, networks: Sequence[EvaluatedWeights]) -> None:
        """Take what the run's networks are evaluated with after a step."""
        self.sink.write_weights(step, networks)
        owned = {f"{number}/{name}": tensor for number, one in enumerate(networks) for name, tensor in one.own.items()}
        self.hold(f"{_WEIGHTS}/{step}", owned)


def _copied(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
