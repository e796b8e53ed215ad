"""One run of a study that reseed trains, or several as one program: what it needs, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from reseed._errors import StudyError
from reseed.data import Splits
from reseed.engines import Group
from reseed.mitigations import Temperature
from reseed.models import AbstractArchitecture, Prepared, architecture
from reseed.studies._cost import NOTHING, Cost, Stopwatch
from reseed.studies._header import read_header
from reseed.studies._manifest import Manifest, environment
from reseed.studies._store import RunWriter, run_writer
from reseed.studies._study import EVALUATION
from reseed.studies._tasks import AbstractRunTask
from reseed.studies._taught import LessonCost, SharedLesson, SharedTemperature, taught
from reseed.studies._unfinished import Keeper, Kept, drop_kept, read_kept
from reseed.studies._watcher import GroupWatcher
from reseed.studies._weights import inputs_described
from reseed.training import (
    AbstractTraining,
    NoSink,
    Recipe,
    RecordConfig,
    RecordedSplit,
    Scaling,
    SeedPlan,
    Sink,
    StackedTraining,
    Taught,
    Training,
    TrainingOutcome,
    TrainingSet,
    arithmetic,
    as_tree,
    run_training,
    tracker_of,
)

_SAME_BITS = ("reseed", "torch", "numpy", "processor", "device", "threads", "deterministic")


@dataclass(frozen=True, eq=False)
class TrainRun(AbstractRunTask):
    """Trains one run of a study and records it. Arrays are held once and shared by memory map with workers.

    Args:
        lessons: What all runs share of the teachers of each mitigation; empty where there are none.
        temperature: What all runs' probabilities are scaled by, where they are.
        is_alone: Whether no other run of the study is trained at the same time, but for those of its program.
    """

    recipe: Recipe
    plan: SeedPlan
    record: RecordConfig
    train_inputs: NDArray[Any]
    train_labels: NDArray[np.int64]
    evaluation_inputs: NDArray[Any]
    evaluation_targets: NDArray[np.int64]
    num_classes: int
    device: str
    threads: int
    deterministic: bool
    data_digest: str
    lessons: tuple[SharedLesson | None, ...] = ()
    temperature: SharedTemperature | None = None
    is_alone: bool = False

    def training_set(self) -> TrainingSet:
        """Return the training data on the device."""
        return TrainingSet(self._tensor(self.train_inputs), self._tensor(self.train_labels), self.num_classes)

    def single(self, run: int) -> Training:
        """Return the training of one network of a run by itself, without teachers, not begun."""
        recipe, factory, data = self.what()
        return Training(recipe.bare, factory, data, self.plan.seeds(run), bootstrap=self.plan.bootstrap)

    def stacked(self, group: Group) -> StackedTraining:
        """Return the training of several runs as one program, not begun."""
        seeds = tuple(self.plan.seeds(run) for run in group)
        return StackedTraining(*self.what(), seeds, bootstrap=self.plan.bootstrap)

    def what(self) -> tuple[Recipe, AbstractArchitecture, TrainingSet]:
        """Return recipe, factory and training data."""
        return self.recipe, architecture(self.recipe.model), self.training_set()

    @property
    def scaling(self) -> Scaling | None:
        """How recorded probabilities are scaled, where they are."""
        if self.temperature is None or self.temperature.temperature is None:
            return None
        is_applied = any(isinstance(method, Temperature) for method in self.recipe.mitigations)
        return Scaling(self.temperature.temperature, is_applied, self.record.temperature)

    def _taught(self, group: Group) -> tuple[Taught, LessonCost]:
        seeds = [self.plan.seeds(run) for run in group]
        return taught(self.what(), seeds, self.lessons, bootstrap=self.plan.bootstrap)

    def _do(self, group: Group, missing: Sequence[int]) -> list[Manifest]:
        try:
            return self._train(group, missing)
        except (RuntimeError, MemoryError) as error:
            if len(group) == 1 or not is_out_of_memory(error):
                raise
        # Outside the handler, whose traceback would keep the tensors that did not fit.
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()
        halves = group[: len(group) // 2], group[len(group) // 2 :]
        wanted = [(half, [run for run in missing if run in half]) for half in halves]
        return [manifest for half, left in wanted if left for manifest in self._do(half, left)]

    def again(self, group: Group, sinks: Sequence[Sink], until: int | None = None) -> list[nn.Module]:
        """Train a group as the study does, keeping nothing of it, and return its networks as they are evaluated.

        Args:
            group: The whole group, since its runs may round together.
            sinks: Where predictions go, one for each run.
            until: The step after which they are wanted; default: the last.
        """
        with arithmetic(self.threads, deterministic=self.deterministic):
            lessons, _ = self._taught(group)
            training = self._training(group, lessons)
            checkpoints = self.record.checkpoints(training.total_steps, training.steps_per_epoch)
            splits, level = self._splits(training), self.record.level
            run_training(training, checkpoints, splits, level, sinks, until=until, scaling=self.scaling)
            return training.evaluated_networks()

    def _train(self, group: Group, missing: Sequence[int]) -> list[Manifest]:
        watch = Stopwatch(self.device, self.threads)
        with arithmetic(self.threads, deterministic=self.deterministic), ExitStack() as stack:
            lessons, teaching = self._taught(group)
            kept = self._kept(group, missing)
            standing = None if kept is None else kept.standing
            begun = None if standing is None else standing.training
            training = replace(self._training(group, lessons), monitor=self.record.monitor, begun=begun)
            checkpoints = self.record.checkpoints(training.total_steps, training.steps_per_epoch)
            weights = self.record.weights_at(checkpoints, training.own_bytes)
            about = inputs_described(training) if weights else None
            writers = {
                run: stack.enter_context(run_writer(self.root, run, len(checkpoints), self.num_classes, about))
                for run in missing
            }
            keeper = Keeper(self.root, group, self.identity(group), self.save_every, kept)
            # Finished runs of a group are trained along, so that the others' arithmetic is what it was.
            sinks = [keeper.sink(run, writers[run]) if run in writers else NoSink() for run in group]
            if kept is not None:
                kept.replay(writers, partial(_frozen, training, group))
            outcomes = run_training(
                training,
                checkpoints,
                self._splits(training),
                self.record.level,
                sinks,
                self.record.dropout_passes,
                weights=weights,
                watcher=GroupWatcher(missing, keeper, self.pulses),
                standing=standing,
                scaling=self.scaling,
                tracker=tracker_of(self.record.track),
            )
            cost = watch.cost(len(group), NOTHING if kept is None else kept.taken)
            is_alone = self.is_alone and len(group) == 1 and watch.had_machine
            manifests = []
            for run, outcome in zip(group, outcomes, strict=True):
                if run in writers:
                    if outcome.diverged_at is not None:
                        writers[run].drop_weights()
                    made = self._manifest(run, checkpoints, outcome, teaching, cost, writers[run], group)
                    manifests.append(replace(made, alone=is_alone))
                    writers[run].finish(manifests[-1])
        drop_kept(self.root, group)
        return manifests

    def identity(self, group: Group) -> dict[str, Any]:
        """Return what must be the same for a group to go on from what is kept of it, as values for JSON."""
        header = read_header(self.root)
        made = environment(device=self.device, threads=self.threads, deterministic=self.deterministic)
        return {
            "recipe": self.recipe.digest,
            "seeds": [self.plan.seeds(run).words for run in group],
            "training sample": repr([self.plan.seeds(group[0]).subset, self.plan.bootstrap, self.plan.draws]),
            "training data": "" if header is None else header.train_data,
            "evaluation data": self.data_digest,
            "record": as_tree(self.record),
            "group": list(group),
            **{name: made[name] for name in _SAME_BITS},
        }

    def kept(self, group: Group, missing: Sequence[int]) -> Kept | None:
        """Return what is kept of a group that is under way, or None where nothing is.

        Raises:
            StudyError: It cannot be gone on from.
        """
        return read_kept(self.root, group, self.identity(group), missing)

    def _kept(self, group: Group, missing: Sequence[int]) -> Kept | None:
        try:
            kept = self.kept(group, missing)
        except StudyError:  # which was told before the first run
            kept = None
        if kept is None:
            drop_kept(self.root, group)
        return kept

    def _splits(self, training: AbstractTraining) -> tuple[RecordedSplit, ...]:
        evaluation = RecordedSplit(EVALUATION, self._tensor(self.evaluation_inputs), self.evaluation_targets)
        train = RecordedSplit("train", training.data.inputs, self.train_labels)
        return (evaluation, train) if self.record.train else (evaluation,)

    def _training(self, group: Group, lessons: Taught) -> AbstractTraining:
        if len(group) > 1 or self.recipe.peers is not None:
            return replace(self.stacked(group), taught=lessons)
        return Training(*self.what(), self.plan.seeds(group[0]), self.plan.bootstrap, lessons)

    def _manifest(
        self,
        run: int,
        checkpoints: tuple[int, ...],
        outcome: TrainingOutcome,
        teaching: LessonCost,
        cost: Cost,
        writer: RunWriter,
        group: Group,
    ) -> Manifest:
        return Manifest(
            run,
            "complete" if outcome.diverged_at is None else "diverged",
            writer.name,
            checkpoints,
            self.data_digest,
            seeds=self.plan.seeds(run).words,
            accuracy=None if np.isnan(outcome.accuracy) else outcome.accuracy,
            diverged_at=outcome.diverged_at,
            cost=Cost(
                steps=outcome.steps + teaching.steps,
                samples_seen=outcome.samples_seen + teaching.samples_seen,
                forward_passes=outcome.forward_passes,
                weights_bytes=writer.weights_bytes,
                **self._cost_of_lessons(teaching),
                **cost,
            ),
            environment=environment(device=self.device, threads=self.threads, deterministic=self.deterministic),
            recipe=self.recipe.digest,
            group=(group[0], group[-1] + 1) if len(group) > 1 else (),
            weights=writer.weights,
            temperature=None if self.temperature is None else self.temperature.temperature,
        )

    def _cost_of_lessons(self, teaching: LessonCost) -> Cost:
        stages = [method.stage for method in self.recipe.mitigations if method.stage is not None]
        cost = Cost(lesson_passes=teaching.forward_passes) if any(not stage.shared for stage in stages) else Cost()
        is_scaled = self.scaling is not None and self.scaling.is_applied
        if is_scaled or any(stage.shared or stage.find_transient for stage in stages):
            shared = sum((lesson.cost for lesson in self.lessons if lesson is not None), LessonCost())
            if is_scaled and self.temperature is not None:
                shared += self.temperature.cost
            cost["shared_steps"], cost["shared_samples_seen"] = shared.steps, shared.samples_seen
            cost["shared_lesson_passes"] = shared.forward_passes
            if not np.isnan(shared.wall_s):
                cost["shared_wall_s"] = shared.wall_s
            if not np.isnan(shared.cpu_s):
                cost["shared_cpu_s"] = shared.cpu_s
        return cost

    def _tensor(self, array: NDArray[Any]) -> torch.Tensor:
        # Executors that share arrays do so read-only, which torch warns of.
        return torch.from_numpy(array if array.flags.writeable else array.copy()).to(self.device)


def train_run(
    root: Path,
    recipe: Recipe,
    plan: SeedPlan,
    record: RecordConfig,
    splits: Splits,
    prepared: Prepared,
    device: str,
    threads: int = 1,
    *,
    deterministic: bool = False,
) -> TrainRun:
    """Return what trains the runs of a study in a folder."""
    return TrainRun(
        root.absolute(),  # workers elsewhere may stand in another folder
        replace(recipe, data=recipe.data.without_samples()),  # they come as arrays, which workers share
        plan,
        record,
        prepared.train.numpy(),
        splits.train.labels.numpy(),
        prepared.evaluation.numpy(),
        splits.evaluation.labels.numpy(),
        splits.train.num_classes,
        device,
        threads,
        deterministic,
        splits.evaluation.digest,
    )


def _frozen(training: AbstractTraining, group: Group, run: int) -> list[Mapping[str, torch.Tensor]]:
    """Return what is frozen in each network of a run."""
    networks = training.evaluated_weights()
    members = len(networks) // len(group)
    place = group.index(run) * members
    return [one.frozen for one in networks[place : place + members]]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory did not suffice, of a device or of this machine."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)
