"""The curvature lens: every run asked for itself, kept until all are there."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reseed._arrays import ArrayLike, to_numpy
from reseed._errors import InputError, InputTypeError, StudyError
from reseed._labels import check_targets
from reseed._numbers import check_whole
from reseed.curvature.evaluation._assembled import assembled
from reseed.curvature.evaluation._measured import Protocol, measured
from reseed.curvature.operators._risk import empirical_risk
from reseed.curvature.stability._threshold import stability_threshold
from reseed.curvature.tracking._columns import LENS
from reseed.curvature.tracking._course import Course, course_of
from reseed.models import Networks
from reseed.scores import Part, Scores, read_part, scores_for, write_part
from reseed.studies import Study, WorkProgress, inside, to_stderr
from reseed.training import Recipe, arithmetic, usual_threads

_VERSION = 1  # of what is asked: other protocols are other scores


@final
@dataclass(frozen=True, eq=False)
class _Samples:
    """Samples of which a loss is the mean: inputs, labels, and their places among all."""

    inputs: Tensor
    labels: Tensor
    places: NDArray[np.int64]


@final
@dataclass(frozen=True, eq=False)
class _Subject:
    """Networks, the samples that they were trained on and those that are asked, and what is known of the training."""

    networks: Networks
    trained: _Samples
    evaluation: _Samples
    ids: tuple[str, ...]
    runs: tuple[int, ...]
    threshold: float | None = None
    notes: tuple[str, ...] = ()
    course: Course | None = None


def evaluate(
    model: Study | str | Path | Networks | nn.Module | Sequence[nn.Module],
    inputs: ArrayLike | None = None,
    targets: ArrayLike | None = None,
    *,
    train_inputs: ArrayLike | None = None,
    train_targets: ArrayLike | None = None,
    samples: int = 1000,
    eigenvalues: int = 5,
    probes: int = 10,
    steps: int = 40,
    seed: int = 0,
    threads: int | None = None,
    trust_code: bool = False,
    announce: Callable[[str], None] = to_stderr,
) -> Scores:
    """Say how sharply the loss bends where each run ended, and how far the loss of each sample does.

    Of each run the largest and the smallest eigenvalues of the Hessian of the training loss, its spectrum, trace and
    norm, how the gradient lies to it and how noisy that is; of each evaluation sample the gradient of its loss and the
    curvature along it. The loss is the cross-entropy of the labels, without what methods and weight decay add. Of a
    study the scores are kept with it (``scores/curvature/``), so that table, export, report and `reseed.foretell` have
    them; each run is kept as soon as it is done, so that what was interrupted goes on where it stopped. The same call
    again returns what is kept.

    Args:
        model: A study, its folder or its URL; or trained networks, as `reseed.models.Networks`, a module or a list of
            modules of one architecture.
        inputs: Samples whose own curvature is asked, [sample, ...]; not for studies, which know theirs.
        targets: The right answers, [sample], -1 where they are not known; not for studies.
        train_inputs: What the networks were trained on, [sample, ...]; default: ``inputs``. Not for studies.
        train_targets: The labels that they learned, [sample].
        samples: How many training samples the loss is a mean over, and how many evaluation samples are asked, drawn
            with the seed.
        eigenvalues: How many at each end of the spectrum.
        probes: Random vectors of the spectrum, the trace and the norm.
        steps: Lanczos steps of each.
        seed: Of everything that is drawn.
        threads: Threads of arithmetic; default: one, for larger inputs all cores.
        trust_code: Whether to import the code that a study's recipe names as its model.
        announce: Takes lines before long work begins; default: standard error.

    Returns:
        Numbers of runs, among them ``sharpness``, ``normalised_sharpness`` and ``hessian_trace``; columns of runs and
        samples, ``gradient_norm`` and ``gradient_curvature``; a summary with their means and intervals; charts.

    Raises:
        InputError: An argument is out of its range or does not fit the others, or no labels are known.
        StudyError: The study's networks or inputs cannot be had; the message says why.

    References:
        Gilmer et al., *A Loss Curvature Perspective on Training Instability in Deep Learning*, arXiv 2110.04369.

    Examples:
        >>> networks = [nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)) for _ in range(2)]
        >>> inputs, targets = torch.rand(20, 4), torch.randint(3, (20,))
        >>> found = evaluate(networks, inputs, targets, eigenvalues=2, probes=2, steps=10)
        >>> bool((found.of_runs["sharpness"] >= found.of_runs["smallest_eigenvalue"]).all()), sorted(found.by_run)
        (True, ['gradient_curvature', 'gradient_norm'])
    """
    protocol = Protocol(samples, eigenvalues, probes, steps, seed)
    for name, value in vars(protocol).items():
        check_whole(name, value, 0 if name == "seed" else 1)
    own = (inputs, targets, train_inputs, train_targets)
    if isinstance(model, Study | str | Path):
        if any(value is not None for value in own):
            raise InputError("inputs and targets are for networks of your own; a study knows its own.")
        study = model if isinstance(model, Study) else Study.open(model)

        def make() -> Scores:
            return _of_study(study, protocol, threads, trust_code=trust_code, announce=announce)

        return scores_for(study, LENS, _asked(protocol), make)
    if inputs is None or targets is None:
        raise InputError("inputs and targets are missing: networks of your own are asked what you pass.")
    if (train_inputs is None) != (train_targets is None):
        raise InputError("train_inputs and train_targets belong together; pass both, or none.")
    networks = model if isinstance(model, Networks) else Networks(model)
    array, labels = to_numpy(inputs, "inputs"), to_numpy(targets, "targets")
    evaluation = _chosen(torch.as_tensor(array), labels, protocol)
    trained = evaluation
    if train_inputs is not None and train_targets is not None:
        learned = torch.as_tensor(to_numpy(train_inputs, "train_inputs"))
        trained = _chosen(learned, to_numpy(train_targets, "train_targets"), protocol)
    ids = tuple(map(str, range(len(array))))
    subject = _Subject(networks, trained, evaluation, ids, tuple(range(len(networks))))
    return _evaluated(subject, protocol, threads, None)


def _asked(protocol: Protocol) -> dict[str, Any]:
    return {**vars(protocol), "version": _VERSION}


def _of_study(
    study: Study,
    protocol: Protocol,
    threads: int | None,
    *,
    trust_code: bool,
    announce: Callable[[str], None],
) -> Scores:
    course = course_of(study)
    if course is not None and not study.manifests:
        raise StudyError(f"no run of the study {str(study.path)!r} ended. {' '.join(course.reasons)}")
    found = study.inputs(trust_code=trust_code, announce=announce)
    evaluation = _chosen(found.inputs, found.targets, protocol)
    threshold, notes = _threshold(study.recipe)
    try:
        learned = study.inputs("train", trust_code=trust_code, announce=announce)
        trained = _chosen(learned.inputs, learned.targets, protocol)
    except StudyError:
        trained = evaluation
        notes = (*notes, "What the runs were trained on is not known: the loss is that of evaluation samples.")
    networks = study.networks(trust_code=trust_code, announce=announce)
    runs = tuple(manifest.run for manifest in study.manifests)
    subject = _Subject(networks, trained, evaluation, found.ids, runs, threshold, notes, course)
    key = json.dumps([_asked(protocol), study.header.data], sort_keys=True)
    folder = inside(study.path, "cache", f"{LENS}-{hashlib.sha256(key.encode()).hexdigest()[:12]}")
    scores = _evaluated(subject, protocol, threads, folder)
    shutil.rmtree(folder, ignore_errors=True)  # all runs are in the scores
    return scores


def _chosen(inputs: Tensor, targets: NDArray[Any], protocol: Protocol) -> _Samples:
    """Return some samples whose labels are known, drawn with a seed."""
    check_targets(targets, len(inputs))
    known = np.flatnonzero(targets >= 0)
    if not len(known):
        raise InputError("targets are all unknown, and a loss needs labels; pass those of some samples.")
    places = np.sort(np.random.default_rng(protocol.seed).permutation(known)[: protocol.samples])
    return _Samples(inputs[torch.from_numpy(places)], torch.from_numpy(targets[places].astype(np.int64)), places)


def _threshold(recipe: Recipe | None) -> tuple[float | None, tuple[str, ...]]:
    """Return the largest curvature that a recipe's optimiser bears, where it is that of the Hessian itself; and why."""
    if recipe is None:
        return None, ()
    try:
        found = stability_threshold(recipe)
    except InputTypeError as error:
        return None, (f"How much curvature the optimiser bears is not known: {error}",)
    if found.preconditioned:
        return None, (
            f"The optimiser {recipe.optimizer.name} divides by a preconditioner, which a study does not keep, and what "
            "it bears is not the curvature of the loss itself; see reseed.curvature.preconditioned_sharpness.",
        )
    return found.value, (f"The optimiser bears a curvature of {found.value:.4g} at its peak rate: {found.formula}.",)


