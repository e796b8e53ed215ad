"""The trained networks of a study: read where weights are kept, else trained again and held against the record.

Runs that reseed did not train have networks where their weights are kept and a factory is named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from reseed._errors import InputError, StudyError
from reseed._numbers import is_whole
from reseed.data import Splits
from reseed.models import ModelConfig, Networks, Prepared, architecture
from reseed.studies._again import RECIPE_FILE, data_for
from reseed.studies._devices import devices
from reseed.studies._files import inside
from reseed.studies._header import Header
from reseed.studies._lessons import shared_lessons
from reseed.studies._manifest import Manifest
from reseed.studies._recorded_inputs import MOST_INPUT_BYTES, read_inputs
from reseed.studies._remote import LESSONS
from reseed.studies._study import EVALUATION, Study
from reseed.studies._study_inputs import StudyInputs
from reseed.studies._taught import LessonCost, SharedTemperature
from reseed.studies._train_run import TrainRun, train_run
from reseed.studies._weights import read_weights
from reseed.training import EvaluatedWeights, Recipe, arithmetic, load_recipe, seeds_of_peers

_COMPARED = ("labels", "confidence")
_LISTED = 8
_UNKNOWN_PREPROCESSING = {
    "kind": "unknown",
    "steps": ["How inputs are made of raw samples is not known: whoever recorded the training made them."],
}


def inputs_of(study: Study, split: str, *, trust_code: bool, announce: Callable[[str], None]) -> StudyInputs:
    """Return what the networks of a study take; see `Study.inputs`."""
    if split not in (EVALUATION, "train"):
        raise InputError(f"split must be {EVALUATION!r} or 'train', got {split!r}.")
    if study.header.factory:
        return _recorded_inputs(study, split)
    splits, prepared = _data(study, _recipe(study, trust_code=trust_code), announce)
    data, inputs = (splits.evaluation, prepared.evaluation) if split == EVALUATION else (splits.train, prepared.train)
    return StudyInputs(
        inputs, data.labels.numpy(), data.sample_ids, prepared.preprocessing, data.inputs, prepared.transform
    )


def networks_of(
    study: Study,
    runs: Sequence[int] | None,
    checkpoint: int | None,
    *,
    trust_code: bool,
    announce: Callable[[str], None],
) -> Networks:
    """Return the networks of runs of a study on the device that it names; see `Study.networks`."""
    if study.header.factory:
        return Networks(_recorded_networks(study, runs, checkpoint, trust_code=trust_code, announce=announce))
    recipe = _recipe(study, trust_code=trust_code)
    manifests = _chosen(study, runs)
    step = _step_of(study.manifests[0].steps, checkpoint)
    found = _kept(study, recipe, manifests, step, announce)
    left = [manifest for manifest in manifests if manifest.run not in found]
    if left:
        found |= _trained_again(study, recipe, left, step, announce)
    peers = recipe.peers
    networks = [network for manifest in manifests for network in found[manifest.run]]
    return Networks(networks) if peers is None else Networks(networks, members=peers.count, serve=peers.serve)


def _recipe(study: Study, *, trust_code: bool) -> Recipe:
    path = inside(study.path, RECIPE_FILE)
    if study.header.kind != "training" or not path.exists():
        raise StudyError(
            f"the study {str(study.path)!r} was not trained by reseed, so its networks are not known and no weights of "
            "them are kept; make reseed.models.Networks of your own modules, or record your runs with weights=True and "
            "a factory."
        )
    recipe = load_recipe(path, trust_code=trust_code)
    recipe.model.check_trusted()
    return recipe


def _data(study: Study, recipe: Recipe, announce: Callable[[str], None]) -> tuple[Splits, Prepared]:
    splits = data_for(recipe, study.path)
    return splits, architecture(recipe.model).prepare(splits, inside(study.path, "cache"), announce)


def _chosen(study: Study, runs: Sequence[int] | None) -> list[Manifest]:
    there = {manifest.run: manifest for manifest in study.manifests}
    wanted = list(there) if runs is None else list(runs)
    for run in wanted:
        if not is_whole(run) or run not in there:
            known = ", ".join(map(str, there)) or "none"
            raise InputError(f"runs names {run!r}, which is no complete run of the study; there are {known}.")
    if not wanted:
        raise InputError("runs names none; pass the numbers of some runs, or None for all.")
    return [there[run] for run in wanted]


def _step_of(steps: tuple[int, ...], checkpoint: int | None) -> int:
    """Return the step after which networks are wanted, one of those that were recorded."""
    if checkpoint is None:
        return steps[-1]
    if not is_whole(checkpoint) or checkpoint not in steps:
        known = [str(step) for step in (steps if len(steps) <= _LISTED else steps[: _LISTED - 1])]
        known += ["...", str(steps[-1])] if len(steps) > _LISTED else []
        raise InputError(
            f"checkpoint is {checkpoint!r}, and no step that the study recorded; there are {', '.join(known)}. Pass "
            "one of them, or None for the last."
        )
    return int(checkpoint)


def _recorded_inputs(study: Study, split: str) -> StudyInputs:
    """Return what the networks of recorded runs take, where the study keeps it."""
    if split != EVALUATION:
        raise StudyError(
            f"the study {str(study.path)!r} was recorded, and what its runs were trained on is not known; it has the "
            f"inputs of {EVALUATION!r} alone."
        )
    samples = study.samples
    inputs = read_inputs(study.path, len(samples))
    if inputs is None:
        raise StudyError(
            f"the study {str(study.path)!r} keeps no inputs: they were several arrays, rows or texts, or took more "
            f"than {MOST_INPUT_BYTES >> 20} MiB. Pass inputs of your own to its networks."
        )
    return StudyInputs(inputs, samples.targets, samples.ids, _UNKNOWN_PREPROCESSING)


def _recorded_networks(
    study: Study,
    runs: Sequence[int] | None,
    checkpoint: int | None,
    *,
    trust_code: bool,
    announce: Callable[[str], None],
) -> list[nn.Module]:
    """Return the networks of runs that were recorded: there is no other way to them than their kept weights."""
    config = ModelConfig(study.header.factory, is_trusted=trust_code)
    config.check_trusted("study")
    manifests = _chosen(study, runs)
    steps = {manifest.run: _step_of(manifest.steps, checkpoint) for manifest in manifests}
    for manifest in manifests:
        if str(steps[manifest.run]) not in manifest.weights:
            raise _not_kept(study, manifest, steps[manifest.run])
    if study.remote is not None:
        for step in sorted(set(steps.values())):
            named = [manifest for manifest in manifests if steps[manifest.run] == step]
            study.remote.pull_weights(study.path, named, step, announce)
    factory, networks = architecture(config), []
    for manifest in manifests:
        kept = read_weights(study.path, manifest, steps[manifest.run])
        if kept is None:
            raise _not_kept(study, manifest, steps[manifest.run])
        networks.append(kept.whole(factory, len(study.header.class_names)))
    return networks


def _not_kept(study: Study, manifest: Manifest, step: int) -> StudyError:
    steps = ", ".join(map(str, sorted(map(int, manifest.weights))))
    there = f"those after step {steps} are" if steps else "none are"
    return StudyError(
        f"run {manifest.run} of {str(study.path)!r} was recorded, and its weights after step {step} are not kept "
        f"({there}). Name runs and steps whose weights are kept, or record the run again with weights=True, for every "
        "checkpoint with weights='checkpoints'."
    )


def _kept(
    study: Study, recipe: Recipe, manifests: Sequence[Manifest], step: int, announce: Callable[[str], None]
) -> dict[int, list[nn.Module]]:
    """Return the networks of those runs whose weights after a step are kept; neither data nor device need be there."""
    named = [manifest for manifest in manifests if str(step) in manifest.weights]
    if not named:
        return {}
    header = study.header
    if recipe.digest != header.recipe:
        raise StudyError(
            f"the weights of {str(study.path)!r} are those of recipe {header.recipe}, and its {RECIPE_FILE} is another "
            f"one, {recipe.digest}; bring back the recipe that the study began with."
        )
    if study.remote is not None:
        study.remote.pull_weights(study.path, named, step, announce)
    factory, plan, peers = architecture(recipe.model), header.plan, recipe.peers
    device, found = None, {}
    for manifest in named:
        kept = read_weights(study.path, manifest, step)
        if kept is not None:
            device = device or _device(header, announce)
            seeds = plan.seeds(manifest.run)
            words = [seeds] if peers is None else seeds_of_peers(seeds, peers)
            models = kept.built(factory, len(header.class_names), words)
            found[manifest.run] = [model.to(device) for model in models]
    return found


def _device(header: Header, announce: Callable[[str], None]) -> str:
    """Return where kept networks are put: where they were trained, if there is such a device here."""
    try:
        return devices(header.device, "serial", announce)[0]
    except InputError:
        announce(f"this machine has no device {header.device!r}, where the networks were trained: they are on the CPU")
        return "cpu"


def _trained_again(
    study: Study, recipe: Recipe, manifests: Sequence[Manifest], step: int, announce: Callable[[str], None]
) -> dict[int, list[nn.Module]]:
    """Train runs again up to a step, with those that were one program with them, and return their networks."""
    splits, prepared = _data(study, recipe, announce)
    header = study.header
    device, _ = devices(header.device, "serial", announce)
    task = train_run(
        study.path,
        recipe,
        header.plan,
        header.record,
        splits,
        prepared,
        device,
        header.threads,
        deterministic=header.deterministic,
    )
    wanted = {manifest.run for manifest in manifests}
    groups = [group for group in study.groups if wanted & set(group)]
    trained = {run for group in groups for run in group}
    costs = [manifest.cost for manifest in (*study.manifests, *study.diverged) if manifest.run in trained]
    last = study.manifests[0].steps[-1]
    seconds = sum(cost.get("wall_s", 0.0) for cost in costs)
    announce(
        f"training {len(trained)} runs again for the networks of {len(manifests)}, which the study does not keep; when "
        f"they were recorded they took {seconds:.0f} s"
        + (f", about {seconds * step / last:.0f} s of it up to step {step}." if step < last else ".")
    )
    with arithmetic(task.threads, deterministic=header.deterministic):
        most = max(len(group) for group in groups)
        folder = inside(study.path, LESSONS)
        lessons = shared_lessons(task, folder, splits.train.digest, most, announce, study.remote)
    task = replace(task, lessons=lessons, temperature=_temperature(study))
    recorded = {name: _recorded(study, name, step) for name in _COMPARED if name in study.recorded_names()}
    return {run: own for group in groups for run, own in _again(study, task, group, recorded, step).items()}


def _temperature(study: Study) -> SharedTemperature | None:
    """Return the temperature with which the study's scores were recorded."""
    found = study.manifests[0].temperature
    return None if found is None else SharedTemperature(found, LessonCost())


