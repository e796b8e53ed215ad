"""The stages of a recipe: earlier trainings whose predictions on the training set the runs learn from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from reseed._errors import RecipeError, TrainingError
from reseed.mitigations import Stage, auto_transient
from reseed.models import AbstractArchitecture
from reseed.training._held_out import held_out_rows, part_of
from reseed.training._loop import AbstractTraining, Training
from reseed.training._recipe import Recipe, with_settings
from reseed.training._schedule import cycle_ends
from reseed.training._seeds import Seeds, derived
from reseed.training._stacked import StackedTraining
from reseed.training._training_set import TrainingSet

_HELD_OUT = 0.1
"""Share of the training set on which a pilot is watched."""
_LOOKS = 50
"""How often."""


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


@dataclass(frozen=True)
class Pilot:
    """Where a pilot training's validation loss became flat, and what it cost.

    Attributes:
        transient: Share of the steps.
        steps: Optimisation steps.
        samples_seen: Training samples, as often as they were seen.
        forward_passes: Samples that were predicted.
    """

    transient: float
    steps: int
    samples_seen: int
    forward_passes: int


def recipe_of_teachers(recipe: Recipe, stage: Stage) -> Recipe:
    """Return what a stage's teachers train by: the recipe without mitigations, with the stage's settings."""
    return with_settings(replace(recipe, mitigations=()), dict(stage.settings))


def seeds_of_teachers(seeds: Seeds, stage: Stage) -> list[Seeds]:
    """Return the words of one run's teachers, none of which is the run's; branches begin with the same weights."""
    if stage.branch_at is None:
        return [derived(seeds, "teacher", place) for place in range(stage.teachers)]
    trunk = derived(seeds, "teacher", 0)
    fresh = ("order", "dropout", "augment")
    return [derived(trunk, "branch", place, fresh=fresh) for place in range(stage.teachers)]


def check_stages(
    recipe: Recipe, architecture: AbstractArchitecture, data: TrainingSet, found: Mapping[str, Stage] | None = None
) -> None:
    """Accept mitigations whose teachers can say something of every training sample; nothing is trained.

    Args:
        recipe: With its mitigations.
        architecture: The factory that the recipe names.
        data: The training set.
        found: Stages whose transient has been found, by the name of their method.

    Raises:
        RecipeError: A method needs more samples or more steps; the message names it.
    """
    for method in recipe.mitigations:
        if len(data.labels) < method.least_samples:
            raise RecipeError(
                f"mitigation {method.name} needs {method.least_samples} training samples or more, got "
                f"{len(data.labels)}: {method!r}."
            )
        stage = (found or {}).get(method.name, method.stage)
        if stage is None or stage.anchor:
            continue
        if stage.find_transient:
            stage = replace(stage, transient=0.0)
        own = recipe_of_teachers(recipe, stage)
        _marks(stage, Training(own, architecture, data, Seeds(0, 0, 0, 0, 0)))


def find_transient(recipe: Recipe, architecture: AbstractArchitecture, data: TrainingSet, seeds: Seeds) -> Pilot:
    """Train a pilot on 90 % of the training set and return where its loss on the other 10 % becomes flat.

    The loss is taken fifty times, or after every step of a shorter training; see `reseed.mitigations.auto_transient`.

    Args:
        recipe: What to train by, without mitigations.
        architecture: The factory that the recipe names.
        data: The training set, of ten samples or more.
        seeds: The pilot's words; the order stream also decides which samples are held out.

    Raises:
        RecipeError: The training set is too small.
        TrainingError: The pilot diverged.
    """
    samples = len(data.labels)
    if samples < round(1 / _HELD_OUT):
        raise RecipeError(f"find_transient needs 10 training samples or more, got {samples}; give transient instead.")
    held, kept = (part_of(data, rows) for rows in held_out_rows(samples, _HELD_OUT, seeds))
    training = Training(recipe, architecture, kept, seeds)
    total = training.total_steps
    marks = sorted({-(-total * look // _LOOKS) for look in range(1, _LOOKS + 1)})
    losses, seen = [], 0
    for block in training.blocks(marks):
        seen += block.samples
        logits = training.predict(held.inputs)[0]
        single = logits.to(torch.promote_types(logits.dtype, torch.float32))
        losses.append(float(nn.functional.cross_entropy(single, held.labels)))
    if not torch.isfinite(torch.tensor(losses)).all():
        raise TrainingError("the pilot that finds the transient diverged; lower the learning rate, or give transient.")
    return Pilot(marks[auto_transient(losses)] / total, total, seen, len(held.labels) * len(marks))


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
        stage: What to do; a transient that is to be found is found already, see `find_transient`.
        recipe: The runs' recipe.
        architecture: The factory that the recipe names.
        data: The training set.
        seeds: The words of each run, from which those of its teachers derive.
        bootstrap: Whether a run's teachers train on the run's resample of the training set.
        most: Teachers to train as one program; 1 trains them one after another, as branches always are.

    Raises:
        RecipeError: The stage needs more steps than the recipe has.
    """
    own = recipe_of_teachers(recipe, stage)
    total = data.inputs.new_zeros(0)
    costs = _Costs()
    trainings = (
        _branches(stage, own, architecture, data, seeds, bootstrap, costs)
        if stage.branch_at is not None
        else _apart(stage, own, architecture, data, seeds, bootstrap, most)
    )
    place = 0
    for training in trainings:
        said = _heard(stage, training, costs)
        if not place:
            total = said.new_zeros(len(seeds), *said.shape[1:])
        for one in said:  # not all at once: the teachers of a run may be many
            total[place // stage.teachers] += one
            place += 1
    runs = len(seeds)
    return Lesson(
        total.div_(stage.teachers), costs.steps // runs, costs.samples_seen // runs, costs.forward_passes // runs
    )


@dataclass
class _Costs:
    """What the teachers of all runs cost so far."""

    steps: int = 0
    samples_seen: int = 0
    forward_passes: int = 0


def _apart(
    stage: Stage,
    recipe: Recipe,
    architecture: AbstractArchitecture,
    data: TrainingSet,
    seeds: Sequence[Seeds],
    bootstrap: bool,
    most: int,
) -> Iterator[AbstractTraining]:
    words = [word for each in seeds for word in seeds_of_teachers(each, stage)]
    for first in range(0, len(words), most):
        group = tuple(words[first : first + most])
        yield (
            Training(recipe, architecture, data, group[0], bootstrap)
            if most == 1
            else StackedTraining(recipe, architecture, data, group, bootstrap)
        )


def _branches(
    stage: Stage,
    recipe: Recipe,
    architecture: AbstractArchitecture,
    data: TrainingSet,
    seeds: Sequence[Seeds],
    bootstrap: bool,
    costs: _Costs,
) -> Iterator[AbstractTraining]:
    for each in seeds:
        training = Training(recipe, architecture, data, derived(each, "teacher", 0), bootstrap)
        made = _branching(stage, training.total_steps)
        (block,) = training.blocks([made])
        costs.steps += made
        costs.samples_seen += block.samples
        trunk = training.snapshot(made).without_averages().copied()
        for words in seeds_of_teachers(each, stage):
            yield Training(recipe, architecture, data, words, bootstrap, begun=trunk)


def _branching(stage: Stage, total: int) -> int:
    return min(max(1, round((stage.branch_at or 0.0) * total)), total - 1)


def _marks(stage: Stage, training: AbstractTraining) -> tuple[int, ...]:
    """Return the steps after which teachers are asked.

    Raises:
        RecipeError: There are too few steps.
    """
    total, epoch = training.total_steps, training.steps_per_epoch
    if stage.branch_at is not None and total < 2:
        raise RecipeError(f"branching needs 2 steps or more, but the recipe has {total}; train longer.")
    if stage.cycle_ends:
        return cycle_ends(training.recipe.schedule, total)
    if stage.source == "full":
        return stage.steps(total)
    marks = replace(stage, every=1).steps(total)  # what training says anyway is taken after every step
    if (total // epoch - 1) * epoch + 1 < marks[0]:
        raise RecipeError(
            f"source in_batch needs a whole epoch of {epoch} steps after the transient, but of {total} steps those "
            f"from {marks[0]} on are left (transient {stage.transient:g}): some samples would have no target; lower "
            "transient, train longer, or choose source full."
        )
    return marks


def _heard(stage: Stage, training: AbstractTraining, costs: _Costs) -> Tensor:
    """Train, and return each teacher's mean output [run, sample, class]; count what all of them cost."""
    marks = _marks(stage, training)
    output, samples, forwards = (_full if stage.source == "full" else _in_batch)(stage, training, marks)
    costs.steps += len(output) * (training.total_steps - training.made)
    costs.samples_seen += len(output) * samples
    costs.forward_passes += forwards
    return output


def _full(stage: Stage, training: AbstractTraining, marks: Sequence[int]) -> tuple[Tensor, int, int]:
    mean, samples = torch.empty(0), 0
    for count, block in enumerate(training.blocks(marks), 1):
        samples += block.samples
        said = _said(stage, training.predict(training.data.inputs))
        mean = said if count == 1 else mean.lerp_(said, 1 / count)
    asked = sum(len(training.data.labels) + training.refreshed(mark) for mark in marks)
    return mean, samples, len(mean) * asked


def _in_batch(stage: Stage, training: AbstractTraining, marks: Sequence[int]) -> tuple[Tensor, int, int]:
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
    mean = total.div_(counts.clamp(min=1)[..., None])
    # A sample that no late batch held (an epoch may leave one out, a resample many) is predicted at the end.
    missing = (counts == 0).any(0).nonzero()[:, 0]
    if len(missing):
        said = _said(stage, training.predict(data.inputs[missing]))
        mean[:, missing] = torch.where((counts[:, missing] == 0)[..., None], said, mean[:, missing])
    return mean, samples, len(mean) * len(missing)


def _said(stage: Stage, logits: Tensor) -> Tensor:
    logits = logits.detach().to(torch.promote_types(logits.dtype, torch.float32))
    return logits.softmax(-1) if stage.output == "probabilities" else logits
