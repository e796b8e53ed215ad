"""Studies that reseed trains: one recipe, many seeds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reseed._errors import InputError, RecipeError
from reseed.data import Splits, load
from reseed.engines import Group, engine_by_name, usable_cores
from reseed.models import AbstractArchitecture, architecture, parameter_origins
from reseed.studies._cost import Cost, Stopwatch
from reseed.studies._header import Header, grouping, read_header
from reseed.studies._manifest import Manifest, environment, read_manifest
from reseed.studies._samples import samples_of
from reseed.studies._store import run_writer
from reseed.studies._study import EVALUATION, Study, check_folder
from reseed.studies._tasks import AbstractRunTask, finish_study, only_writer
from reseed.training import (
    NoSink,
    Recipe,
    RecordConfig,
    RecordedSplit,
    SeedPlan,
    StackedTraining,
    Training,
    TrainingOutcome,
    TrainingSet,
    check_can_stack,
    check_forward,
    group_size,
    probe_determinism,
    run_training,
)


def train_study(
    recipe: Recipe,
    out: str | Path,
    *,
    runs: int = 50,
    plan: SeedPlan | None = None,
    record: RecordConfig | None = None,
    engine: str = "auto",
    jobs: int | None = None,
    group: int | None = None,
    device: str = "cpu",
    threads: int | None = None,
    probe: bool = True,
    retries: int = 2,
    announce: Callable[[str], None] | None = None,
) -> Study:
    """Train one recipe with many seeds, record every run, and return the study.

    Finished runs are kept whatever happens; calling again with the same arguments continues, and more ``runs``
    extend the study.

    Args:
        recipe: Everything but the seed.
        out: The study's folder.
        runs: Trainings in all, two or more.
        plan: Base seed and the streams that differ between runs.
        record: What is recorded, and when.
        engine: ``auto``, ``serial``, ``processes``, or ``stacked``: several runs as one program.
        jobs: Worker processes; default: one for each core.
        group: Runs in one program, for the engine ``stacked``; default: what memory allows, at most 64.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
        threads: Threads of arithmetic. Part of the study, since more threads may round differently; default: what the
            study began with, for a new one one for each run, or all cores for a stack.
        probe: Whether to check determinism before the first run.
        retries: How often failed runs are tried again.
        announce: Takes a line before long work begins; default: standard error.

    Returns:
        The study, with all runs finished or diverged.

    Raises:
        InputError: An argument, the recipe or the data is unusable.
        DeterminismError: The probe failed.
        StudyError: The folder holds another study.
        StorageError: The folder cannot be written.
        TrainingError: Some runs did not finish; those that did are kept.
    """
    check_runs(runs)
    if group is not None and (engine != "stacked" or group < 2):
        raise InputError(f"group is {group!r}; it is a number of runs, 2 or more, for the engine 'stacked'.")
    plan, record = plan or SeedPlan(), record or RecordConfig()
    place = _device(device)
    chosen = engine_by_name(engine, jobs=jobs, on_accelerator=place.type != "cpu")
    root = Path(out)
    check_folder(root)
    if threads is None:  # a study is continued with as many as it began with, on whatever machine
        found = read_header(root)
        threads = found.threads if found is not None else usable_cores() if engine == "stacked" else 1
    if threads < 1:
        raise InputError(f"threads must be 1 or more, got {threads}.")
    splits = load(recipe.data)
    with only_writer(root):
        prepared = architecture(recipe.model).prepare(splits, root / "cache", announce or _to_stderr)
        task = TrainRun(
            root,
            recipe,
            plan,
            record,
            prepared.train.numpy(),
            splits.train.labels.numpy(),
            prepared.evaluation.numpy(),
            splits.evaluation.labels.numpy(),
            splits.train.num_classes,
            str(place),
            threads,
            splits.evaluation.digest,
        )
        with torch_threads(threads):
            header = _header(task, splits, runs)
            check_forward(task.single(0))
            if engine == "stacked":
                header = replace(header, groups=_groups(task, runs, group))
            if probe and any(read_manifest(root, run) is None for run in range(runs)):
                # Before the study is made: one that fails here leaves nothing that the next attempt trips over.
                probe_determinism(recipe, architecture(recipe.model), task.training_set(), plan)
        study = Study.create(root, header, samples_of(splits.evaluation), recipe)
        return finish_study(study, task, chosen, retries)


@dataclass(frozen=True, eq=False)
class TrainRun(AbstractRunTask):
    """Trains one run of a study and records it. Arrays are held once and shared by memory map with workers."""

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
    data_digest: str

    def training_set(self) -> TrainingSet:
        """Return the training data on the device."""
        return TrainingSet(self._tensor(self.train_inputs), self._tensor(self.train_labels), self.num_classes)

    def single(self, run: int) -> Training:
        """Return the training of one run by itself, not begun."""
        return Training(*self._what(), self.plan.seeds(run), bootstrap="data" in self.plan.vary)

    def stacked(self, group: Group) -> StackedTraining:
        """Return the training of several runs as one program, not begun."""
        seeds = tuple(self.plan.seeds(run) for run in group)
        return StackedTraining(*self._what(), seeds, bootstrap="data" in self.plan.vary)

    def _what(self) -> tuple[Recipe, AbstractArchitecture, TrainingSet]:
        return self.recipe, architecture(self.recipe.model), self.training_set()

    def _do(self, group: Group, missing: Sequence[int]) -> list[Manifest]:
        watch = Stopwatch(self.device)
        with torch_threads(self.threads), ExitStack() as stack:
            training = self.single(group[0]) if len(group) == 1 else self.stacked(group)
            checkpoints = self.record.checkpoints(training.total_steps, training.steps_per_epoch)
            splits = [RecordedSplit(EVALUATION, self._tensor(self.evaluation_inputs), self.evaluation_targets)]
            if self.record.train:
                splits.append(RecordedSplit("train", training.data.inputs, self.train_labels))
            writers = {
                run: stack.enter_context(run_writer(self.root, run, len(checkpoints), self.num_classes))
                for run in missing
            }
            # Finished runs of a group are trained along, so that the others' arithmetic is what it was.
            sinks = [writers.get(run, NoSink()) for run in group]
            outcomes = run_training(training, checkpoints, tuple(splits), self.record.level, sinks)
            cost = watch.cost(runs=len(group))
            manifests = []
            for run, outcome in zip(group, outcomes, strict=True):
                if run in writers:
                    manifests.append(self._manifest(run, checkpoints, outcome, cost, writers[run].name, len(group)))
                    writers[run].finish(manifests[-1])
        return manifests

    def _manifest(
        self,
        run: int,
        checkpoints: tuple[int, ...],
        outcome: TrainingOutcome,
        cost: Cost,
        predictions: str,
        stacked: int,
    ) -> Manifest:
        return Manifest(
            run,
            "complete" if outcome.diverged_at is None else "diverged",
            predictions,
            checkpoints,
            self.data_digest,
            seeds=asdict(self.plan.seeds(run)),
            accuracy=None if np.isnan(outcome.accuracy) else outcome.accuracy,
            diverged_at=outcome.diverged_at,
            cost=Cost(
                steps=outcome.steps,
                samples_seen=outcome.samples_seen,
                forward_passes=outcome.forward_passes,
                **cost,
            ),
            environment=environment(device=self.device, threads=self.threads, stacked=stacked),
            recipe=self.recipe.digest,
        )

    def _tensor(self, array: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(array).to(self.device)


def _groups(task: TrainRun, runs: int, size: int | None) -> tuple[tuple[int, int], ...]:
    """Return the groups of a stacked study: those it has, and as many as the further runs need.

    Raises:
        ModelError: The model cannot be stacked.
    """
    stacked = task.stacked((0, 1))
    check_can_stack(stacked)
    found = read_header(task.root)
    start, groups = (found.runs, found.groups) if found is not None and found.groups else (0, ())
    if size is None:
        size = group_size(stacked)
    return groups + grouping(start, max(start, runs), size)


def check_runs(runs: object) -> None:
    """Accept a number of runs that can be compared.

    Raises:
        InputError: Fewer than two.
    """
    if not isinstance(runs, Integral) or runs < 2:
        raise InputError(f"runs must be 2 or more, got {runs}: instability is what differs between runs.")


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Use that many threads of arithmetic inside, and as many as before outside."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _header(task: TrainRun, splits: Splits, runs: int) -> Header:
    recipe, data = task.recipe, task.training_set()
    if recipe.augment != "none" and data.inputs.ndim != 4:
        raise RecipeError(
            f"recipe field augment is {recipe.augment!r}, but inputs of shape {tuple(data.inputs.shape)} are no "
            "images [sample, channel, height, width]; set it to 'none'."
        )
    origins = parameter_origins(architecture(recipe.model), data.input_shape, data.num_classes)
    notes = []
    if origins.shared:
        notes.append(
            f"The seed re-draws {origins.redrawn_count:,} parameters; {origins.shared_count:,} start from shared "
            "pre-trained weights in every run."
        )
    return Header(
        kind="training",
        dataset=splits.evaluation.name,
        model=recipe.model.name,
        runs=runs,
        class_names=splits.evaluation.class_names,
        data=splits.evaluation.digest,
        train_data=splits.train.digest,
        recipe=recipe.digest,
        base_seed=task.plan.base,
        vary=tuple(sorted(task.plan.vary)),
        record=task.record,
        threads=task.threads,
        device=task.device,
        parameters={
            "redrawn": origins.redrawn_count,
            "constant": origins.constant_count,
            "shared": origins.shared_count,
        },
        notes=tuple(notes),
    )


def _device(name: str) -> torch.device:
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        if device.type not in ("cpu", "cuda", "mps", "xpu"):
            raise RuntimeError("no training happens on such a device.")
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {name!r} cannot be used here: {str(error).splitlines()[0]}") from error
    return device


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
