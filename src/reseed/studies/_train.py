"""Studies that reseed trains: one recipe, many seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from reseed._arguments import argument, recipe_field, setting
from reseed._bounds import check_bound
from reseed._choices import IN_MEMORY, SAVE_EVERY_S
from reseed._errors import InputError, RecipeError, StudyError
from reseed._numbers import is_whole
from reseed._plain import plain
from reseed.data import Splits
from reseed.engines import Engine, as_engine, check_retries
from reseed.models import architecture, parameter_origins
from reseed.studies._again import data_for
from reseed.studies._anchor import said_of_training_set
from reseed.studies._devices import AUTO, chosen_device, devices
from reseed.studies._execution import check_group, plan_execution
from reseed.studies._files import inside
from reseed.studies._header import Header, read_header
from reseed.studies._lessons import shared_lessons
from reseed.studies._manifest import read_manifest
from reseed.studies._progress import to_stderr
from reseed.studies._remote import LESSONS, located
from reseed.studies._samples import samples_of
from reseed.studies._space import recorded_bytes, tell_of_space
from reseed.studies._study import Study, check_folder
from reseed.studies._tasks import finish_study, only_writer
from reseed.studies._temperature import shared_temperature, too_few
from reseed.studies._train_run import TrainRun, train_run
from reseed.studies._unfinished import check_save_every, told_runs
from reseed.training import (
    SMALL_WEIGHTS,
    Recipe,
    RecordConfig,
    SeedPlan,
    arithmetic,
    average_notes,
    check_can_stack,
    check_dropout,
    check_forward,
    check_length,
    check_stages,
    check_threads,
    check_tracked,
    probe_determinism,
)


def train_study(
    recipe: Recipe,
    out: str | Path,
    *,
    runs: int = 50,
    plan: SeedPlan | None = None,
    record: RecordConfig | None = None,
    engine: str | Engine = "auto",
    jobs: int | None = None,
    address: str | None = None,
    group: int | None = None,
    device: str = AUTO,
    threads: int | None = None,
    deterministic: bool = False,
    probe: bool = True,
    retries: int = 2,
    save_every: float | None = SAVE_EVERY_S,
    lessons_folder: Path | None = None,
    announce: Callable[[str], None] | None = None,
) -> Study:
    """Train one recipe with many seeds, record every run, and return the study.

    Finished runs are kept whatever happens, and of those under way what ``save_every`` says; calling again with the
    same arguments continues, bit for bit, and more ``runs`` extend the study.

    Args:
        recipe: Everything but the seed.
        out: The study's folder, or a URL that begins with ``s3://``, ``gs://`` or ``az://``.
        runs: Trainings in all; a single one needs a ``record`` from which instability can be estimated.
        plan: Base seed and the streams that differ between runs. A study that is there keeps the version of draws that
            it began with.
        record: What is recorded, and when.
        engine: ``serial``: one run after another; ``processes``: in worker processes; ``stacked``: several runs as
            one program; ``auto``: several runs as one program where the model allows it, in processes where that is
            faster; ``cluster``: the same on the nodes of a Ray cluster; or an `Engine` of one's own. A study that is
            there goes on the way it began.
        jobs: Worker processes, or groups at once on a cluster; default: one for each core.
        address: Where the cluster is: ``auto`` or HOST[:PORT]; default: a Ray on this machine alone.
        group: Runs in one program, for all engines but ``serial``; default: what memory allows, at most
            64; in worker processes 16, and 8 of networks on images on a CPU.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``; or ``auto``: where the study began, for a new one a GPU of CUDA
            that can be used, else the CPU. Worker processes and clusters use a GPU only where it is asked for.
        threads: Threads of arithmetic. Part of the study, since more threads may round differently; default: what the
            study began with; for a new one all cores for the engine ``stacked``, one for the others.
        deterministic: Whether to use torch's deterministic kernels only; for GPUs, see `reseed.training.arithmetic`.
            Part of the study.
        probe: Whether to check determinism before the first run.
        retries: How often failed runs are tried again.
        save_every: Seconds after which trainings that are under way are kept, again and again, so that an interruption
            costs no more; 0 or None: never. Not of a study at a URL.
        lessons_folder: Where to keep what teachers say that all runs share, so that other studies find it; default: in
            the study.
        announce: Takes a line before long work begins; default: standard error.

    Returns:
        The study, with all runs finished or diverged.

    Raises:
        InputError: An argument, the recipe or the data is unusable.
        DeterminismError: The probe failed.
        StudyError: The folder holds another study.
        StorageError: The folder cannot be written, or the URL not be reached.
        MissingExtraError: A cluster or a URL needs the extra `cluster`.
        TrainingError: Some runs did not finish; those that did are kept.
    """
    plan, record = plan or SeedPlan(), record or RecordConfig()
    check_runs(runs, record)
    check_retries(retries)
    check_group(group, engine)
    save_every = check_save_every(save_every)
    announce = announce or to_stderr
    asked = None if device == AUTO else devices(device, engine, announce)
    check_folder(out)
    as_engine(engine, jobs=jobs, address=address)  # refuses bad options before any work
    if threads is not None:
        check_threads(threads)
    announce(_plan_told(recipe, out, runs, record, engine))
    recipe.model.check_trusted()  # before anything that its file names is opened
    splits = data_for(recipe, located(out)[0])
    with only_writer(out) as root:
        found = read_header(root)
        if found is not None:
            plan = replace(plan, draws=found.draws)
            record = _as_begun(record, found.record, announce)
        began = None if found is None else found.device
        device, here = asked or devices(chosen_device(engine, began, announce), engine, announce)
        prepared = architecture(recipe.model).prepare(splits, inside(root, "cache"), announce)
        task = train_run(root, recipe, plan, record, splits, prepared, here, threads or 1, deterministic=deterministic)
        with arithmetic(task.threads, deterministic=deterministic):
            _check_subsets(task)
            check_length(task.single(0), record)
            check_tracked(recipe, record.track)
            averaging = average_notes(recipe.average, task.single(0).total_steps)
            header = _header(task, splits, runs, (*splits.notes, *prepared.notes, *averaging))
            check_forward(task.single(0))
            check_stages(*task.what())
            if found is None:  # one that goes on keeps what its anchor said, and whoever began it was told
                for note in averaging:
                    announce(note)
                for anchor in {method.stage.anchor for method in recipe.mitigations if method.stage} - {""}:
                    said_of_training_set(anchor, splits.train.digest, task.train_labels, task.num_classes)
            if recipe.peers is not None:  # the networks of a run are one program under every engine
                check_can_stack(task.stacked((0,)))
            if record.dropout_passes:
                check_dropout(task.single(0).model, recipe.model.name)
            execution = plan_execution(
                task,
                runs,
                found,
                engine=engine,
                jobs=jobs,
                address=address,
                device=device,
                group=group,
                threads=threads,
                announce=announce,
            )
        task = replace(task, threads=execution.threads)
        header = replace(header, threads=execution.threads, groups=execution.groups, device=device)
        with arithmetic(task.threads, deterministic=deterministic):
            if probe and any(read_manifest(root, run) is None for run in range(runs)):
                # Before the study is made: one that fails here leaves nothing that the next attempt trips over.
                probe_determinism(recipe, architecture(recipe.model), task.training_set(), plan)
        study = Study.create(out, header, samples_of(splits.evaluation), recipe, corruption=splits.corruption)
        if study.missing:
            most = execution.groups[0][1] - execution.groups[0][0] if execution.groups else 1
            with arithmetic(task.threads, deterministic=deterministic):
                tell_of_space(root, len(study.missing) * _bytes_of_run(task, announce), announce)
                kept = lessons_folder or inside(root, LESSONS)
                train_data, remote = splits.train.digest, study.remote
                task = replace(task, lessons=shared_lessons(task, kept, train_data, most, announce, remote))
                shared = shared_temperature(task, kept, train_data, announce, remote, stacks=most > 1)
                task = replace(task, temperature=shared)
                if study.remote is None:
                    task = replace(task, save_every=save_every)
                    _tell_of_kept(replace(task, device=device), study, announce)
            task = replace(task, is_alone=execution.engine.name != "cluster" and execution.engine.workers == 1)
        steps = task.single(0).total_steps
        return finish_study(study, replace(task, device=device), execution.engine, retries, steps=steps)


def _as_begun(record: RecordConfig, found: RecordConfig, announce: Callable[[str], None]) -> RecordConfig:
    """Return what is recorded, temperature scaling where the study that is there began with it."""
    if record.temperature == found.temperature or found.level == "labels":
        return record
    announce(f"the study goes on as it began, {'with' if found.temperature else 'without'} temperature scaling")
    return replace(record, temperature=found.temperature)


def _plan_told(recipe: Recipe, out: str | Path, runs: int, record: RecordConfig, engine: str | Engine) -> str:
    """Return a line that says what will happen, before anything is prepared."""
    data = recipe.data.name.partition(":")[0] if recipe.data.name.startswith(IN_MEMORY) else recipe.data.name
    model = recipe.model.name.removeprefix(IN_MEMORY)
    count, unit = (recipe.steps, "step") if recipe.steps else (recipe.epochs, "epoch")
    every = {"epoch": "every epoch", "final": "at the end"}.get(str(record.every), f"every {record.every} steps")
    name = engine if isinstance(engine, str) else engine.name
    length = f"{count:,} {unit}{'s'[: count != 1]}"
    many = f"{runs:,} run{'s'[: runs != 1]} of {length}"
    return plain(f"{data}, {model}: {many}, recorded {every}, engine {name}, in {str(out)!r}")


def _tell_of_kept(task: TrainRun, study: Study, announce: Callable[[str], None]) -> None:
    """Say which trainings go on where they were interrupted, and which do not though something is kept of them."""
    missing = set(study.missing)
    for group in study.groups:
        if left := sorted(missing & set(group)):
            try:
                kept = task.kept(group, left)
            except StudyError as error:
                announce(f"what is kept of {told_runs(group)} is not used, which begins anew: {error}")
                continue
            if kept is not None:
                announce(f"{told_runs(group)} goes on from step {kept.standing.training.made:,}")


def _bytes_of_run(task: TrainRun, announce: Callable[[str], None]) -> int:
    """Return what a run's record takes before it is compressed; tell where its weights are not kept, being many."""
    record, whole = task.record, task.stacked((0,))
    samples = len(task.evaluation_targets) + record.train * len(task.train_labels)
    checkpoints = record.checkpoints(whole.total_steps, whole.steps_per_epoch)
    kept = record.weights_at(checkpoints, whole.own_bytes)
    if record.weights == "auto" and whole.own_bytes > SMALL_WEIGHTS:
        announce(
            f"no weights are kept: those of a run take {whole.own_bytes / 2**20:,.0f} MiB, and only "
            f"{setting('weights', 'final')} or {setting('weights', 'checkpoints')} keeps more than "
            f"{SMALL_WEIGHTS >> 20} MiB"
        )
    return recorded_bytes(record, len(checkpoints), samples, task.num_classes) + len(kept) * whole.own_bytes


