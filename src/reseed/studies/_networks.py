"""The trained networks of a study, trained again from their seeds and held against what was recorded."""

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
from reseed.models import Networks, Prepared, architecture
from reseed.studies._again import RECIPE_FILE, data_for
from reseed.studies._devices import devices
from reseed.studies._files import inside
from reseed.studies._lessons import shared_lessons
from reseed.studies._manifest import Manifest
from reseed.studies._remote import LESSONS
from reseed.studies._study import EVALUATION, Study
from reseed.studies._study_inputs import StudyInputs
from reseed.studies._train_run import TrainRun, train_run
from reseed.training import Recipe, SeedPlan, arithmetic, load_recipe

_COMPARED = ("labels", "confidence")


def inputs_of(study: Study, split: str, *, trust_code: bool, announce: Callable[[str], None]) -> StudyInputs:
    """Return what the networks of a study take; see `Study.inputs`."""
    if split not in (EVALUATION, "train"):
        raise InputError(f"split must be {EVALUATION!r} or 'train', got {split!r}.")
    splits, prepared = _data(study, _recipe(study, trust_code=trust_code), announce)
    data, inputs = (splits.evaluation, prepared.evaluation) if split == EVALUATION else (splits.train, prepared.train)
    return StudyInputs(inputs, data.labels.numpy(), data.sample_ids, prepared.preprocessing)


def networks_of(
    study: Study, runs: Sequence[int] | None, *, trust_code: bool, announce: Callable[[str], None]
) -> Networks:
    """Train runs of a study again, on the device that it names, and return their networks; see `Study.networks`."""
    recipe = _recipe(study, trust_code=trust_code)
    manifests = _chosen(study, runs)
    splits, prepared = _data(study, recipe, announce)
    header = study.header
    device, _ = devices(header.device, "serial", announce)
    plan = SeedPlan(header.base_seed, frozenset(header.vary), header.resample, header.draws)  # type: ignore[arg-type]
    task = train_run(
        study.path,
        recipe,
        plan,
        header.record,
        splits,
        prepared,
        device,
        header.threads,
        deterministic=header.deterministic,
    )
    groups = [group for group in study.groups if any(manifest.run in group for manifest in manifests)]
    trained = {run for group in groups for run in group}
    costs = [manifest.cost for manifest in (*study.manifests, *study.diverged) if manifest.run in trained]
    announce(
        f"training {len(trained)} runs again for the networks of {len(manifests)}, which the study does not keep; when "
        f"they were recorded they took {sum(cost.get('wall_s', 0.0) for cost in costs):.0f} s."
    )
    with arithmetic(task.threads, deterministic=header.deterministic):
        most = max(len(group) for group in groups)
        folder = inside(study.path, LESSONS)
        lessons = shared_lessons(task, folder, splits.train.digest, most, announce, study.remote)
    task = replace(task, lessons=lessons)
    recorded = {name: study.final(name) for name in _COMPARED if name in study.recorded_names()}
    found = {run: own for group in groups for run, own in _again(study, task, group, recorded).items()}
    peers = recipe.peers
    networks = [network for manifest in manifests for network in found[manifest.run]]
    return Networks(networks) if peers is None else Networks(networks, members=peers.count, serve=peers.serve)


def _recipe(study: Study, *, trust_code: bool) -> Recipe:
    path = inside(study.path, RECIPE_FILE)
    if study.header.kind != "training" or not path.exists():
        raise StudyError(
            f"the study {str(study.path)!r} was not trained by reseed, so its networks are not known; make "
            "reseed.models.Networks of your own modules."
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


def _again(
    study: Study, task: TrainRun, group: tuple[int, ...], recorded: Mapping[str, NDArray[Any]]
) -> dict[int, list[nn.Module]]:
    """Train a group again, and return the networks of each of its complete runs.

    Args:
        study: The study.
        task: Trains its runs.
        group: Which ones.
        recorded: What they are held against, [run, sample].

    Raises:
        StudyError: A run answers otherwise than it did; the message names the sample.
    """
    sinks = [_Last() for _ in group]
    networks = task.again(group, sinks)
    members = len(networks) // len(group)
    places = {manifest.run: place for place, manifest in enumerate(study.manifests)}
    for run, sink in zip(group, sinks, strict=True):
        for name, values in recorded.items() if run in places else ():
            _check_equal(study, run, name, values[places[run]], sink.arrays[name])
    return {
        run: networks[number * members : (number + 1) * members] for number, run in enumerate(group) if run in places
    }


def _check_equal(study: Study, run: int, name: str, recorded: NDArray[Any], found: NDArray[Any]) -> None:
    differ = np.flatnonzero(recorded != found.astype(recorded.dtype))
    if len(differ):
        first = differ[0]
        raise StudyError(
            f"run {run} of {str(study.path)!r} does not come out again: {name} of sample {study.samples.ids[first]!r} "
            f"of the evaluation split is {found[first]}, and {recorded[first]} was recorded ({len(differ)} of "
            f"{len(found)} samples differ). Another machine or version may round differently; where the study was "
            "trained its networks can be had."
        )
