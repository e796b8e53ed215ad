"""What teachers say of the training set: for all runs of a study, kept in a folder, or for the runs of one group."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from reseed._errors import TrainingError
from reseed.mitigations import Stage
from reseed.studies._files import replace_file, replace_json, storing
from reseed.training import as_tree, recipe_of_teachers, teach

if TYPE_CHECKING:
    from reseed.studies._train import TrainRun

LESSONS = "lessons"
"""Folder of a study for what its shared teachers say."""


@dataclass(frozen=True)
class LessonCost:
    """What teachers cost: optimisation steps, samples seen in training, and samples predicted for the lesson."""

    steps: int = 0
    samples_seen: int = 0
    forward_passes: int = 0

    def __add__(self, other: LessonCost) -> LessonCost:
        return LessonCost(*(one + two for one, two in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, eq=False)
class SharedLesson:
    """What teachers that all runs of a study share say of the training set, [1, sample, class], and their cost."""

    output: NDArray[np.float32]
    cost: LessonCost


def shared_lessons(
    task: TrainRun, folder: Path, train_data: str, most: int, announce: Callable[[str], None]
) -> tuple[SharedLesson | None, ...]:
    """Return a lesson for each of the recipe's mitigations whose teachers all runs share, from its file or by teaching.

    Files are named by all that decides the lesson, so that studies which share teachers may share the folder.

    Args:
        task: The study's.
        folder: Where lessons are kept.
        train_data: Digest of the training set.
        most: Teachers to train as one program.
        announce: Takes a line before a lesson begins.

    Raises:
        TrainingError: A teacher diverged.
    """
    found: list[SharedLesson | None] = []
    for method in task.recipe.mitigations:
        stage = method.stage
        if stage is None or not stage.shared:
            found.append(None)
            continue
        path = folder / f"{_digest(task, stage, train_data, most)}.npy"
        if not path.with_suffix(".json").exists():
            announce(f"training {stage.teachers} shared teacher{'s' * (stage.teachers > 1)} for {method.name}")
            _teach(task, stage, path, most)
        cost = LessonCost(**json.loads(path.with_suffix(".json").read_text(encoding="utf-8")))
        found.append(SharedLesson(np.load(path), cost))
    return tuple(found)


def taught(task: TrainRun, runs: Sequence[int]) -> tuple[tuple[torch.Tensor | None, ...], LessonCost]:
    """Return what each of the recipe's mitigations learns for some runs, and what each run's own teachers cost."""
    found: list[torch.Tensor | None] = []
    cost = LessonCost()
    recipe, architecture, data = task.what()
    seeds = [task.plan.seeds(run) for run in runs]
    bootstrap = task.plan.bootstrap
    lessons = task.lessons or (None,) * len(recipe.mitigations)
    for method, shared in zip(recipe.mitigations, lessons, strict=True):
        if (stage := method.stage) is None:
            found.append(None)
            continue
        if shared is not None:
            output = torch.from_numpy(shared.output.copy()).to(data.labels.device)
        else:
            lesson = teach(stage, recipe, architecture, data, seeds, bootstrap=bootstrap, most=len(runs))
            cost += LessonCost(lesson.steps, lesson.samples_seen, lesson.forward_passes)
            output = lesson.output
        found.append(method.learn(output, data.labels))
    return tuple(found), cost


def _teach(task: TrainRun, stage: Stage, path: Path, most: int) -> None:
    # The whole training set, whatever resamples the runs have: teachers that all share belong to none of them.
    lesson = teach(stage, *task.what(), [task.plan.shared_seeds()], most=most)
    output = lesson.output.cpu().numpy()
    if not np.isfinite(output).all():
        raise TrainingError("a shared teacher diverged: what it predicts is no longer finite; lower the learning rate.")

    def write(partial: Path) -> None:
        with partial.open("wb") as file:
            np.save(file, output)

    with storing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, write)
    cost = LessonCost(lesson.steps, lesson.samples_seen, lesson.forward_passes)
    replace_json(path.with_suffix(".json"), vars(cost))


def _digest(task: TrainRun, stage: Stage, train_data: str, most: int) -> str:
    named: list[Any] = [
        as_tree(recipe_of_teachers(task.recipe, stage)),
        repr(stage),
        task.plan.base,
        train_data,
        [task.device, task.threads, task.deterministic, most],
    ]
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:16]
