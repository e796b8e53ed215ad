"""What a study's recipe costs for each model that is deployed, relative to a control."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

import numpy as np

from reseed.studies import Study

_NAN = float("nan")


@dataclass(frozen=True)
class MethodCost:
    """What one deployed model costs, relative to one of the control. NaN where it is not known.

    Attributes:
        training: forward and backward passes of the training, with those of its teachers.
        inference: networks that answer one question; not relative.
        wall: wall time of a run, relative to the faster of the control and the null, since the study that is trained
            first pays for warming up. Runs that are trained as one program share theirs; shared teachers are in it as
            they are in ``training``.
    """

    training: float
    inference: float
    wall: float


NO_COST = MethodCost(_NAN, _NAN, _NAN)


def method_cost(study: Study, control: Study, null: Study | None, runs: int) -> MethodCost:
    """Returns what a study's first ``runs`` runs cost, relative to the control's; wall time is the median.

        training = (3 samples_seen + lesson_passes + 3 shared_samples_seen + shared_lesson_passes) / the control's

    A forward pass of a sample counts 1, a backward pass 2. Teachers that all runs of a study share count once for each
    model: whoever deploys one model trains them once.
    """
    beside = control if null is None else null
    return MethodCost(
        _ratio(_passes(study, runs), _passes(control, runs)),
        _networks(study),
        _ratio(_wall(study, runs), float(np.fmin(_wall(control, runs), _wall(beside, runs)))),
    )


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
    found = [
        # Earlier versions did not time shared teachers, whose time is then not known.
        cost["wall_s"] + cost.get("shared_wall_s", _NAN if cost.get("shared_steps") else 0.0)
        for cost in (manifest.cost for manifest in study.manifests[:runs])
        if "wall_s" in cost
    ]
    return float(np.median(found)) if found else _NAN


def _ratio(value: float, base: float) -> float:
    return value / base if base else _NAN
