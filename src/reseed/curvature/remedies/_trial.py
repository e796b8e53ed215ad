"""Trainings with one remedy at one learning rate, and how they went."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Bool, Float

from reseed._errors import InputError, StudyError
from reseed.curvature.stability._threshold import stability_threshold
from reseed.curvature.tracking._course import course_of
from reseed.statistics import Estimate, estimate_numbers, json_ready, mean_numbers
from reseed.studies import Study

EARLY = 0.25
"""Share of the steps that counts as early."""


@final
@dataclass(frozen=True, eq=False)
class StabilityTrial:
    """Trainings with one remedy at one learning rate.

    Attributes:
        remedy: What was done, such as ``warmup``; ``control`` for nothing.
        rate: The peak learning rate.
        accuracy: Of each run on the evaluation samples, [run]; NaN where it diverged.
        chance: The accuracy of always giving the most frequent answer.
        threshold: The largest curvature that the optimiser bears at that rate.
        steps: Steps made before each measurement, [step].
        sharpness: At each, [run, step]; of an adaptive optimiser the preconditioned one. NaN where there is none.
        ratio: The sharpness over the threshold at the rate of that step, [run, step].
        label_entropy: Of the final answers over runs, in nats; None where fewer than two runs ended.

    Raises:
        InputError: Shapes do not fit.
    """

    remedy: str
    rate: float
    accuracy: Float[np.ndarray, " run"]
    chance: float
    threshold: float
    steps: tuple[int, ...]
    sharpness: Float[np.ndarray, "run step"]
    ratio: Float[np.ndarray, "run step"]
    label_entropy: Estimate | None = None

    def __post_init__(self) -> None:
        shape = (len(self.accuracy), len(self.steps))
        if not self.steps or self.sharpness.shape != shape or self.ratio.shape != shape:
            raise InputError(
                f"the trial {self.remedy!r} at {self.rate:g} has sharpness {list(self.sharpness.shape)} and ratios "
                f"{list(self.ratio.shape)} for {shape[0]} runs and {shape[1]} measurements; both must be [run, step], "
                "with a step at least."
            )

    def trained(self, level: float) -> Bool[np.ndarray, " run"]:
        """Return which runs learned: those that give at most ``1 - level`` of the wrong answers that chance gives."""
        with np.errstate(invalid="ignore"):
            return np.asarray(1 - self.accuracy <= (1 - level) * (1 - self.chance))

    @property
    def early(self) -> Float[np.ndarray, " run"]:
        """The highest sharpness over threshold in the first quarter of the steps; NaN where it was never measured."""
        return _over_steps(np.nanmax, self.ratio[:, np.asarray(self.steps) <= EARLY * self.steps[-1]])

    @property
    def share_above(self) -> Float[np.ndarray, " run"]:
        """The share of the measurements at which the sharpness was above the threshold."""
        above = np.where(np.isnan(self.ratio), np.nan, self.ratio > 1)
        return _over_steps(np.nanmean, above)

    @property
    def edge(self) -> float:
        """The rate at which the initial sharpness is the threshold, which falls as the rate rises; the median of runs.

        NaN where the loss bends down at first, or the optimiser has no preconditioner before its first step.
        """
        bent = self.sharpness[:, 0][self.sharpness[:, 0] > 0]
        return float(np.median(self.rate * self.threshold / bent)) if bent.size else math.nan

    def numbers(self, level: float) -> dict[str, Any]:
        """Return everything as JSON can hold it, every mean over runs with Student's interval; None: no value."""
        return json_ready(
            {
                "remedy": self.remedy,
                "lr": self.rate,
                "runs": len(self.accuracy),
                "runs_trained": int(self.trained(level).sum()),
                "runs_diverged": int(np.isnan(self.accuracy).sum()),
                **mean_numbers("accuracy", self.accuracy, bottom=0.0, top=1.0),
                **estimate_numbers("label_entropy", self.label_entropy),
                **mean_numbers("initial_sharpness", self.sharpness[:, 0]),
                **mean_numbers("early_ratio", self.early),
                **mean_numbers("share_above", self.share_above, bottom=0.0, top=1.0),
            }
        )


def trial_of(study: Study, remedy: str, label_entropy: Estimate | None) -> StabilityTrial:
    """Return how the trainings of a study went.

    Args:
        study: Trained with ``track="curvature:..."``.
        remedy: What its recipe does.
        label_entropy: Of its final answers.

    Raises:
        StudyError: Nothing was measured along its trainings, or no label of its evaluation samples is known.
    """
    course, targets, recipe = course_of(study), study.targets, study.recipe
    if course is None or recipe is None:
        raise StudyError(f"the study {str(study.path)!r} has no curvature along its trainings; train it anew.")
    known = targets[targets >= 0]
    if not known.size:
        raise StudyError(f"the study {str(study.path)!r} knows no label of its evaluation samples.")
    accuracy = {one.run: math.nan if one.accuracy is None else one.accuracy for one in study.manifests}
    return StabilityTrial(
        remedy,
        recipe.optimizer.lr,
        np.array([accuracy.get(run, math.nan) for run in course.runs]),
        float(np.bincount(known).max() / known.size),
        stability_threshold(recipe).value,
        course.steps,
        course.counted,
        course.ratios,
        label_entropy,
    )


def _over_steps(reduced: Callable[..., Any], values: Float[np.ndarray, "run step"]) -> Float[np.ndarray, " run"]:
    """Reduce what there is of each run; NaN where there is nothing."""
    return np.array([reduced(run[~np.isnan(run)]) if (~np.isnan(run)).any() else math.nan for run in values])
