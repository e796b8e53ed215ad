"""What a search for a recipe tries: methods that combine freely, and the order in which combinations come."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from reseed._errors import RecipeError
from reseed.mitigations import described, parse_mitigations
from reseed.training import Recipe, mitigated

SCHEDULES = ("", "cosine-decay", "cosine-decay+learning-rate:factor=2", "linear-decay")
BEGINNINGS = ("", "init-scale", "init-scale:factor=0.1", "fixed-init", "fixed-init+init-scale", "pca-init")
"""Where initial weights come from, and how large they are."""
AVERAGES = ("", "ema", "swa")
TARGETS: dict[str, float] = {
    "": 1.0,
    "label-smoothing": 1.0,
    "label-smoothing:epsilon=0.05": 1.0,
    "label-smoothing:epsilon=0.2": 1.0,
    "tgtss:source=in_batch": 2.0,
    "tgtss:source=in_batch:transient=0.3": 2.0,
    "tgtss:source=in_batch:exponent=0.5": 2.0,
    "tgtss:source=in_batch:exponent=0.5:transient=0.3": 2.0,
}
"""What is learned in place of labels, and the trainings that a deployed model costs with each."""
_FIRST = (
    ("", "fixed-init", "ema", "label-smoothing"),
    ("", "pca-init", "ema", "label-smoothing"),
    ("", "fixed-init+init-scale", "ema", "label-smoothing"),
    ("", "init-scale", "ema", "label-smoothing"),
    ("", "", "ema", ""),
    ("", "", "swa", ""),
    ("cosine-decay+learning-rate:factor=2", "init-scale", "", ""),
    ("", "init-scale", "ema", ""),
    ("", "", "ema", "label-smoothing"),
    ("cosine-decay", "", "", ""),
    ("", "init-scale", "swa", ""),
    ("cosine-decay+learning-rate:factor=2", "init-scale", "", "label-smoothing"),
    ("", "", "ema", "tgtss:source=in_batch"),
)
"""Combinations that come before those that are drawn, what helped most in `benchmarks/headline/` first."""


@dataclass(frozen=True)
class Candidate:
    """A recipe that is tried.

    Attributes:
        name: its methods, as `reseed.mitigations.parse_mitigations` reads them.
        recipe: the whole recipe.
        cost: trainings of the control that one of its trainings costs.
    """

    name: str
    recipe: Recipe
    cost: float


def candidates(recipe: Recipe, max_cost: float, seed: int) -> tuple[Candidate, ...]:
    """Return all candidates within a cost, known good ones first, the others in an order drawn from the seed.

    Methods that cannot be combined with those of the control, or do not go with its model, are left out.

    Args:
        recipe: The control; what methods do not set comes from it.
        max_cost: The most that a training may cost, relative to the control's.
        seed: Of the order.
    """
    drawn = list(itertools.product(SCHEDULES, BEGINNINGS, AVERAGES, TARGETS))
    drawn = [drawn[place] for place in np.random.default_rng(seed).permutation(len(drawn))]
    found: dict[Recipe, Candidate] = {}
    for parts in (*_FIRST, *drawn):
        cost = TARGETS[parts[-1]]
        if cost > max_cost or not any(parts):
            continue
        methods = parse_mitigations("+".join(part for part in parts if part))
        try:
            changed = mitigated(recipe, methods)
        except RecipeError:
            continue
        if changed != recipe:
            name = described(tuple(sorted(methods, key=lambda method: (method.place, method.name))))
            found.setdefault(changed, Candidate(name, changed, cost))
    return tuple(found.values())
