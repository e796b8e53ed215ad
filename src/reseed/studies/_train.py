"""Studies that reseed trains: one recipe, many seeds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reseed._errors import InputError, RecipeError
from reseed.data import Splits, load
from reseed.engines import engine_by_name
from reseed.models import architecture, parameter_origins
from reseed.studies._header import Header
from reseed.studies._manifest import Manifest, environment, read_manifest
from reseed.studies._samples import samples_of
from reseed.studies._store import run_writer
from reseed.studies._study import EVALUATION, Study, check_folder
from reseed.studies._tasks import AbstractRunTask, Stopwatch, finish_study, only_writer
from reseed.training import (
    Recipe,
    RecordConfig,
    RecordedSplit,
    SeedPlan,
    Training,
    TrainingSet,
    check_forward,
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
    device: str = "cpu",
    threads: int = 1,
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
        engine: ``auto``, ``serial`` or ``processes``.
        jobs: Worker processes; default: one for each core.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
        threads: Threads of arithmetic in each run. Part of the study, since more threads may round differently.
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
    if threads < 1:
        raise InputError(f"threads must be 1 or more, got {threads}.")
    plan, record = plan or SeedPlan(), record or RecordConfig()
    place = _device(device)
    root = Path(out)
    check_folder(root)
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
            check_forward(task.training(0))
            if probe and any(read_manifest(root, run) is None for run in range(runs)):
                # Before the study is made: one that fails here leaves nothing that the next attempt trips over.
                probe_determinism(recipe, architecture(recipe.model), task.training_set(), plan)
        study = Study.create(root, header, samples_of(splits.evaluation), recipe)
        chosen = engine_by_name(engine, jobs=jobs, on_accelerator=place.type != "cpu")
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

    def training(self, run: int) -> Training:
        """Return the training of one run, not begun."""
        return Training(
            self.recipe,
            architecture(self.recipe.model),
            self.training_set(),
            self.plan.seeds(run),
            bootstrap="data" in self.plan.vary,
        )

    def _do(self, run: int) -> Manifest:
        with torch_threads(self.threads):
            return self._train(run)

    def _train(self, run: int) -> Manifest:
        watch = Stopwatch()
        training = self.training(run)
        checkpoints = self.record.checkpoints(training.total_steps, training.steps_per_epoch)
        splits = [RecordedSplit(EVALUATION, self._tensor(self.evaluation_inputs), self.evaluation_targets)]
        if self.record.train:
            splits.append(RecordedSplit("train", training.data.inputs, self.train_labels))
        with run_writer(self.root, run, len(checkpoints), self.num_classes) as writer:
            (outcome,) = run_training(training, checkpoints, tuple(splits), self.record.level, [writer])
            has_diverged = outcome.diverged_at is not None
            manifest = Manifest(
                run,
                "diverged" if has_diverged else "complete",
                writer.name,
                checkpoints,
                self.data_digest,
                seeds=asdict(training.seeds),
                accuracy=None if np.isnan(outcome.accuracy) else outcome.accuracy,
                diverged_at=outcome.diverged_at,
                cost={
                    "steps": outcome.steps,
                    "samples_seen": outcome.samples_seen,
                    "forward_passes": outcome.forward_passes,
                    **watch.cost(),
                },
                environment=environment(device=self.device, threads=self.threads),
                recipe=self.recipe.digest,
            )
            writer.finish(manifest)
        return manifest

    def _tensor(self, array: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(array).to(self.device)


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
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(f"device {name!r} cannot be used here: {str(error).splitlines()[0]}") from error
    return device


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
