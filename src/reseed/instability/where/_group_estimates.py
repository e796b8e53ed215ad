"""Mean label entropy of each of many groups with its interval, in one pass over the samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Integer

from reseed.instability.intervals._leave_one_out import highest, without
from reseed.instability.labels._counts import blocks
from reseed.instability.labels._entropy_table import entropy_table
from reseed.statistics import interval, two_way

_LEVEL = 0.95
_HELD = 1 << 22  # numbers of runs and groups held at once: 32 MiB


@dataclass(frozen=True, eq=False)
class GroupEstimates:
    """Groups' means with their 95 % intervals, as `estimate` gives them one by one.

    Attributes:
        count: samples of each, [group].
        mean: mean label entropy in nats, [group].
        low: lower end, [group]; NaN for a single sample, which says nothing about others.
        high: upper end, [group].
    """

    count: Int[np.ndarray, " group"]
    mean: Float[np.ndarray, " group"]
    low: Float[np.ndarray, " group"]
    high: Float[np.ndarray, " group"]


def group_estimates(
    labels: Integer[np.ndarray, "run sample"],
    entropy: Float[np.ndarray, " sample"],
    place: Int[np.ndarray, " sample"],
    groups: int,
) -> GroupEstimates:
    """Returns the mean label entropy of each group, with the interval that `estimate` gives for it.

    Of three or more runs it covers other runs and other samples, of two other samples only. The work grows with the
    samples and the groups, not with their product.

    Args:
        labels: predicted labels.
        entropy: their label entropy.
        place: number of each sample's group.
        groups: how many there are; none is empty.
    """
    runs = len(labels)
    count = np.bincount(place, minlength=groups)
    mean = np.bincount(place, entropy, groups) / count
    variance = np.bincount(place, (entropy - mean[place]) ** 2, groups) / count**2
    degrees = np.full(groups, np.inf)
    if runs > 2:
        for some, left_out, own in _left_out(labels, place, count):
            over_runs = (runs - 1) / runs * ((left_out - left_out.mean(0)) ** 2).sum(0)
            variance[some], degrees[some] = _both(over_runs, variance[some], own, runs, count[some])
    method, top = "two-way" if runs > 2 else "samples", highest("label_entropy", runs)
    low, high = np.full(groups, np.nan), np.full(groups, np.nan)
    for group in np.flatnonzero(count > 1).tolist():
        found = interval(
            float(mean[group]),
            float(variance[group]),
            method,
            runs,
            int(count[group]),
            level=_LEVEL,
            bottom=0.0,
            top=top,
            degrees=float(degrees[group]),
            root_scale=True,
        )
        low[group], high[group] = found.low, found.high
    return GroupEstimates(count, mean, low, high)


def _both(
    over_runs: Float[np.ndarray, " group"],
    over_samples: Float[np.ndarray, " group"],
    own: Float[np.ndarray, " group"],
    runs: int,
    count: Int[np.ndarray, " group"],
) -> tuple[Float[np.ndarray, " group"], Float[np.ndarray, " group"]]:
    """Returns the variances of groups over runs and samples, and their degrees of freedom."""
    found = [
        two_way([(float(part), runs - 1)], float(sampled), float(shared), int(samples))
        for part, sampled, shared, samples in zip(over_runs, over_samples, own, count, strict=True)
    ]
    variance, degrees = np.reshape(found, (-1, 2)).T
    return variance, degrees


def _left_out(
    labels: Integer[np.ndarray, "run sample"], place: Int[np.ndarray, " sample"], count: Int[np.ndarray, " group"]
) -> Iterator[tuple[slice, Float[np.ndarray, "run group"], Float[np.ndarray, " group"]]]:
    """Yields means of some groups after others when run r is left out, and what of their variance runs do not share."""
    runs, groups = len(labels), len(count)
    entropies = entropy_table(runs, None)
    order, ends = np.argsort(place, kind="stable"), np.concatenate([[0], np.cumsum(count)])
    step = max(1, _HELD // runs)
    for start in range(0, groups, step):
        some = slice(start, min(start + step, groups))
        members = order[ends[some.start] : ends[some.stop]]
        total, own = np.zeros((runs, some.stop - some.start)), np.zeros(some.stop - some.start)
        inside = place[members] - some.start
        for block in blocks(labels[:, members]):
            named, at = np.unique(inside[block.positions], return_inverse=True)
            values = without(block, runs, "label_entropy", entropies)
            for run, value in enumerate(values):
                total[run, named] += np.bincount(at, value, len(named))
            own[named] += np.bincount(at, ((values - values.mean(0)) ** 2).sum(0), len(named))
        yield some, total / count[some], (runs - 1) / runs * own / count[some] ** 2
