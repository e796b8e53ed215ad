"""The robustness lens: one protocol over networks, by parts that are kept until all are there."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from reseed._arrays import to_numpy
from reseed._errors import InputError, StudyError
from reseed._labels import check_targets
from reseed.models import Networks
from reseed.perturbations.attacks import Bounds, Effort, Norm, Numbers
from reseed.robustness.evaluation._assembled import assembled
from reseed.robustness.evaluation._attacks_part import attacks_part
from reseed.robustness.evaluation._columns import LENS
from reseed.robustness.evaluation._corruptions_part import corruptions_of, corruptions_part, sequences_part
from reseed.robustness.evaluation._nearness_part import nearness_part, noise_part
from reseed.robustness.evaluation._neurons_part import neurons_part
from reseed.robustness.evaluation._pairs_part import pairs_part
from reseed.robustness.evaluation._protocol import (
    Protocol,
    check_asked,
    number_of_samples,
    protocol_for,
)
from reseed.robustness.evaluation._subject import Subject, subject_of
from reseed.scores import Part, Scores, Told, read_part, scores_for, write_part
from reseed.studies import Study, StudyInputs, WorkProgress, inside, to_stderr
from reseed.training import arithmetic, usual_threads

PartMaker = Callable[[Subject, Protocol, Told], Part]
_VERSION = 2  # of what is asked: other protocols are other scores


def evaluate(
    model: Study | str | Path | Networks | nn.Module | Sequence[nn.Module],
    inputs: Numbers | None = None,
    targets: Numbers | None = None,
    *,
    train_inputs: Numbers | None = None,
    epsilon: float | None = None,
    norm: Norm | None = None,
    effort: Effort = "standard",
    bounds: Bounds | Literal["auto"] = "auto",
    samples: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    trust_code: bool = False,
    announce: Callable[[str], None] = to_stderr,
) -> Scores:
    """Say how far each answer is from changing with its input: by attacks, corruptions and noise.

    One protocol is run over all networks, and what its parts share is made once: answers, attacked inputs, draws. Of a
    study the scores are kept with it (``scores/robustness/``), so that table, export, report and `reseed.foretell` have
    them; each part is kept as soon as it is done, so that what was interrupted goes on where it stopped. The same call
    again returns what is kept.

    Args:
        model: A study, its folder or its URL; or trained networks, as `reseed.models.Networks`, a module or a list of
            modules of one architecture.
        inputs: What networks are asked, [sample, ...]; not for studies, which know theirs.
        targets: The right answers, [sample], -1 where they are not known; not for studies.
        train_inputs: What the networks were trained on, for the ranges of neurons and the scale of features.
        epsilon: The budget of attacks; default by kind of input: images 8/255 (three channels) or 0.1, features 0.1
            standard deviations, features of texts a tenth of their mean norm.
        norm: ``"inf"``, ``"2"`` or ``"1"``; default ``"inf"``, for features of texts ``"2"``.
        effort: ``"quick"``, ``"standard"`` or ``"thorough"``: attacks, severities, draws, and 500, 1,000 or all
            samples.
        bounds: The least and the largest value of inputs; default: 0 and 1 for images, none for features.
        samples: How many samples are asked about, drawn with the seed; the others have no values.
        seed: Of everything that is drawn.
        threads: Threads of arithmetic; default: one, for larger images all cores.
        trust_code: Whether to import the code that a study's recipe names as its model.
        announce: Takes lines before long work begins; default: standard error.

    Returns:
        Columns of runs and samples, among them ``boundary_distance``, ``attack_steps``, ``corruption_flip_rate`` and
        ``noise_flip_rate``; a summary with ``accuracy_clean``, ``accuracy_worst_case`` and others with their intervals;
        charts.

    Raises:
        InputError: An argument is out of its range or does not fit the others.
        StudyError: The study's networks or inputs cannot be had; the message says why.

    Examples:
        >>> networks = [nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)) for _ in range(3)]
        >>> inputs, targets = torch.rand(20, 4), torch.randint(3, (20,))
        >>> found = evaluate(networks, inputs, targets, effort="quick")
        >>> found.summary["accuracy_worst_case"] <= found.summary["accuracy_clean"], sorted(found.by_run)[:2]
        (True, ['attack_steps', 'attacked_margin'])
    """
    check_asked(effort, samples, seed, epsilon)
    asked: dict[str, Any] = {
        "effort": effort,
        "norm": norm,
        "epsilon": epsilon,
        "samples": samples,
        "seed": seed,
        "version": _VERSION,
    }
    asked["bounds"] = bounds if bounds == "auto" else json.loads(json.dumps(bounds, default=_listed))
    if isinstance(model, Study | str | Path):
        if inputs is not None or targets is not None or train_inputs is not None:
            raise InputError("inputs and targets are for networks of your own; a study knows its own.")
        study = model if isinstance(model, Study) else Study.open(model)

        def make() -> Scores:
            return _of_study(study, asked, bounds, threads, trust_code=trust_code, announce=announce)

        return scores_for(study, LENS, asked, make)
    if inputs is None or targets is None:
        raise InputError("inputs and targets are missing: networks of your own are asked what you pass.")
    networks = model if isinstance(model, Networks) else Networks(model)
    found = _found(networks, inputs, targets)
    train = None if train_inputs is None else torch.as_tensor(to_numpy(train_inputs, "train_inputs"))
    return _evaluated(networks, found, train, asked, bounds, threads, tuple(range(len(networks))), None)


def _listed(values: Any) -> Any:
    return to_numpy(values, "bounds").tolist()


def _found(networks: Networks, inputs: Numbers, targets: Numbers) -> StudyInputs:
    array, labels = to_numpy(inputs, "inputs"), to_numpy(targets, "targets")
    check_targets(labels, len(array))
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    ids = tuple(map(str, range(len(array))))
    return StudyInputs(tensor, labels.astype(np.int64), ids, {"kind": "unknown"})


def _of_study(
    study: Study,
    asked: Mapping[str, Any],
    bounds: Any,
    threads: int | None,
    *,
    trust_code: bool,
    announce: Callable[[str], None],
) -> Scores:
    found = study.inputs(trust_code=trust_code, announce=announce)
    try:
        train = study.inputs("train", trust_code=trust_code, announce=announce).inputs
    except StudyError:
        train = None  # of recorded runs it is not known
    networks = study.networks(trust_code=trust_code, announce=announce)
    runs = tuple(manifest.run for manifest in study.manifests)
    key = json.dumps([dict(asked), list(runs), study.header.data], sort_keys=True)
    folder = inside(study.path, "cache", f"{LENS}-{hashlib.sha256(key.encode()).hexdigest()[:12]}")
    scores = _evaluated(networks, found, train, asked, bounds, threads, runs, folder)
    shutil.rmtree(folder, ignore_errors=True)  # all parts are in the scores
    return scores


def _evaluated(
    networks: Networks,
    found: StudyInputs,
    train: Tensor | None,
    asked: Mapping[str, Any],
    bounds: Any,
    threads: int | None,
    runs: tuple[int, ...],
    folder: Path | None,
) -> Scores:
    began = time.perf_counter()
    there = len(found.inputs)
    count = number_of_samples(asked["effort"], asked["samples"], there)
    chosen = np.sort(np.random.default_rng(asked["seed"]).permutation(there)[:count])
    subject = subject_of(networks, found, train, chosen, bounds)
    protocol = protocol_for(subject, asked["effort"], asked["norm"], asked["epsilon"], asked["seed"])
    makers = _parts(subject, protocol)
    parts: dict[str, Part] = {}
    with WorkProgress(LENS, len(makers)) as bar, arithmetic(threads or usual_threads(subject.inputs)):
        for name, maker in makers.items():
            bar.begin(name)
            kept = None if folder is None else read_part(folder / f"{name}.npz", subject.runs, subject.samples)
            parts[name] = maker(subject, protocol, bar.within) if kept is None else kept
            if folder is not None and kept is None:
                write_part(folder / f"{name}.npz", parts[name])
            bar.end()
    scores = assembled(subject, protocol, parts, found.ids, runs)
    return replace(scores, options=dict(asked), cost=dict(scores.cost) | {"wall_s": time.perf_counter() - began})


def _parts(subject: Subject, protocol: Protocol) -> dict[str, PartMaker]:
    """Return the parts that a subject allows and the effort asks for, in order."""
    parts: dict[str, PartMaker] = {}
    if subject.is_continuous:
        parts |= {"attacks": attacks_part, "boundary": nearness_part, "noise": noise_part}
    if corruptions_of(subject):
        parts["corruptions"] = corruptions_part
    if subject.kind == "images" and corruptions_of(subject) and protocol.effort != "quick":
        parts["sequences"] = sequences_part
    if subject.is_continuous:
        parts["neurons"] = neurons_part
    if subject.runs > 1:
        parts["pairs"] = pairs_part
    return parts
