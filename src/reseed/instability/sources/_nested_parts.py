"""Nested measures as sums over training sets, from which they are known without any set, any run, or both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from reseed.instability.labels._counts import blocks

_BLOCK = 1 << 20  # numbers that are worked on at a time
_OF_SETS = ("inconsistency", "seed_variance", "seed_churn")  # means over sets; the others are over pairs of sets


@dataclass(frozen=True, eq=False)
class LeftOut:
    """A measure of each sample, and the same with something left out; NaN where too little is left.

    Attributes:
        whole: of all training sets and runs, [sample].
        no_set: without set k, [training_set, sample].
        no_run: without run r of every set, [run, sample].
        neither: without both, [training_set, run, sample].
    """

    whole: NDArray[np.float64]
    no_set: NDArray[np.float64]
    no_run: NDArray[np.float64]
    neither: NDArray[np.float64]

    def with_(self, other: LeftOut, function: Callable[[Any, Any], Any]) -> LeftOut:
        """Returns a function of two measures."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return LeftOut(*(np.asarray(function(one, two)) for one, two in pairs))

    def means(self) -> LeftOut:
        """Returns the means over samples."""
        return LeftOut(*(values.mean(axis=-1) for values in vars(self).values()))


def left_out(probabilities: NDArray[np.floating], epsilon: float | None) -> dict[str, LeftOut]:
    """Returns the measures of checked distributions [training_set, run, sample, class] by name.

    Those are `inconsistency`, `instability`, `seed_variance`, `total_variance`, `seed_churn` and `churn`; divergences
    that are infinite somewhere are NaN or infinite there.
    """
    sets, runs, samples, classes = probabilities.shape
    without = [None, *(range(runs) if runs > 2 else ())]
    found = {}
    for place, run in enumerate(without):
        kept = [other for other in range(runs) if other != run]
        for some in _ranges(samples, sets * len(kept) * classes):
            p = probabilities[:, kept, some].astype(np.float64)
            labels = p.argmax(axis=-1)
            mixed = p if epsilon is None else (1 - epsilon) * p + epsilon / classes
            for name, part in {**_divergences(mixed), **_variances(p), **_churns(labels)}.items():
                if name not in found:
                    found[name] = np.empty((len(without), sets, samples))
                found[name][place, :, some] = part
    return {name: _left(parts, name in _OF_SETS, runs > 2) for name, parts in found.items()}


def _ranges(samples: int, size: int) -> Iterator[slice]:
    step = max(1, _BLOCK // size)
    return (slice(start, start + step) for start in range(0, samples, step))


def _left(parts: NDArray[np.float64], of_sets: bool, has_runs: bool) -> LeftOut:
    """Returns a measure from the sets' parts of it [left_out, training_set, sample], of all runs and without each."""
    sets = parts.shape[1]
    total = parts.sum(axis=1)
    whole = total / (sets if of_sets else sets * (sets - 1))
    nothing = np.full((0, parts.shape[2]), np.nan)
    no_set = np.full((len(parts), 0, parts.shape[2]), np.nan)
    if sets > 2:
        with np.errstate(invalid="ignore"):  # infinite less infinite
            left = total[:, None] - parts * (1 if of_sets else 2)
        no_set = left / (sets - 1 if of_sets else (sets - 1) * (sets - 2))
    no_run = whole[1:] if has_runs else nothing
    return LeftOut(whole[0], no_set[0], no_run, no_set[1:].swapaxes(0, 1))


def _divergences(p: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Returns the mean divergence of two runs of each set, and the sums of those of each set's mean with others'."""
    sets, runs = p.shape[:2]
    of_set, own, logs = p.mean(axis=1), xlogy(p, p).sum(axis=(1, 3)), _logs(p)
    inside = runs * own - (p.sum(axis=1) * logs.sum(axis=1)).sum(axis=-1)
    middle, middle_logs = xlogy(of_set, of_set).sum(axis=-1), _logs(of_set)
    away = sets * middle - (of_set * middle_logs.sum(axis=0)).sum(axis=-1)
    towards = middle.sum(axis=0) - (of_set.sum(axis=0) * middle_logs).sum(axis=-1)
    between = (away + towards) / 2  # both ways, so that a pair counts alike for either
    return {
        "inconsistency": np.where(_rules_out(p.swapaxes(0, 1)), np.inf, np.maximum(inside, 0) / (runs * (runs - 1))),
        "instability": np.where(_rules_out(of_set), np.inf, np.maximum(between, 0)),
    }


def _logs(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(np.where(p > 0, p, 1.0))


def _rules_out(p: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tells where one of the models on the first axis rules a class out that another does not."""
    is_zero = p == 0
    return np.asarray((is_zero.any(axis=0) & ~is_zero.all(axis=0)).any(axis=-1))


def _variances(p: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Returns the variance between each set's runs, and half the mean squared distances to the runs of other seeds."""
    sets, runs = p.shape[:2]
    p = p - p[0, 0]  # distances stay, and equal runs give exactly 0
    squares, of_set, of_run = (p**2).sum(axis=(1, 3)), p.sum(axis=1), p.sum(axis=0)
    inside = runs * squares - (of_set**2).sum(axis=-1)
    # Products with the runs of all other sets, less those of the same seed.
    shared = (of_set * of_set.sum(axis=0)).sum(axis=-1) - (of_set**2).sum(axis=-1)
    shared -= (p * of_run).sum(axis=(1, 3)) - squares
    apart = (runs - 1) * ((sets - 2) * squares + squares.sum(axis=0)) - 2 * shared
    return {
        "seed_variance": np.maximum(inside, 0) / (runs * (runs - 1)),
        "total_variance": np.maximum(apart, 0) / (2 * runs * (runs - 1)),
    }


def _churns(labels: NDArray[np.integer]) -> dict[str, NDArray[np.float64]]:
    """Returns the share of differing pairs of each set's runs, and the sum of those with other sets and seeds."""
    sets, runs, samples = labels.shape
    alike_in_set = np.stack([_alike(of_set) for of_set in labels])
    alike_in_run = np.stack([_alike(labels[:, run]) for run in range(runs)], axis=1)
    alike = _alike(labels.reshape(sets * runs, samples)).reshape(labels.shape)
    elsewhere = alike - alike_in_set - alike_in_run + 1  # in other sets and of other seeds: the label itself is in all
    return {
        "seed_churn": (runs - alike_in_set).sum(axis=1) / (runs * (runs - 1)),
        "churn": ((sets - 1) * (runs - 1) - elsewhere).sum(axis=1) / (runs * (runs - 1)),
    }


def _alike(labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """Returns how many models give a sample the label that each gives it, itself included, [model, sample]."""
    counts = np.full(labels.shape, len(labels))
    for block in blocks(labels):
        counts[:, block.positions] = block.own()
    return counts
