"""How well one run's values rank the samples that the other runs answer differently, and what that figure rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from reseed.scores._ranks import Ranks, Top, auroc_of, differing, kendall_of, lift_of
from reseed.scores._targets import Targets

MOST_RANKED = 20_000
"""Samples that Kendall's tau-b looks at; of more, so many are drawn."""
_SEED = 0
_FEWEST = 4  # runs of which one can be left out while two others remain that can differ


@final
@dataclass(frozen=True, eq=False)
class Figure:
    """A figure of one run.

    Attributes:
        value: The figure; NaN where it has none.
        changes: By how much it differs where another run is left out of what it foretells, [run]; NaN where that is
            not known, at the run itself for one.
        pull: By how much it changes with the weight of each sample, [sample]; sums to 0.
        at: Which samples these are, [sample].
    """

    value: float
    changes: Float[np.ndarray, " run"]
    pull: Float[np.ndarray, " sample"]
    at: Int[np.ndarray, " sample"]


@final
@dataclass(frozen=True, eq=False)
class HeldOut:
    """What one run is asked to foretell.

    Attributes:
        run: Its place.
        runs: How many runs there are.
        flips: Whether the others differ, [sample].
        dissident: See `Targets.dissident`, [sample].
        drawn: The samples that tau-b looks at, in order, [drawn].
        levels: Whole numbers from 0 on in the order of the others' label entropy, [drawn].
        without: The same where another run is left out as well, by its place.
    """

    run: int
    runs: int
    flips: Bool[np.ndarray, " sample"]
    dissident: Int[np.ndarray, " sample"]
    drawn: Int[np.ndarray, " drawn"]
    levels: Int[np.ndarray, " drawn"]
    without: Mapping[int, Int[np.ndarray, " drawn"]] = field(default_factory=dict)

    @classmethod
    def of(cls, targets: Targets, run: int, *, with_others: bool) -> HeldOut:
        """Return what the run at a place is asked; ``with_others``: what that is without each other run, for tau-b."""
        drawn = draw(targets.samples)
        others = [other for other in range(targets.runs) if other != run]
        known = others if with_others and targets.runs >= _FEWEST else []
        return cls(
            run,
            targets.runs,
            targets.flips(run),
            targets.dissident(run),
            drawn,
            _levels(targets, drawn, run),
            {other: _levels(targets, drawn, run, other) for other in known},
        )


def draw(samples: int) -> Int[np.ndarray, " drawn"]:
    """Return the samples that tau-b looks at, in order: all, or as many as it can of more, always the same."""
    if samples <= MOST_RANKED:
        return np.arange(samples)
    return np.sort(np.random.default_rng(_SEED).choice(samples, MOST_RANKED, replace=False))


def _levels(
    targets: Targets, drawn: Int[np.ndarray, " drawn"], run: int, other: int | None = None
) -> Int[np.ndarray, " drawn"]:
    found = np.zeros(targets.samples, np.int64)
    found[targets.contested] = targets.levels(run, other)
    return dense(found[drawn])


def dense(levels: Int[np.ndarray, " sample"]) -> Int[np.ndarray, " sample"]:
    """Return numbers of the same order without gaps from 0 on; 0 stays 0."""
    return np.asarray(np.unique(np.append(levels, 0), return_inverse=True)[1][:-1])


def figures(
    values: Float[np.ndarray, " sample"], held: HeldOut, *, with_kendall: bool = True
) -> tuple[Figure, Figure, Figure]:
    """Return AUROC, lift in the worst tenth and tau-b of one run's values; samples whose value is NaN are left out."""
    known = ~np.isnan(values)
    at = np.flatnonzero(known)
    ranks, flips, dissident = Ranks.of(values[at]), held.flips[at], held.dissident[at]
    first = _auroc(ranks, flips, dissident, held, at), _lift(ranks, flips, dissident, held, at)
    if not with_kendall:
        return *first, Figure(math.nan, np.full(held.runs, math.nan), np.zeros(len(at)), at)
    drawn = np.flatnonzero(known[held.drawn])
    its_ranks = ranks if len(drawn) == len(at) else Ranks.of(values[held.drawn[drawn]])
    tau = kendall_figure(its_ranks, held.levels[drawn], held.drawn[drawn], held, drawn)
    return *first, tau


def _auroc(
    ranks: Ranks,
    flips: Bool[np.ndarray, " sample"],
    dissident: Int[np.ndarray, " sample"],
    held: HeldOut,
    at: Int[np.ndarray, " sample"],
) -> Figure:
    value = auroc_of(ranks, flips)
    yes, samples = int(flips.sum()), len(flips)
    # Those who flip only because of one other run: without it they are among those that do not.
    fewer = yes - _of_each(dissident, np.ones(samples), held.runs)
    left = int(ranks.doubled[flips].sum()) - _of_each(dissident, ranks.doubled, held.runs)
    with np.errstate(divide="ignore", invalid="ignore"):
        without = (left - fewer * (fewer + 1)) / (2 * fewer * (samples - fewer))
    return Figure(value, _changes(without - value, held), auroc_pull(ranks, flips, value), at)


