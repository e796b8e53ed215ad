"""What was measured of a study's runs along their training, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from reseed.curvature.stability._diagnosis import Diagnosis, diagnose
from reseed.studies import Study

if TYPE_CHECKING:
    import xarray as xr

_TOLD = 5  # trainings that diverged of which each has a sentence


@final
@dataclass(frozen=True, eq=False)
class Course:
    """Loss, sharpness and threshold along the trainings of a study.

    Attributes:
        complete: Numbers of runs that ended, by name, [run, step]; see `CurvatureTracker.measure`.
        steps: Steps made before each measurement.
        runs: The numbers of all runs that were measured.
        diagnoses: Of each of them, see `diagnose`; None where the optimiser bears a curvature that is not known.
        counted: The sharpness that the threshold is about, of all runs, [run, step]: the preconditioned one where
            there is any.
        ratios: It over the threshold.
        is_complete: Which of them ended, [run].
    """

    complete: dict[str, NDArray[np.float64]]
    steps: tuple[int, ...]
    runs: tuple[int, ...]
    diagnoses: tuple[Diagnosis, ...]
    counted: NDArray[np.float64]
    ratios: NDArray[np.float64]
    is_complete: NDArray[np.bool_]

    @property
    def notes(self) -> Iterator[str]:
        """Yield what a reader should know: how stable the trainings were, and why some diverged."""
        if not self.diagnoses:
            return
        states = [one.state for one in self.diagnoses]
        counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
        level = float(np.nanmedian([one.level for one in self.diagnoses]))
        yield f"Trainings measured: {counts}; in their second halves sharpness over threshold was {level:.2g} (median)."
        yield from self.reasons

    @property
    def reasons(self) -> list[str]:
        """Why trainings diverged, a sentence each, of the first few."""
        each = zip(self.runs, self.diagnoses, strict=True)
        return [f"Run {run}: {one.sentence}" for run, one in each if one.state == "diverged"][:_TOLD]


def course_of(study: Study) -> Course | None:
    """Return what was measured along a study's trainings; None where nothing was.

    Raises:
        StudyError: It cannot be read.
    """
    if not study.header.record.track.startswith("curvature"):
        return None
    found = study.tracked()
    runs = tuple(map(int, found["run"].values))
    ended = {manifest.run for manifest in study.manifests}
    is_complete = np.array([run in ended for run in runs])
    counted = _counted(found)
    numbers = {str(name): np.asarray(found[name].values) for name in found}
    thresholds = numbers["threshold"]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = counted / thresholds
    steps = tuple(map(int, found["step"].values))
    complete = {name: values[is_complete] for name, values in numbers.items()}
    diagnoses = _diagnosed(numbers["loss"], counted, thresholds, steps)
    return Course(complete, steps, runs, diagnoses, counted, ratios, is_complete)


def _counted(found: xr.Dataset) -> NDArray[np.float64]:
    preconditioned = np.asarray(found["preconditioned_sharpness"].values)
    return np.asarray(found["sharpness"].values) if np.isnan(preconditioned).all() else preconditioned


def _diagnosed(
    losses: NDArray[np.float64], sharpness: NDArray[np.float64], thresholds: NDArray[np.float64], steps: tuple[int, ...]
) -> tuple[Diagnosis, ...]:
    known = np.isfinite(thresholds)
    if not known.any(1).all():
        return ()
    # After a run diverged there is no threshold either; it does not matter which one stands there.
    last = thresholds[np.arange(len(known)), known.shape[1] - 1 - known[:, ::-1].argmax(1)]
    found = diagnose(losses, sharpness, np.where(known, thresholds, last[:, None]), steps=np.array(steps))
    return found if isinstance(found, tuple) else (found,)
