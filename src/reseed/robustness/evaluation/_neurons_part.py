"""How neurons react: to noise, beyond what they reached in training, and over samples."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reseed._errors import InputError
from reseed.robustness.evaluation._protocol import Protocol
from reseed.robustness.evaluation._subject import Subject
from reseed.robustness.neurons._coverage import neuron_coverage
from reseed.robustness.neurons._neuron_sensitivity import neuron_sensitivity
from reseed.robustness.neurons._neuron_uncertainty import neuron_uncertainty
from reseed.robustness.noise._noise_flips import gaussian_draw
from reseed.scores import Part, Told

_PROFILED = 10_000  # training samples that say what neurons reach
_COVERAGES = {
    "coverage_k_multisection": "kmncov",
    "coverage_boundary": "nbcov",
    "coverage_strong_activation": "snacov",
    "coverage_top_k": "tkncov",
}


def neurons_part(subject: Subject, protocol: Protocol, told: Told) -> Part:
    """Record the activations of each network on clean, noisy and training samples.

    Args:
        subject: Its inputs can be changed a little.
        protocol: The noise and the seed.
        told: Takes the share that is done.
    """
    began = time.perf_counter()
    noisy = _noisy(subject, protocol)
    train = None if subject.train is None else subject.train[:_PROFILED]
    cells: dict[str, list[Any]] = {"neuron_sensitivity": []}
    of_runs: dict[str, list[float]] = {"neuron_uncertainty": []}
    try:
        for run in range(subject.runs):
            network = subject.networks[run]
            moved = neuron_sensitivity(network, subject.inputs, noisy, norm=2, relative="layer")
            cells["neuron_sensitivity"].append(np.asarray(moved.samples))
            of_runs["neuron_uncertainty"].append(neuron_uncertainty(network, subject.inputs).mean)
            if train is not None:
                found = neuron_coverage(network, train, subject.inputs)
                cells.setdefault("outside_training_range", []).append(np.asarray(found.corner_share))
                for name, own in _COVERAGES.items():
                    of_runs.setdefault(name, []).append(float(getattr(found, own)))
            told((run + 1) / subject.runs)
    except InputError as error:  # networks without layers that are known, such as functions
        return Part(notes=(f"Neurons were not looked at: {error}",), cost={"wall_s": time.perf_counter() - began})
    notes = () if train is not None else ("Coverage of neurons needs what the networks were trained on.",)
    passes = subject.runs * (3 * subject.samples + (0 if train is None else len(train) + subject.samples))
    return Part(
        cells={name: _stacked(values) for name, values in cells.items()},
        of_runs={name: np.array(values) for name, values in of_runs.items()},
        notes=notes,
        cost={"forward_passes": float(passes), "wall_s": time.perf_counter() - began},
    )


def _noisy(subject: Subject, protocol: Protocol) -> Tensor:
    """Return the first of the noisy versions that `noise_flip_rate` asks about."""
    samples = torch.arange(subject.samples)
    drawn = gaussian_draw(protocol.seed & 0xFFFFFFFF, 0, samples, subject.inputs)
    if subject.frozen is not None:
        drawn = torch.where(subject.frozen, 0.0, drawn)
    low, high = (torch.as_tensor(bound, dtype=subject.inputs.dtype) for bound in subject.bounds)
    return torch.minimum(torch.maximum(subject.inputs + protocol.sigma * drawn, low), high)


def _stacked(values: list[Any]) -> NDArray[np.float64]:
    return np.stack(values).astype(np.float64)
