"""The stages of a recipe: earlier trainings whose predictions on the training set the runs learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from reseed.mitigations import Stage
from reseed.models import AbstractArchitecture
from reseed.training._loop import AbstractTraining, Training, TrainingSet
from reseed.training._recipe import Recipe, with_settings
from reseed.training._seeds import Seeds, derived
from reseed.training._stacked import StackedTraining


@dataclass(frozen=True, eq=False)
class Lesson:
    """What teachers say of the training set, and what asking them cost.

    Attributes:
        output: Mean probabilities or logits, [run, sample, class].
        steps: Optimisation steps of each run's teachers.
        samples_seen: Training samples of each run's teachers, as often as they were seen.
        forward_passes: Samples that each run's teachers predicted.
    """

    output: Tensor
    steps: int
    samples_seen: int
    forward_passes: int


def recipe_of_teachers(recipe: Recipe, stage: Stage) -> Recipe:
    """Return what a stage's teachers train by: the recipe without mitigations, with the stage's settings."""
    return with_settings(replace(recipe, mitigations=()), dict(stage.settings))


def seeds_of_teachers(seeds: Seeds, stage: Stage) -> list[Seeds]:
    """Return the words of one run's teachers, none of which is the run's."""
    return [derived(seeds, "teacher", place) for place in range(stage.teachers)]


def teach(
    stage: Stage,
    recipe: Recipe,
    architecture: AbstractArchitecture,
    data: TrainingSet,
    seeds: Sequence[Seeds],
    *,
    bootstrap: bool = False,
    most: int = 1,
) -> Lesson:
    """Train a stage's teachers for some runs and return what they say of the training set.

        p[run, sample] = mean over the run's teachers and the stage's steps of p_t(x_sample)

    Predicting leaves the teachers' trajectories bit for bit as they were.

    Args:
        stage: What to do.
        recipe: The runs' recipe.
        architecture: The factory that the recipe names.
        data: The training set.
        seeds: The words of each run, from which those of its teachers derive.
        bootstrap: Whether a run's teachers train on the run's resample of the training set.
        most: Teachers to train as one program; 1 trains them one after another.
    """
    own = recipe_of_teachers(recipe, stage)
    words = [word for each in seeds for word in seeds_of_teachers(each, stage)]
    groups = [words[first : first + most] for first in range(0, len(words), most)]
    outputs, costs = [], (0, 0, 0)
    for group in groups:
        training: AbstractTraining = (
            Training(own, architecture, data, group[0], bootstrap)
            if most == 1
            else StackedTraining(own, architecture, data, tuple(group), bootstrap)
        )
        output, costs = _heard(stage, training)
        outputs.append(output)
    said = torch.cat(outputs).view(len(seeds), stage.teachers, len(data.labels), data.num_classes).mean(1)
    steps, samples, forwards = (stage.teachers * cost for cost in costs)
    return Lesson(said, steps, samples, forwards)


def _heard(stage: Stage, training: AbstractTraining) -> tuple[Tensor, tuple[int, int, int]]:
    """Train, and return each teacher's mean output [run, sample, class] and its steps, samples and forward passes."""
    marks = stage.steps(training.total_steps)
    listen = _full if stage.source == "full" else _in_batch
    output, samples = listen(stage, training, marks)
    forwards = 0
    if stage.source == "full":
        forwards = sum(len(training.data.labels) + training.refreshed(mark) for mark in marks)
    return output, (training.total_steps, samples, forwards)


def _full(stage: Stage, training: AbstractTraining, marks: Sequence[int]) -> tuple[Tensor, int]:
    mean, samples = torch.empty(0), 0
    for count, block in enumerate(training.blocks(marks), 1):
        samples += block.samples
        said = _said(stage, training.predict(training.data.inputs))
        mean = said if count == 1 else mean.lerp_(said, 1 / count)
    return mean, samples


def _in_batch(stage: Stage, training: AbstractTraining, marks: Sequence[int]) -> tuple[Tensor, int]:
    data, first, samples = training.data, marks[0], 0
    total = counts = torch.empty(0)
    for step in training.steps():
        rows = step.rows.reshape(-1, step.rows.shape[-1])
        samples += rows.shape[1]
        said = _said(stage, step.logits.reshape(*rows.shape, -1))
        if step.number == 1:
            total = said.new_zeros(len(rows), len(data.labels), data.num_classes)
            counts = said.new_zeros(len(rows), len(data.labels))
        if step.number < first:
            continue
        total.scatter_add_(1, rows[..., None].expand_as(said), said)
        counts.scatter_add_(1, rows, torch.ones_like(rows, dtype=counts.dtype))
    # A sample that no late batch held has said nothing: its targets are those of a teacher that knows nothing.
    mean = total / counts.clamp(min=1)[..., None]
    return torch.where(counts[..., None] > 0, mean, torch.full_like(mean, 1 / data.num_classes)), samples


def _said(stage: Stage, logits: Tensor) -> Tensor:
    logits = logits.detach().to(torch.promote_types(logits.dtype, torch.float32))
    return logits.softmax(-1) if stage.output == "probabilities" else logits
