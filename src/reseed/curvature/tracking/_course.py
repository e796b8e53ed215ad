"""What was measured of a study's runs along their training, and what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from reseed.curvature.stability._diagnosis import Diagnosis, diagnose
from reseed.curvature.stability._threshold import stability_threshold
from reseed.studies import Study

Numbers: TypeAlias = NDArray[np.float64]
_TOLD = 5  # trainings that diverged of which each has a sentence


@final
@dataclass(frozen=True, eq=False)
class Course:
    """Loss, sharpness and threshold along the trainings of a study.

    Attributes:
        numbers: Those of all runs that were measured, by name, [run, step]; see `CurvatureTracker.tracked`.
        steps: Steps made before each measurement.
        runs: The numbers of the runs.
        is_complete: Which of them ended with finite predictions, [run].
        diagnoses: Of each of them, see `diagnose`; None where too little is known for one.
        is_preconditioned: Whether the threshold is that of the preconditioned sharpness.
    """

    numbers: Mapping[str, Numbers]
    steps: tuple[int, ...]
    runs: tuple[int, ...]
    is_complete: NDArray[np.bool_]
    diagnoses: tuple[Diagnosis | None, ...]
    is_preconditioned: bool

    @property
    def counted(self) -> Numbers:
        """The sharpness that the threshold is about, [run, step]."""
        return counted(self.numbers, is_preconditioned=self.is_preconditioned)

    @cached_property
    def ratios(self) -> Numbers:
        """That over the threshold, [run, step]."""
        return ratios(self.counted, self.numbers["threshold"])

    @property
    def is_calm(self) -> NDArray[np.bool_]:
        """Which runs did not diverge, [run]."""
        states = [one is None or one.state != "diverged" for one in self.diagnoses]
        found: NDArray[np.bool_] = self.is_complete & np.array(states, bool)
        return found

    @property
    def series(self) -> dict[str, Numbers]:
        """Numbers of the runs that ended, by the names of the lens's series."""
        ended = self.is_complete
        return {
            "tracked_loss": self.numbers["loss"][ended],
            "tracked_sharpness": self.numbers["sharpness"][ended],
            "tracked_ratio": self.ratios[ended],
        }

    @property
    def notes(self) -> Iterator[str]:
        """Yield what a reader should know: how stable the trainings were, and why some diverged."""
        known = [one for one in self.diagnoses if one is not None]
        if not known:
            return
        states = [one.state for one in known]
        counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
        levels = [one.level for one in known if np.isfinite(one.level)]
        level = f"; in their second halves sharpness over threshold was {np.median(levels):.2g} (median)"
        yield f"Trainings measured: {counts}{level if levels else ''}."
        yield from self.reasons

    @property
    def reasons(self) -> list[str]:
        """Why trainings diverged, a sentence each, of the first few."""
        each = zip(self.runs, self.diagnoses, strict=True)
        gone = [f"Run {run}: {one.sentence}" for run, one in each if one is not None and one.state == "diverged"]
        more = [f"{len(gone) - _TOLD} more diverged."] if len(gone) > _TOLD else []
        return [*gone[:_TOLD], *more]


def counted(numbers: Mapping[str, Numbers], *, is_preconditioned: bool) -> Numbers:
    """Return the sharpness that a threshold is about, of the shape of the numbers."""
    return numbers["preconditioned_sharpness" if is_preconditioned else "sharpness"]


def ratios(sharpness: Numbers, threshold: Numbers) -> Numbers:
    """Return the sharpness over the threshold; NaN where the optimiser bears no curvature, or none that is known."""
    unknown = np.full(sharpness.shape, np.nan)
    found: Numbers = np.divide(sharpness, threshold, out=unknown, where=threshold > 0)
    return found


def course_of(study: Study) -> Course | None:
    """Return what was measured along a study's trainings; None where nothing was.

    Raises:
        StudyError: It cannot be read.
    """
    if not study.header.record.track.startswith("curvature"):
        return None
    found, recipe = study.tracked(), study.recipe
    numbers = {str(name): np.asarray(found[name].values) for name in found}
    steps, runs = (tuple(map(int, found[name].values)) for name in ("step", "run"))
    ended = {manifest.run for manifest in study.manifests}
    gone = {manifest.run: manifest.diverged_at for manifest in study.diverged}
    is_preconditioned = recipe is not None and stability_threshold(recipe).preconditioned
    sharpness = counted(numbers, is_preconditioned=is_preconditioned)
    rows = zip(runs, numbers["loss"], sharpness, numbers["threshold"], strict=True)
    diagnoses = tuple(_diagnosis(loss, bent, bound, steps, gone.get(run)) for run, loss, bent, bound in rows)
    return Course(numbers, steps, runs, np.array([run in ended for run in runs]), diagnoses, is_preconditioned)


def _diagnosis(
    loss: Numbers, sharpness: Numbers, threshold: Numbers, steps: Sequence[int], diverged_at: int | None
) -> Diagnosis | None:
    """Return what a run's numbers [step] say; None where they begin after all was lost, or there is no threshold.

    Args:
        loss: Its loss.
        sharpness: The sharpness that counts.
        threshold: Of that.
        steps: When.
        diverged_at: The step at which its loss or predictions were no longer finite, if they ever were.
    """
    names = np.array(steps)
    if diverged_at is not None:  # most often between two measurements, and none follows
        before = names < diverged_at
        names = np.append(names[before], diverged_at)
        loss, sharpness, threshold = (np.append(each[before], np.nan) for each in (loss, sharpness, threshold))
    is_told = np.isfinite(loss[0]) and (np.isfinite(sharpness).any() or not np.isfinite(loss).all())
    if not is_told or not (threshold > 0).any():
        return None
    return diagnosed(loss, sharpness, threshold, names.tolist())


def diagnosed(loss: Numbers, sharpness: Numbers, threshold: Numbers, steps: Sequence[int]) -> Diagnosis:
    """Return what `diagnose` says of numbers [step].

    At steps without a threshold above 0, as at a rate of 0 or after a training diverged, the last one stands in: the
    sharpness over it is not known there, or says nothing.

    Raises:
        InputError: See `diagnose`.
    """
    known = np.flatnonzero(threshold > 0)
    filled = np.where(threshold > 0, threshold, threshold[known[-1]]) if len(known) else threshold
    found = diagnose(loss, sharpness, filled, steps=np.array(steps))
    return found if isinstance(found, Diagnosis) else found[0]
