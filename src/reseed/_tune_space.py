"""What a search for a recipe tries: a small table, and the order in which its combinations come."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from reseed.mitigations import parse_mitigations
from reseed.training import Recipe, mitigated, with_settings

SCHEDULES: dict[str, dict[str, object]] = {
    "cosine": {"schedule.name": "cosine"},
    "cosine, warm-up": {"schedule.name": "cosine", "schedule.warmup": 0.1},
    "linear": {"schedule.name": "linear"},
    "constant": {"schedule.name": "constant", "schedule.warmup": 0.0},
}
SCALES = (0.3, 1.0, 0.5, 0.1)
AVERAGES: dict[str, dict[str, object]] = {
    "": {},
    "swa": {"average.name": "swa", "average.start": 0.4},
    "ema": {"average.name": "ema"},
}
METHODS: dict[str, float] = {
    "": 1.0,
    "label-smoothing": 1.0,
    "tgtss:source=in_batch:transient=0.3": 2.0,
    "tgtss:source=in_batch:transient=0.6": 2.0,
    "tgtss:source=in_batch:exponent=0.5:transient=0.3": 2.0,
    "tgtss:source=in_batch:exponent=0.5:transient=0.6": 2.0,
}
"""Methods, and the trainings that a deployed model costs with each."""
_FIRST = (
    ("constant", 0.3, "ema", "label-smoothing"),
    ("constant", 1.0, "ema", ""),
    ("constant", 0.3, "ema", ""),
    ("cosine", 0.3, "", ""),
    ("constant", 1.0, "swa", "label-smoothing"),
    ("cosine", 1.0, "", ""),
    ("constant", 0.3, "swa", ""),
    ("constant", 1.0, "ema", "tgtss:source=in_batch:transient=0.3"),
    ("cosine", 0.3, "", "tgtss:source=in_batch:transient=0.3"),
)
"""Combinations that come before those that are drawn: different ones, so that a small budget tries some of each."""


@dataclass(frozen=True)
class Candidate:
    """A recipe that is tried.

    Attributes:
        name: what it sets.
        recipe: the whole recipe.
        cost: trainings of the control that one of its trainings costs.
    """

    name: str
    recipe: Recipe
    cost: float


def candidates(recipe: Recipe, max_cost: float, seed: int) -> tuple[Candidate, ...]:
    """Return all candidates within a cost, known good ones first, the others in an order drawn from the seed.

    Args:
        recipe: The control; what the table does not set comes from it.
        max_cost: The most that a training may cost, relative to the control's.
        seed: Of the order.
    """
    drawn = list(itertools.product(SCHEDULES, SCALES, AVERAGES, METHODS))
    drawn = [drawn[place] for place in np.random.default_rng(seed).permutation(len(drawn))]
    found: dict[Recipe, Candidate] = {}
    for schedule, scale, average, method in (*_FIRST, *drawn):
        if METHODS[method] > max_cost:
            continue
        settings = {**SCHEDULES[schedule], "model.init_scale": scale, **AVERAGES[average]}
        changed = with_settings(recipe, settings)
        if method:
            changed = mitigated(changed, parse_mitigations(method))
        if changed != recipe:
            name = " + ".join(part for part in (schedule, f"scale {scale:g}", average, method) if part)
            found.setdefault(changed, Candidate(name, changed, METHODS[method]))
    return tuple(found.values())
