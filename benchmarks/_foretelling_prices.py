"""What each look at one network costs: forward passes of an answer, and processor time in times of the plain answer."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from torch import Tensor

from reseed._errors import StudyError
from reseed.models import Networks
from reseed.perturbations.attacks import AttackSuite
from reseed.robustness import (
    boundary_distance,
    linear_boundary_distance,
    neuron_coverage,
    neuron_sensitivity,
    noise_distance,
    noise_flip_rate,
    noise_insensitivity,
    sign_step_distance,
)
from reseed.robustness.evaluation._corruptions_part import corruptions_part, sequences_part
from reseed.robustness.evaluation._nearness_part import (
    _CANDIDATES,
    _FAR,
    _MOST_STEPS,
    _SCANNED,
    _STEPS,
    _STEPS_OF_A_BUDGET,
    _free,
    _reach,
    _step,
)
from reseed.robustness.evaluation._neurons_part import _PROFILED, _noisy
from reseed.robustness.evaluation._protocol import Effort, Protocol, protocol_for
from reseed.robustness.evaluation._subject import Subject, subject_of
from reseed.studies import Study

SAMPLES, REPETITIONS = 100, 20  # the plain answer is quick, and so is asked for more often


def prices(study: Study, effort: Effort, names: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return the price of each column of the robustness lens that a study has, measured on its first network.

    Args:
        study: The study.
        effort: Of the evaluation.
        names: The columns.
    """
    found = study.inputs()
    try:
        train = study.inputs("train").inputs
    except StudyError:
        train = None
    passes = 0

    def counted(inputs: Tensor) -> Tensor:
        nonlocal passes
        passes += inputs.numel() // size
        return inputs

    size = found.inputs[0].numel()
    network = Networks([study.networks()[0]]).after(counted)
    chosen = np.sort(np.random.default_rng(1).permutation(len(found.inputs))[:SAMPLES])
    subject = subject_of(network, found, train, chosen, "auto")
    protocol = protocol_for(subject, effort, None, None, 0)
    subject.answers  # noqa: B018 - it is kept, and is part of no look's price
    plain = time.process_time()
    for _ in range(REPETITIONS):
        subject.ask(subject.inputs)
    answer_s = (time.process_time() - plain) / REPETITIONS / len(chosen)
    priced = {"answer": {"passes": 1.0, "cpu_s": answer_s, "answers": 1.0}}
    for name, look in _looks(subject, protocol).items():
        if name in names:
            passes, began = 0, time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                look()
            each = (time.process_time() - began) / len(chosen)
            priced[name] = {"passes": passes / len(chosen), "cpu_s": each, "answers": each / answer_s}
    return priced


def _looks(subject: Subject, protocol: Protocol) -> dict[str, Callable[[], object]]:
    """Return what makes each column, as the evaluation does."""
    networks, inputs, step = subject.networks, subject.inputs, _step(subject, protocol)
    where: dict[str, Any] = {"bounds": subject.bounds, "frozen": subject.frozen}
    suite = AttackSuite(effort=protocol.effort, cascade=False)
    budget: dict[str, Any] = {"epsilon": protocol.epsilon, "norm": protocol.norm}
    far: dict[str, Any] = {
        "directions": min(protocol.directions, _free(subject)),
        "longest": _FAR * protocol.sigma,
        "steps": _SCANNED,
        "seed": 0,
    }
    near: dict[str, Any] = {
        "longest": _reach(subject, protocol),
        "steps": _STEPS[protocol.effort],
        "candidates": _CANDIDATES[protocol.effort],
    }
    noise: dict[str, Any] = {"sigma": protocol.sigma, "draws": protocol.draws, "seed": 0}
    most = step * _STEPS_OF_A_BUDGET
    return {
        "boundary_distance": lambda: boundary_distance(networks, inputs, norm=protocol.norm, **near, **where),
        "linear_boundary_distance": lambda: linear_boundary_distance(
            networks, inputs, norm=protocol.norm, frozen=subject.frozen
        ),
        "attack_steps": lambda: sign_step_distance(networks, inputs, step=step, most_steps=_MOST_STEPS, **where),
        "noise_distance": lambda: noise_distance(networks, inputs, **far, **where),
        "attacked_margin": lambda: suite(networks, inputs, subject.answers, **budget, **where),
        "noise_flip_rate": lambda: noise_flip_rate(networks, inputs, **noise, **where),
        "noise_insensitivity": lambda: noise_insensitivity(
            networks, inputs, subject.answers, epsilon=most, reduction="none", **where
        ),
        "corruption_flip_rate": lambda: corruptions_part(subject, protocol, lambda _: None),
        "sequence_flip_rate": lambda: sequences_part(subject, protocol, lambda _: None),
        "neuron_sensitivity": lambda: neuron_sensitivity(
            networks[0], inputs, _noisy(subject, protocol), norm=2, relative="layer"
        ),
        "outside_training_range": lambda: neuron_coverage(networks[0], subject.train[:_PROFILED], inputs),
    }