def _check_subsets(task: TrainRun) -> None:
    """Accept runs that leave training samples out, if they are left with some.

    Where predictions of the training set are recorded, those of samples that a run left out are those of unseen
    samples; so no teacher may tell it of them.

    Raises:
        RecipeError: There are too few samples, or a method's teachers see those that would be recorded as unseen.
    """
    plan, samples = task.plan, len(task.train_labels)
    if plan.folds is None and plan.share is None:
        return
    if task.single(0).samples < 1 or (plan.folds or 0) > samples:
        asked = f"folds is {plan.folds}" if plan.folds else f"share is {plan.share}"
        raise RecipeError(f"{asked}, which leaves nothing to train on of {samples} training samples; ask for less.")
    for method in task.recipe.mitigations if task.record.train else ():
        stage = method.stage
        if stage is not None and (stage.shared or stage.find_transient or stage.anchor):
            raise RecipeError(
                f"mitigation {method.name} has teachers that all runs share and that see every training sample, so "
                "that no run would leave any out; leave the method out, or folds and share."
            )


def check_runs(runs: object, record: RecordConfig | None = None) -> None:
    """Accept a number of runs that can be compared, or a single one whose trajectory will be recorded.

    Args:
        runs: How many.
        record: What is recorded along each run; None where that is only its end.

    Raises:
        InputError: Fewer than two, or one of which too little is recorded, or more than a study can have.
    """
    if not is_whole(runs) or runs < (1 if record else 2):
        least = 1 if record else 2
        raise InputError(
            f"{argument('runs')} must be {least} or more, got {runs}: instability is what differs between runs."
        )
    check_bound("runs", runs, argument("runs"))
    if record is not None and runs == 1 and (record.every == "final" or record.level == "labels"):
        raise InputError(
            f"{argument('runs')} is 1, from which instability is estimated by margins along the training, but "
            f"{argument('every')} is {record.every!r} and {argument('level')} is {record.level!r}; record with "
            f"{setting('every', 'epoch')} and {setting('level', 'scores')}, or train 2 runs or more."
        )