def _evaluated(subject: _Subject, protocol: Protocol, threads: int | None, folder: Path | None) -> Scores:
    began, count = time.perf_counter(), len(subject.evaluation.places)
    risk, single = (
        empirical_risk(subject.networks, each.inputs, each.labels) for each in (subject.trained, subject.evaluation)
    )
    parts: list[Part] = []
    usual = usual_threads(subject.evaluation.inputs)
    with WorkProgress(LENS, len(subject.runs)) as bar, arithmetic(usual if threads is None else threads):
        for place, run in enumerate(subject.runs):
            bar.begin(f"run {run}")
            path = None if folder is None else folder / f"run-{run:05d}.npz"
            kept = None if path is None else read_part(path, 1, count)
            part = kept or measured(risk.of_run(place), single.of_run(place), protocol, subject.threshold, bar.within)
            if path is not None and kept is None:
                write_part(path, part)
            parts.append(part)
            bar.end()
    note = (
        f"The loss is the mean over {len(subject.trained.places):,} training samples; single samples are {count:,} of "
        f"{len(subject.ids):,} evaluation samples, drawn from those whose labels are known, and others have no values."
    )
    notes = (note, *subject.notes)
    places, course = subject.evaluation.places, subject.course
    scores = assembled(parts, subject.ids, places, subject.runs, subject.threshold, notes, course)
    return replace(scores, options=_asked(protocol), cost={**scores.cost, "wall_s": time.perf_counter() - began})
