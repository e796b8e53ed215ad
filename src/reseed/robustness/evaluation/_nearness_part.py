"""How near other answers are: by gradients, and by noise."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from reseed.perturbations.attacks import norm_of
from reseed.robustness.boundary._boundary_distance import boundary_distance
from reseed.robustness.boundary._distances import Distances
from reseed.robustness.boundary._linear_distance import linear_boundary_distance
from reseed.robustness.boundary._noise_distance import noise_distance
from reseed.robustness.boundary._sign_steps import sign_step_distance
from reseed.robustness.evaluation._protocol import Protocol
from reseed.robustness.evaluation._subject import Subject
from reseed.robustness.noise._noise_flips import noise_flip_rate
from reseed.robustness.noise._noise_insensitivity import noise_insensitivity, queries_of
from reseed.scores import Part, Told

_STEPS_OF_A_BUDGET, _MOST_STEPS = 10, 100  # of the search along the sign of the gradient
_STEPS = {"quick": 2, "standard": 4, "thorough": 8}  # of the search for the nearest boundary
_CANDIDATES = {"quick": 3, "standard": 5, "thorough": 9}  # classes that it looks at
_SCANNED = 16  # distances along each random direction
_FAR = 20  # times the standard deviation of noise: so far random directions are followed


def nearness_part(subject: Subject, protocol: Protocol, told: Told) -> Part:
    """Look for the nearest other answer of each network to each sample, whatever the label is."""
    began, inputs = time.perf_counter(), subject.inputs.to(subject.device)
    where: dict[str, Any] = {"bounds": subject.bounds, "frozen": subject.frozen}
    searched: dict[str, tuple[Distances, str]] = {}
    if protocol.norm != "1":
        near = boundary_distance(
            subject.networks,
            inputs,
            norm=protocol.norm,
            longest=_reach(subject, protocol),
            steps=_STEPS[protocol.effort],
            candidates=_CANDIDATES[protocol.effort],
            **where,
        )
        searched["boundary_distance"] = (near, "within the largest distance that was looked at")
    told(0.6)
    linear = linear_boundary_distance(subject.networks, inputs, norm=protocol.norm, frozen=subject.frozen)
    told(0.7)
    step = _step(subject, protocol)
    steps = sign_step_distance(subject.networks, inputs, step=step, most_steps=_MOST_STEPS, **where)
    told(1.0)
    searched["attack_steps"] = (steps, f"after {_MOST_STEPS} steps")
    notes = [_censored(subject, name, found, how) for name, (found, how) in searched.items() if found.censored_count]
    if protocol.norm == "1":
        notes.append("boundary_distance is not measured in the norm 1.")
    asked = sum(float(np.sum(_array(found.queries))) for found, _ in searched.values())
    cells = {name: _array(found.distance) for name, (found, _) in searched.items()}
    return Part(
        cells=cells
        | {"linear_boundary_distance": _array(linear), "attack_steps": _array(steps.steps) + _array(steps.censored)},
        notes=tuple(notes),
        cost={"forward_passes": asked, "wall_s": time.perf_counter() - began},
    )


def noise_part(subject: Subject, protocol: Protocol, told: Told) -> Part:
    """Ask about noisy versions of each sample, and look along random directions for another answer."""
    began, inputs = time.perf_counter(), subject.inputs.to(subject.device)
    far = noise_distance(
        subject.networks,
        inputs,
        directions=min(protocol.directions, _free(subject)),
        longest=_FAR * protocol.sigma,
        steps=_SCANNED,
        seed=protocol.seed,
        bounds=subject.bounds,
        frozen=subject.frozen,
    )
    told(0.7)
    flips = noise_flip_rate(
        subject.networks,
        inputs,
        sigma=protocol.sigma,
        draws=protocol.draws,
        seed=protocol.seed,
        bounds=subject.bounds,
        frozen=subject.frozen,
    )
    told(0.8)
    change = noise_insensitivity(
        subject.networks,
        inputs,
        subject.answers,
        epsilon=_step(subject, protocol) * _STEPS_OF_A_BUDGET,
        bounds=subject.bounds,
        frozen=subject.frozen,
        seed=protocol.seed,
        reduction="none",
    )
    told(1.0)
    how = f"within {_FAR * protocol.sigma:.3g} along any random direction"
    drawn = subject.runs * subject.samples * (protocol.draws + 1 + queries_of())
    return Part(
        cells={
            "noise_distance": _array(far.distance),
            "noise_flip_rate": _array(flips),
            "noise_insensitivity": _array(change),
        },
        notes=(_censored(subject, "noise_distance", far, how),) if far.censored_count else (),
        cost={
            "forward_passes": float(np.sum(_array(far.queries))) + drawn,
            "wall_s": time.perf_counter() - began,
        },
    )


def _censored(subject: Subject, name: str, found: Distances, how: str) -> str:
    count = f"{found.censored_count:,} of {subject.runs * subject.samples:,}"
    return f"{name}: {count} answers do not change {how}; they count as that."


def _step(subject: Subject, protocol: Protocol) -> float:
    """Return a tenth of the budget, for other norms than inf of that of equal features of the same length."""
    count = _free(subject)
    share = {"inf": 1.0, "2": math.sqrt(count), "1": float(count)}[protocol.norm]
    return protocol.epsilon / share / _STEPS_OF_A_BUDGET


def _reach(subject: Subject, protocol: Protocol) -> float | None:
    """Return how far to look: where there are no bounds twice as far as inputs lie apart, else as far as they allow."""
    if np.isfinite(np.asarray(subject.bounds[0])).all() and np.isfinite(np.asarray(subject.bounds[1])).all():
        return None
    spread = subject.inputs.amax(0) - subject.inputs.amin(0)
    return 2 * max(float(norm_of(spread[None], protocol.norm)), protocol.epsilon)


def _free(subject: Subject) -> int:
    """Return how many features of a sample may change."""
    count = subject.inputs[0].numel()
    return count if subject.frozen is None else count - int(subject.frozen.sum())


def _array(value: Any) -> Any:
    return np.asarray(value.cpu() if hasattr(value, "cpu") else value, np.float64)