def _header(task: TrainRun, splits: Splits, runs: int, told: tuple[str, ...]) -> Header:
    recipe, data = task.recipe, task.training_set()
    if recipe.augment != "none" and data.inputs.ndim != 4:
        raise RecipeError(
            f"{recipe_field('augment')} is {recipe.augment!r}, but inputs of shape {tuple(data.inputs.shape)} are no "
            "images [sample, channel, height, width]; set it to 'none'."
        )
    for method in recipe.mitigations:
        if (method.blends or method.makes_inputs) and not data.inputs.is_floating_point():
            does, done = ("blends", "blended") if method.blends else ("makes up", "made up")
            raise RecipeError(
                f"mitigation {method.name} {does} inputs, but model {recipe.model.name!r} reads token ids, which "
                f"cannot be {done}; leave it out, or set model.fine_tune to false."
            )
    origins = parameter_origins(architecture(recipe.model), data.input_shape, data.num_classes)
    notes = list(told)
    if origins.shared:
        notes.append(
            f"The seed re-draws {origins.redrawn_count:,} parameters; {origins.shared_count:,} start from shared "
            "pre-trained weights in every run."
        )
    if origins.seedless:
        notes.append(
            f"No seed decides where {origins.seedless_count:,} parameters start: model.init is {recipe.model.init}."
        )
    if task.plan.resample is not None:
        notes.append(
            f"All runs train on bootstrap resample {task.plan.resample} of the training set, which holds about 63 % of "
            "its distinct samples."
        )
    if task.plan.folds is not None or task.plan.share is not None:
        seen = task.single(0).samples
        notes.append(
            f"Each run trains on {seen:,} of the {len(data.labels):,} training samples and leaves out others: what "
            "differs between runs is the training sample as well."
        )
    if few := too_few(task):
        notes.append(f"{few[0].upper()}{few[1:]}.")
    return Header(
        kind="training",
        dataset=splits.evaluation.name,
        model=recipe.model.name.removeprefix(IN_MEMORY),
        runs=runs,
        class_names=splits.evaluation.class_names,
        data=splits.evaluation.digest,
        train_data=splits.train.digest,
        recipe=recipe.digest,
        base_seed=task.plan.base,
        vary=tuple(sorted(task.plan.vary)),
        resample=task.plan.resample,
        draws=task.plan.draws,
        folds=task.plan.folds or 0,
        share=task.plan.share or 1.0,
        record=task.record,
        threads=task.threads,
        deterministic=task.deterministic,
        device=task.device,
        parameters={
            "redrawn": origins.redrawn_count,
            "constant": origins.constant_count,
            "shared": origins.shared_count,
            "seedless": origins.seedless_count,
        },
        notes=tuple(notes),
    )
