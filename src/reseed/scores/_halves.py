"""What many trainings foretell, to compare a single one with: one half of the runs against the other half."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from reseed._arrays import ArrayLike, brief
from reseed._errors import InputError
from reseed._labels import encode, label_array
from reseed.scores._figures import Figure, auroc_pull, dense, draw, kendall_pull, lift_pull
from reseed.scores._foretell import RANGES, Foretold
from reseed.scores._ranks import Ranks, auroc_of, kendall_of, lift_of
from reseed.scores._targets import entropy_levels
from reseed.statistics import Estimate, counted_once, interval, jackknife_variance, no_estimate

_FEWEST = 4
_FEWEST_LEFT = 6  # of a half of three runs one can be left out


def half_of_the_runs(labels: ArrayLike, *, level: float = 0.95) -> Foretold:
    """Measure how well the label entropy over one half of the runs ranks the samples that the other half differs on.

    Both ways, for three ways of halving: what is to be reached by training many times. The variance over runs is that
    of the jackknife, which leaves each run out of its half; of four or five runs the spread over the six comparisons.

    Args:
        labels: Final labels [run, sample] of four runs or more.
        level: Of the intervals.

    Raises:
        InputError: They are no such labels.

    Examples:
        >>> found = half_of_the_runs([[0, 0, 1, 2], [0, 0, 2, 0], [0, 0, 2, 1], [0, 0, 0, 0]])
        >>> round(found.auroc.value, 4), found.runs
        (0.8611, 4)
    """
    codes, _ = encode(label_array(labels))
    if codes.ndim != 2 or len(codes) < _FEWEST:
        raise InputError(
            f"labels must be [run, sample] of {_FEWEST} runs or more to have two halves, got {brief(codes)}."
        )
    runs, samples = codes.shape
    contested = np.flatnonzero((codes != codes[0]).any(0))
    some, drawn = codes[:, contested], draw(samples)

    def levels(part: Int[np.ndarray, " run"]) -> Int[np.ndarray, " sample"]:
        found = np.zeros(samples, np.int64)
        found[contested] = entropy_levels(some[part])
        return dense(found)

    pairs = list(halvings(runs))
    all_levels = [[levels(part) for part in pair] for pair in pairs]
    compared = [found for one, other in all_levels for found in (_three(one, other, drawn), _three(other, one, drawn))]
    left_out = np.full((runs, 3), math.nan)
    for run in range(runs) if runs >= _FEWEST_LEFT else ():
        rows = []
        for pair, known in zip(pairs, all_levels, strict=True):
            one, other = (
                levels(part[part != run]) if run in part else found for part, found in zip(pair, known, strict=True)
            )
            rows += [_values(one, other, drawn), _values(other, one, drawn)]
        left_out[run] = np.mean(rows, 0)
    return Foretold(
        **{
            name: _estimate(name, [figures[place] for figures in compared], left_out[:, place], samples, level)
            for place, name in enumerate(RANGES)
        },
        flipping=float(np.mean([(found > 0).mean() if samples else math.nan for pair in all_levels for found in pair])),
        runs=runs,
        samples=samples,
    )


def halvings(runs: int) -> Iterator[list[Int[np.ndarray, " run"]]]:
    """Yield three ways of halving runs, each as the places of both halves."""
    for order in (np.arange(runs), np.r_[0:runs:2, 1:runs:2], np.roll(np.arange(runs), runs // 4)):
        yield np.array_split(order, 2)


def _values(
    values: Int[np.ndarray, " sample"], levels: Int[np.ndarray, " sample"], drawn: Int[np.ndarray, " drawn"]
) -> tuple[float, ...]:
    ranks, flips = Ranks.of(values), levels > 0
    its_ranks = ranks if len(drawn) == len(values) else Ranks.of(values[drawn])
    return auroc_of(ranks, flips), lift_of(ranks.top(), flips), kendall_of(its_ranks, levels[drawn])


def _three(
    values: Int[np.ndarray, " sample"], levels: Int[np.ndarray, " sample"], drawn: Int[np.ndarray, " drawn"]
) -> tuple[Figure, Figure, Figure]:
    ranks, flips, nothing = Ranks.of(values), levels > 0, np.empty(0)
    its_ranks = ranks if len(drawn) == len(values) else Ranks.of(values[drawn])
    auroc, lift, kendall = _values(values, levels, drawn)
    everywhere = np.arange(len(values))
    return (
        Figure(auroc, nothing, auroc_pull(ranks, flips, auroc), everywhere),
        Figure(lift, nothing, lift_pull(ranks, ranks.top(), flips), everywhere),
        Figure(kendall, nothing, kendall_pull(its_ranks, levels[drawn]), drawn),
    )


def _estimate(
    name: str, compared: list[Figure], left_out: Float[np.ndarray, " run"], samples: int, level: float
) -> Estimate:
    values = np.array([figure.value for figure in compared])
    runs, counted = len(left_out), len(compared[0].at)
    if np.isnan(values).any():
        return no_estimate("two-way", runs, counted)
    pull = np.mean([figure.pull for figure in compared], 0)
    is_known = not np.isnan(left_out).any()
    over_runs = jackknife_variance(left_out) if is_known else float(values.var(ddof=1) / len(values))
    variance = counted_once(over_runs, float(pull @ pull), 0.0)
    bottom, top = RANGES[name]
    return interval(float(values.mean()), variance, "two-way", runs, counted, level=level, bottom=bottom, top=top)
