"""What teachers say of the training set to all runs of a study, kept in a folder."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed._errors import StudyError, TrainingError
from reseed._foreign import damage_told, parse_json, read_array, read_text, reason
from reseed.mitigations import AbstractMitigation, Stage
from reseed.studies._anchor import said_of_training_set
from reseed.studies._cost import Taken
from reseed.studies._files import replace_file, replace_json, storing
from reseed.studies._remote import Remote
from reseed.studies._taught import LessonCost, SharedLesson
from reseed.studies._train_run import TrainRun
from reseed.training import FIRST_DRAWS, as_tree, check_stages, find_transient, recipe_of_teachers, teach


def shared_lessons(
    task: TrainRun,
    folder: Path,
    train_data: str,
    most: int,
    announce: Callable[[str], None],
    remote: Remote | None = None,
) -> tuple[SharedLesson | None, ...]:
    """Return what runs share of the teachers of each of the recipe's mitigations, from its file or by teaching.

    Files are named by all that decides the lesson, so that studies which share teachers may share the folder. Of a
    study at a URL the lesson that is there counts, and one that is not there yet is copied to it.

    Args:
        task: The study's.
        folder: Where lessons are kept.
        train_data: Digest of the training set.
        most: Teachers to train as one program.
        announce: Takes a line before a lesson begins.
        remote: The study at a URL.

    Raises:
        RecipeError: A transient was found that leaves too few steps.
        StudyError: An anchor is no study, or one of other data or without what is needed.
        TrainingError: A teacher diverged.
        StorageError: A lesson cannot be written, or the URL not be reached.
    """
    shelf = Shelf(folder, remote)
    return tuple(_lesson(task, method, shelf, train_data, most, announce) for method in task.recipe.mitigations)


def _lesson(
    task: TrainRun,
    method: AbstractMitigation,
    shelf: Shelf,
    train_data: str,
    most: int,
    announce: Callable[[str], None],
) -> SharedLesson | None:
    if (stage := method.stage) is None:
        return None
    cost, transient = LessonCost(), None
    if stage.find_transient:
        pilot = _pilot(task, method, stage, shelf, train_data, announce)
        cost, transient = cost + pilot.cost, pilot.transient
        stage = pilot.found(stage)
        check_stages(*task.what(), found={method.name: stage})
    if not stage.shared:
        return None if transient is None else SharedLesson(cost, transient=transient)
    name = _digest(task, stage, train_data, most)
    if not shelf.has(name):
        shelf.put(name, *_teach(task, method, stage, train_data, most, announce))
    return SharedLesson(cost + LessonCost(**shelf.facts(name)), shelf.output(name), transient)


def _pilot(
    task: TrainRun,
    method: AbstractMitigation,
    stage: Stage,
    shelf: Shelf,
    train_data: str,
    announce: Callable[[str], None],
) -> SharedLesson:
    name = _digest(task, Stage(settings=stage.settings, find_transient=True), train_data, 1)
    if not shelf.has(name):
        announce(f"training a pilot that finds the transient of {method.name}")
        recipe, architecture, data = task.what()
        seeds = task.plan.shared_seeds("pilot")
        start = Taken.now()
        found = find_transient(recipe_of_teachers(recipe, stage), architecture, data, seeds)
        shelf.put(name, {**vars(found), **Taken.now().since(start)._asdict()})
    facts = shelf.facts(name)
    transient = float(facts.pop("transient"))
    return SharedLesson(LessonCost(**facts), transient=transient)


def _teach(
    task: TrainRun,
    method: AbstractMitigation,
    stage: Stage,
    train_data: str,
    most: int,
    announce: Callable[[str], None],
) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """Return what a lesson cost, and what teachers or a study that is there say."""
    if stage.anchor:
        return vars(LessonCost()), said_of_training_set(stage.anchor, train_data, task.train_labels, task.num_classes)
    announce(f"training {stage.teachers} shared teacher{'s' * (stage.teachers > 1)} for {method.name}")
    # The whole training set, whatever resamples the runs have: teachers that all share belong to none of them.
    start = Taken.now()
    lesson = teach(stage, *task.what(), [task.plan.shared_seeds()], most=most)
    output = lesson.output.cpu().numpy()
    taken = Taken.now().since(start)
    if not np.isfinite(output).all():
        raise TrainingError("a shared teacher diverged: what it predicts is no longer finite; lower the learning rate.")
    return vars(LessonCost(lesson.steps, lesson.samples_seen, lesson.forward_passes, *taken)), output


@dataclass(frozen=True)
class Shelf:
    """Where lessons are kept: what is said in one file, and what it cost in another, which is written last."""

    folder: Path
    remote: Remote | None

    def has(self, name: str) -> bool:
        """Whether a lesson is there; of a study at a URL, both there and here afterwards."""
        if self.remote is not None and not self.remote.pull_lesson(self.folder, name) and self._facts(name).exists():
            self.remote.push_lesson(self.folder, name)
        return self._facts(name).exists()

    def put(self, name: str, facts: Mapping[str, Any], output: NDArray[np.float32] | None = None) -> None:
        """Keep a lesson."""

        def write(partial: Path) -> None:
            with partial.open("wb") as file:
                np.save(file, np.asarray(output))

        with storing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        if output is not None:
            replace_file(self._output(name), write)
        replace_json(self._facts(name), facts)
        if self.remote is not None:
            self.remote.push_lesson(self.folder, name)

    def facts(self, name: str) -> dict[str, Any]:
        """Return what a lesson cost, and what else is known."""
        with _damage_told(self._facts(name)):
            found = parse_json(read_text(self._facts(name), error=StudyError))
            if not isinstance(found, dict):
                raise ValueError("it holds no table")
        return {"wall_s": math.nan, "cpu_s": math.nan, **found}

    def output(self, name: str) -> NDArray[np.float32]:
        """Return what teachers say."""
        with _damage_told(self._output(name)):
            found = np.asarray(read_array(self._output(name), StudyError), np.float32)
        return found

    def _facts(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _output(self, name: str) -> Path:
        return self.folder / f"{name}.npy"


def _damage_told(path: Path) -> AbstractContextManager[None]:
    """Say what to do where a lesson cannot be read."""
    return damage_told(
        (OSError, ValueError),
        lambda error: (
            f"what teachers say in {str(path)!r} cannot be read: {reason(error)}. Delete both files of that name; the "
            "command that made the study then asks them again."
        ),
    )


def _digest(task: TrainRun, stage: Stage, train_data: str, most: int) -> str:
    named: list[Any] = [
        as_tree(recipe_of_teachers(task.recipe, stage)),
        repr(stage),
        task.plan.base,
        train_data,
        [task.device, task.threads, task.deterministic, most],
    ]
    if task.plan.draws != FIRST_DRAWS:  # what was kept before there were others is still found
        named.append(task.plan.draws)
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:16]