def _recorded(study: Study, name: str, step: int) -> NDArray[Any]:
    """Return what was recorded after a step, [run, sample]."""
    mark = study.manifests[0].steps.index(step)
    return np.asarray(study.recorded(name)[:, mark])


@dataclass(frozen=True)
class _Last:
    """Keeps what a run would record last of the evaluation split."""

    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)

    def write(self, split: str, checkpoint: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take it."""
        if split == EVALUATION:
            self.arrays.update(arrays)

    def write_steps(self, signals: Mapping[str, NDArray[Any]]) -> None:
        """Forget it."""

    def write_weights(self, step: int, networks: Sequence[EvaluatedWeights]) -> None:
        """Forget it."""


def _again(
    study: Study, task: TrainRun, group: tuple[int, ...], recorded: Mapping[str, NDArray[Any]], step: int
) -> dict[int, list[nn.Module]]:
    """Train a group again, and return the networks of each of its complete runs.

    Args:
        study: The study.
        task: Trains its runs.
        group: Which ones.
        recorded: What they are held against, [run, sample].
        step: After which step.

    Raises:
        StudyError: A run answers otherwise than it did; the message names the sample.
    """
    sinks = [_Last() for _ in group]
    networks = task.again(group, sinks, step)
    members = len(networks) // len(group)
    places = {manifest.run: place for place, manifest in enumerate(study.manifests)}
    for run, sink in zip(group, sinks, strict=True):
        for name, values in recorded.items() if run in places else ():
            _check_equal(study, run, name, values[places[run]], sink.arrays.get(name))
    return {
        run: networks[number * members : (number + 1) * members] for number, run in enumerate(group) if run in places
    }


def _check_equal(study: Study, run: int, name: str, recorded: NDArray[Any], found: NDArray[Any] | None) -> None:
    if found is None:
        raise StudyError(
            f"run {run} of {str(study.path)!r} does not come out again: it diverges before it predicts anything."
        )
    differ = np.flatnonzero(recorded != found.astype(recorded.dtype))
    if len(differ):
        first = differ[0]
        raise StudyError(
            f"run {run} of {str(study.path)!r} does not come out again: {name} of sample {study.samples.ids[first]!r} "
            f"of the evaluation split is {found[first]}, and {recorded[first]} was recorded ({len(differ)} of "
            f"{len(found)} samples differ). Another machine or version may round differently; where the study was "
            "trained its networks can be had."
        )
