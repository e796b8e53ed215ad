"""The temperature of a study: one more training of its recipe says it, on samples which that leaves out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from reseed._errors import TrainingError
from reseed.mitigations import HELD_OUT, AbstractMitigation, Stage, Temperature, samples_for_temperature
from reseed.studies._cost import Taken
from reseed.studies._lessons import Shelf
from reseed.studies._remote import Remote
from reseed.studies._taught import LessonCost, SharedLesson, SharedTemperature, taught
from reseed.studies._train_run import TrainRun
from reseed.training import (
    Recipe,
    StackedTraining,
    Training,
    as_tree,
    check_stages,
    held_out_rows,
    part_of,
    temperature_of,
)

WHY_NONE = "no temperature is fitted, and nothing is recorded after temperature scaling"


def too_few(task: TrainRun) -> str:
    """Return why no temperature is fitted though it is to be recorded; empty where one is."""
    samples, least = len(task.train_labels), samples_for_temperature()
    if not task.record.temperature or samples >= least or _method(task.recipe) is not None:
        return ""
    return f"{samples} training samples are fewer than the {least} of which ten can be held out: {WHY_NONE}"


def shared_temperature(
    task: TrainRun,
    folder: Path,
    train_data: str,
    announce: Callable[[str], None],
    remote: Remote | None = None,
    *,
    stacks: bool = False,
) -> SharedTemperature | None:
    """Return the temperature of a study that wants one, from its file or by the training that says it.

    The file lies among lessons, and is found by every study of the same recipe and base seed, whether that records
    what temperature scaling does or has the method `Temperature`.

    Args:
        task: The study's, with its lessons.
        folder: Where lessons are kept.
        train_data: Digest of the training set.
        announce: Takes a line before the training begins.
        remote: The study at a URL.
        stacks: Whether the study trains several runs as one program; then this training has the same kernels.

    Raises:
        RecipeError: Teachers of the recipe need more samples or steps than that training has.
        TrainingError: It diverged, and the recipe has the method `Temperature`.
        StudyError: The file cannot be read.
        StorageError: It cannot be written, or the URL not be reached.
    """
    method = _method(task.recipe)
    if (method is None and not task.record.temperature) or too_few(task):
        return None
    share = HELD_OUT if method is None else method.held_out
    shelf, name = Shelf(folder, remote), _digest(task, share, train_data, stacks=stacks)
    if not shelf.has(name):
        announce(f"training once more on {1 - share:.0%} of the training set, to fit the temperature on the rest")
        shelf.put(name, _fitted(task, share, stacks=stacks))
    facts = shelf.facts(name)
    found = facts.pop("temperature")
    if found is None:
        why = "the training that fits the temperature diverged"
        if method is not None:
            raise TrainingError(f"{why}; lower the learning rate, or leave {method.name} out.")
        announce(f"{why}: {WHY_NONE}")
    return SharedTemperature(None if found is None else float(found), LessonCost(**facts))


def _method(recipe: Recipe) -> Temperature | None:
    return next((method for method in recipe.mitigations if isinstance(method, Temperature)), None)


def _fitted(task: TrainRun, share: float, *, stacks: bool) -> dict[str, Any]:
    """Return the temperature and what it cost."""
    recipe, factory, data = task.what()
    # Words of its own, and a training sample of the kind that runs have: a resample, say.
    seeds = replace(task.plan.shared_seeds("temperature"), subset=task.plan.seeds(0).subset)
    bootstrap = task.plan.bootstrap
    held, kept = held_out_rows(len(data.labels), share, seeds)
    part = recipe, factory, part_of(data, kept)
    check_stages(*part, found=_found(task))
    start = Taken.now()
    learned, teaching = taught(part, [seeds], _lessons_of_part(task, kept), bootstrap=bootstrap)
    training = (
        StackedTraining(*part, (seeds,), bootstrap, learned)
        if stacks or recipe.peers is not None
        else Training(*part, seeds, bootstrap, learned)
    )
    found = temperature_of(training, part_of(data, held))
    cost = teaching + LessonCost(found.steps, found.samples_seen, found.forward_passes, *Taken.now().since(start))
    return {"temperature": found.temperature, **vars(cost)}


def _found(task: TrainRun) -> dict[str, Stage]:
    """Return the stages whose transient a pilot found, by the name of their method."""
    return {
        method.name: lesson.found(method.stage)
        for method, lesson in zip(task.recipe.mitigations, task.lessons, strict=True)
        if method.stage is not None and lesson is not None
    }


def _lessons_of_part(task: TrainRun, kept: Tensor) -> tuple[SharedLesson | None, ...]:
    """Return what is known of a part of the training set without asking teachers, who have seen what is held out."""
    rows = kept.cpu().numpy()
    return tuple(
        None if lesson is None else replace(lesson, output=_anchored(method, lesson, rows))
        for method, lesson in zip(task.recipe.mitigations, task.lessons, strict=True)
    )


def _anchored(method: AbstractMitigation, lesson: SharedLesson, rows: NDArray[np.int64]) -> NDArray[np.float32] | None:
    """Return what an anchor says of some rows; None where there are teachers instead."""
    if method.stage is None or not method.stage.anchor or lesson.output is None:
        return None
    return lesson.output[:, rows]


def _digest(task: TrainRun, share: float, train_data: str, *, stacks: bool) -> str:
    recipe = replace(
        task.recipe, mitigations=tuple(one for one in task.recipe.mitigations if one != _method(task.recipe))
    )
    subset = task.plan.seeds(0).subset
    named = [
        "temperature",
        as_tree(recipe),
        share,
        task.plan.base,
        [task.plan.bootstrap, repr(subset), task.plan.draws],
        train_data,
        [task.device, task.threads, task.deterministic, stacks],
    ]
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:16]