def _lift(
    ranks: Ranks,
    flips: Bool[np.ndarray, " sample"],
    dissident: Int[np.ndarray, " sample"],
    held: HeldOut,
    at: Int[np.ndarray, " sample"],
) -> Figure:
    yes, samples = int(flips.sum()), len(flips)
    if not yes:
        return Figure(math.nan, np.full(held.runs, math.nan), np.zeros(samples), at)
    top = ranks.top()
    value, weights = lift_of(top, flips), top.weights(samples)
    fewer = yes - _of_each(dissident, np.ones(samples), held.runs)
    found = float(weights @ flips) - _of_each(dissident, weights, held.runs)
    with np.errstate(divide="ignore", invalid="ignore"):
        without = samples * found / (top.count * fewer)
    return Figure(value, _changes(without - value, held), lift_pull(ranks, top, flips), at)


def kendall_figure(
    ranks: Ranks,
    levels: Int[np.ndarray, " sample"],
    at: Int[np.ndarray, " sample"],
    held: HeldOut,
    drawn: Int[np.ndarray, " sample"],
) -> Figure:
    """Return tau-b of ranked values and levels of label entropy."""
    value = kendall_of(ranks, levels)
    without = np.full(held.runs, math.nan)
    for other, its_levels in held.without.items():
        without[other] = kendall_of(ranks, its_levels[drawn])
    return Figure(value, _changes(without - value, held), kendall_pull(ranks, levels), at)


def auroc_pull(ranks: Ranks, flips: Bool[np.ndarray, " sample"], value: float) -> Float[np.ndarray, " sample"]:
    """Return by how much the AUROC changes with the weight of each sample, [sample].

    A sample's placement, the share of the other kind that it is on the right side of, less the AUROC, over the number
    of its own kind: DeLong's components.
    """
    yes, no = int(flips.sum()), int((~flips).sum())
    if not yes or not no:
        return np.zeros(len(flips))
    placement = (ranks.agreement(flips.astype(np.int64)) / np.where(flips, no, yes) + 1) / 2
    return np.asarray((placement - value) / np.where(flips, yes, no))


def lift_pull(ranks: Ranks, top: Top, flips: Bool[np.ndarray, " sample"]) -> Float[np.ndarray, " sample"]:
    """Return by how much the lift changes with the weight of each sample, [sample].

    A sample that comes in moves the cut, where other samples then leave the tenth or enter it. How many of these flip
    is taken from those that are ranked around the cut, as far as half a tenth to each side.
    """
    samples = len(flips)
    weights = top.weights(samples)
    found, yes, share = float(weights @ flips), int(flips.sum()), top.count / samples
    if not found:
        return np.zeros(samples)
    cut, reach = samples - top.count, -(-top.count // 2)
    low, high = int(ranks.first[max(cut - reach, 0)]), int(ranks.end[min(cut + reach, samples) - 1])
    around = ranks.order[low:high] if len(top.tied) < reach else top.tied
    at_cut = float(flips[around].mean())
    pull = (weights * (flips - at_cut) + share * at_cut) / found - flips / yes
    return np.asarray(lift_of(top, flips) * pull)


def kendall_pull(ranks: Ranks, levels: Int[np.ndarray, " sample"]) -> Float[np.ndarray, " sample"]:
    """Return by how much tau-b changes with the weight of each sample, [sample]."""
    of_values, of_levels = ranks.differing, differing(levels)
    both = math.sqrt(int(of_values.sum()) * int(of_levels.sum()))
    if not both:
        return np.zeros(len(levels))
    agreement = ranks.agreement(levels)
    tied = of_values / of_values.sum() + of_levels / of_levels.sum()
    return np.asarray(2 * agreement / both - int(agreement.sum()) / both * tied)


def _of_each(
    dissident: Int[np.ndarray, " sample"], weights: Float[np.ndarray, " sample"], runs: int
) -> Float[np.ndarray, " run"]:
    """Return the sum of weights over the samples on which each run is the only dissident, [run]."""
    some = dissident >= 0
    return np.asarray(np.bincount(dissident[some], weights[some], minlength=runs))


def _changes(changes: Float[np.ndarray, " run"], held: HeldOut) -> Float[np.ndarray, " run"]:
    changes[held.run] = math.nan
    return changes if held.runs >= _FEWEST else np.full(held.runs, math.nan)
