"""Manifests: what makes a run exist."""

from __future__ import annotations

import dataclasses
import platform
import re
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from reseed._bounds import BOUNDS
from reseed._choices import OMITTED
from reseed._errors import StudyError
from reseed._foreign import parse_json, read_text, reason
from reseed._processor import processor
from reseed.studies._cost import Cost
from reseed.studies._files import checked, inside, replace_json

RUNS = "runs"
MANIFEST = "manifest.json"
_MOST_RUNS = BOUNDS["runs"]
_MOST_STEPS, _MOST_COST = 2**53, 1e30
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PREDICTIONS = re.compile(r"predictions-[0-9a-f]{8}")


@dataclass(frozen=True)
class Manifest:
    """What is known of a finished run; written last, by rename.

    Attributes:
        run: The run's number, its coordinate on the ``run`` axis.
        status: ``complete``, or ``diverged`` (finished without usable predictions).
        predictions: Name of the zarr group beside the manifest.
        steps: The step of each checkpoint, the ``checkpoint`` axis's coordinate.
        seeds: The word of each stream.
        accuracy: Share of correct evaluation labels at the last checkpoint; None where not known.
        diverged_at: The step at which a diverged run stopped being finite.
        cost: What it took.
        environment: Versions, platform, device, threads.
        group: First run of the program that it was trained in, and the one after the last; empty where it was trained
            by itself.
        recipe: Digest of the recipe; empty for runs that reseed did not train.
        data: Digest of the evaluation samples.
        weights: SHA-256 of each file of weights that is kept, by its step; see `weights_folder`.
        answered_otherwise: How many answers are not the most probable class: a model may decide by a threshold of its
            own, or take more than probabilities into account.
        temperature: What logits are divided by for scores after temperature scaling; None where none was fitted.
        alone: Whether the run had the machine to itself, so that its wall time says what it takes.
    """

    run: int
    status: Literal["complete", "diverged"]
    predictions: str
    steps: tuple[int, ...]
    data: str
    seeds: dict[str, int] = field(default_factory=dict)
    accuracy: float | None = None
    diverged_at: int | None = None
    cost: Cost = field(default_factory=Cost)
    environment: dict[str, str | int | float | bool | None] = field(default_factory=dict)
    recipe: str = ""
    group: tuple[int, ...] = ()
    answered_otherwise: int = field(default=0, metadata=OMITTED)
    weights: dict[str, str] = field(default_factory=dict, metadata=OMITTED)
    temperature: float | None = field(default=None, metadata=OMITTED)
    alone: bool = field(default=False, metadata=OMITTED)

    @property
    def stacked(self) -> int:
        """How many runs were trained as one program with this one, itself included."""
        return self.group[1] - self.group[0] if self.group else 1

    @property
    def weights_folder(self) -> str:
        """Name of the folder for weights beside the manifest."""
        return weights_folder(self.predictions)


def weights_folder(predictions: str) -> str:
    """Return the name of the folder for the weights that go with a predictions group."""
    return predictions.replace("predictions-", "weights-")


def run_name(run: int) -> str:
    """Return the name of a run's folder."""
    return f"run-{run:05d}"


def run_folder(root: Path, run: int) -> Path:
    """Return the folder of a run, below the study's root."""
    return inside(root, RUNS, run_name(run))


def write_manifest(root: Path, manifest: Manifest) -> None:
    """Make a run exist."""
    silent = {
        item.name
        for item in dataclasses.fields(manifest)
        if "omitted" in item.metadata and not getattr(manifest, item.name)
    }
    tree = {name: value for name, value in dataclasses.asdict(manifest).items() if name not in silent}
    replace_json(run_folder(root, manifest.run) / MANIFEST, tree)


def read_manifest(root: Path, run: int) -> Manifest | None:
    """Return a run's manifest, or None where the run does not exist.

    Raises:
        StudyError: The manifest cannot be read, is corrupt, or points outside its folder.
    """
    path = inside(root, RUNS, run_name(run), MANIFEST)
    try:
        text = read_text(path, error=StudyError)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StudyError(
            f"the manifest {str(path)!r} cannot be read: {reason(error)}. Put that right; the run may be whole."
        ) from error
    except UnicodeDecodeError as error:
        raise _corrupt(path, reason(error)) from error
    try:
        tree = parse_json(text)
        manifest = checked(Manifest(**tree | {name: tuple(tree[name]) for name in ("steps", "group")}))
        _check_possible(manifest)
    except (ValueError, TypeError, KeyError) as error:
        raise _corrupt(path, f"{type(error).__name__}: {reason(error)}") from error
    if manifest.run != run:
        raise _corrupt(path, f"it speaks of run {manifest.run!r}")
    if not _PREDICTIONS.fullmatch(manifest.predictions):
        raise _corrupt(path, f"{manifest.predictions!r} is no name of a predictions group")
    inside(path.parent, manifest.predictions)
    return manifest


def existing_runs(root: Path) -> list[int]:
    """Return the numbers of all run folders, finished or not.

    Raises:
        StudyError: The folder of runs is there, but what is in it is not told.
    """
    folder = inside(root, RUNS)
    try:
        names = [path.name for path in folder.iterdir() if re.fullmatch(r"run-[0-9]{5,9}", path.name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StudyError(
            f"the runs in {str(folder)!r} cannot be listed: {reason(error)}. Put that right; there may be some."
        ) from error
    return sorted(int(name[4:]) for name in names if name == run_name(int(name[4:])))


def _check_possible(manifest: Manifest) -> None:
    """Accept fields of the right types.

    Raises:
        ValueError: One has a value that no run has.
    """
    if not all(0 <= step < _MOST_STEPS for step in manifest.steps):
        raise ValueError("steps are no numbers of steps")
    if manifest.status == "complete" and not manifest.steps:
        raise ValueError("steps are none, but the run is complete")
    if manifest.group and not (
        len(manifest.group) == 2 and 0 <= manifest.group[0] <= manifest.run < manifest.group[1] <= _MOST_RUNS
    ):
        raise ValueError(f"group is {list(manifest.group)}, no pair of a first run and the one after the last")
    costs: dict[str, Any] = {**manifest.cost}
    for name, value in costs.items():
        if not 0 <= value < _MOST_COST:
            raise ValueError(f"cost has {name} = {value:g}")
    steps = {str(step) for step in manifest.steps}
    for step, digest in manifest.weights.items():
        if step not in steps or not _SHA256.fullmatch(digest):
            raise ValueError(f"weights has {step!r}: {digest!r}, no digest of weights after one of the steps")
    if manifest.weights and manifest.status == "diverged":
        raise ValueError("weights are kept, but the run diverged")
    if manifest.temperature is not None and not 0 < manifest.temperature < _MOST_COST:
        raise ValueError(f"temperature is {manifest.temperature:g}")
    if manifest.accuracy is not None and not 0 <= manifest.accuracy <= 1:
        raise ValueError(f"accuracy is {manifest.accuracy:g}")


def _corrupt(path: Path, reason: str) -> StudyError:
    return StudyError(
        f"the manifest {str(path)!r} is corrupt: {reason}. Delete the folder {str(path.parent)!r}; the command "
        "that made the study then does this run again."
    )


def environment(**more: Any) -> dict[str, Any]:
    """Return versions and platform, for manifests."""
    return {
        "reseed": version("reseed"),
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "numpy", "scikit-learn", "zarr")},
        "platform": platform.platform(),
        "processor": processor(),
        **more,
    }
