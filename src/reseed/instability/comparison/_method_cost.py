"""What a study's recipe costs for each model that is deployed, relative to a control."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Any

import numpy as np

from reseed.studies import Study

_NAN = float("nan")


@dataclass(frozen=True)
class MethodCost:
    """What one deployed model costs, relative to one of the control. NaN where it is not known.

    Attributes:
        training: forward and backward passes of the training, with those of its teachers.
        inference: networks that answer one question; not relative.
        wall: wall time of a run, where every run had the machine to itself; relative to the faster of the control and
            the null, since the study that is trained first pays for warming up. Shared teachers are in it as they are
            in ``training``.
        processor: processor time of a run, of all threads; relative to the cheaper of the control and the null. Runs
            that are trained as one program share theirs, and shared teachers are in it.
    """

    training: float
    inference: float
    wall: float
    processor: float = _NAN


NO_COST = MethodCost(_NAN, _NAN, _NAN)


def method_cost(study: Study, control: Study, null: Study | None, runs: int) -> MethodCost:
    """Returns what a study's first ``runs`` runs cost, relative to the control's; times are medians.

        training = (3 samples_seen + lesson_passes + 3 shared_samples_seen + shared_lesson_passes) / the control's

    A forward pass of a sample counts 1, a backward pass 2. Teachers that all runs of a study share count once for each
    model: whoever deploys one model trains them once.
    """
    controls = (control,) if null is None else (control, null)
    return MethodCost(
        _ratio(_passes(study, runs), _passes(control, runs)),
        _networks(study),
        _beside(partial(_wall, runs=runs), study, controls),
        _beside(partial(_processor, runs=runs), study, controls),
    )


def _beside(taken: Callable[[Study], float], study: Study, controls: Sequence[Study]) -> float:
    """Return a study's time relative to that of the faster control."""
    return _ratio(taken(study), float(np.fmin.reduce([taken(control) for control in controls])))


def _passes(study: Study, runs: int) -> float:
    found = []
    for manifest in study.manifests[:runs]:
        cost = manifest.cost
        if "samples_seen" not in cost:
            return _NAN
        seen = cost["samples_seen"] + cost.get("shared_samples_seen", 0)
        found.append(3 * seen + cost.get("lesson_passes", 0) + cost.get("shared_lesson_passes", 0))
    return fmean(found)


def _networks(study: Study) -> float:
    if study.recipe is None:
        return _NAN
    peers = study.recipe.peers
    return float(peers.count) if peers is not None and peers.serve == "mean" else 1.0


def _wall(study: Study, runs: int) -> float:
    """Return seconds of a run; NaN where others may have kept the machine busy."""
    is_known = all(manifest.alone for manifest in study.manifests[:runs])
    return _seconds(study, runs, "wall_s", "shared_wall_s") if is_known else _NAN


def _processor(study: Study, runs: int) -> float:
    return _seconds(study, runs, "cpu_s", "shared_cpu_s")


def _seconds(study: Study, runs: int, own: str, shared: str) -> float:
    """Return the median of runs' seconds and of those of teachers they share."""
    costs: list[Mapping[str, Any]] = [manifest.cost for manifest in study.manifests[:runs] if own in manifest.cost]
    # Earlier versions did not time shared teachers, whose time is then not known.
    found = [cost[own] + cost.get(shared, _NAN if cost.get("shared_steps") else 0.0) for cost in costs]
    return float(np.median(found)) if found else _NAN


def _ratio(value: float, base: float) -> float:
    return value / base if base else _NAN
