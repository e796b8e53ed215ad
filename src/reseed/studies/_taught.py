"""What teachers say to the runs of one group: those that all runs of the study share, and each run's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from reseed.mitigations import Stage
from reseed.models import AbstractArchitecture
from reseed.training import Recipe, Seeds, Taught, TrainingSet, teach


@dataclass(frozen=True)
class LessonCost:
    """What teachers cost: optimisation steps, samples seen in training, samples predicted for the lesson, and seconds.

    Seconds, by a clock and of processor time, are of shared teachers, those of a run's own are in the run's; NaN for
    what earlier versions did not take.
    """

    steps: int = 0
    samples_seen: int = 0
    forward_passes: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0

    def __add__(self, other: LessonCost) -> LessonCost:
        return LessonCost(*(one + two for one, two in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, eq=False)
class SharedLesson:
    """What all runs of a study share of one method's teachers.

    Attributes:
        cost: What it cost.
        output: What the teachers say of the training set, [1, sample, class]; None where each run has its own.
        transient: The transient that a pilot found; None where it is given.
    """

    cost: LessonCost
    output: NDArray[np.float32] | None = None
    transient: float | None = None

    def found(self, stage: Stage) -> Stage:
        """Return a stage with the transient that was found."""
        return stage if self.transient is None else replace(stage, transient=self.transient, find_transient=False)


@dataclass(frozen=True)
class SharedTemperature:
    """The temperature of all runs of a study; None where the training that says it diverged; and what that cost."""

    temperature: float | None
    cost: LessonCost


def taught(
    what: tuple[Recipe, AbstractArchitecture, TrainingSet],
    seeds: Sequence[Seeds],
    lessons: Sequence[SharedLesson | None],
    *,
    bootstrap: bool,
) -> tuple[Taught, LessonCost]:
    """Return what each of the recipe's mitigations learns for some runs, and what each run's own teachers cost.

    What a teacher that diverged says is not finite, so that its run diverges as well.

    Args:
        what: The recipe, the factory it names, and the training set.
        seeds: The runs' words.
        lessons: What all runs share, of each mitigation; empty where that is nothing.
        bootstrap: Whether they train on resamples.
    """
    found: list[torch.Tensor | None] = []
    cost = LessonCost()
    recipe, factory, data = what
    for method, shared in zip(recipe.mitigations, lessons or (None,) * len(recipe.mitigations), strict=True):
        if (stage := method.stage) is None:
            found.append(None)
            continue
        if shared is not None and shared.output is not None:
            output = torch.from_numpy(shared.output.copy()).to(data.labels.device)
        else:
            stage = stage if shared is None else shared.found(stage)
            lesson = teach(stage, recipe, factory, data, seeds, bootstrap=bootstrap, most=len(seeds))
            cost += LessonCost(lesson.steps, lesson.samples_seen, lesson.forward_passes)
            output = lesson.output
        is_finite = output.isfinite().flatten(1).all(1)
        learned = method.learn(output, data.labels)
        found.append(torch.where(is_finite[:, None, None], learned, torch.nan) if learned.numel() else learned)
    return tuple(found), cost
