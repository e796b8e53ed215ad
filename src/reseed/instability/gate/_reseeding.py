"""What reseeding alone changes, and how much more than that one model in the place of another does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from reseed.instability.gate._between import Between
from reseed.statistics import (
    Estimate,
    interval,
    least_detectable,
    mean_variance,
    share_interval,
    two_way,
)

ENOUGH_RUNS = 3
"""With two runs there is one pair of them, which does not say how much pairs differ."""


@dataclass(frozen=True)
class Excess:
    """What reseeding alone changes, and what is beyond it.

    Attributes:
        reseeding: what two runs of the same side differ by.
        beyond: by how much the change from OLD to NEW exceeds that.
        least_detectable: the smallest excess that would have been told from 0 with a probability of 80 %.
        unevenness: standard error of the reseeding that runs as a whole make, as a share of it: that of all beyond what
            independent samples would make.
        sides: whose runs say what reseeding changes: "old", "new" or "both".
    """

    reseeding: Estimate
    beyond: Estimate
    least_detectable: float
    unevenness: float
    sides: str


def excess(
    crossed: Between,
    old: Float[np.ndarray, "run sample"] | None,
    new: Float[np.ndarray, "run sample"] | None,
    *,
    level: float = 0.95,
) -> Excess | None:
    """Returns by how much a change exceeds what reseeding alone does; None where no side has three runs.

    Args:
        crossed: the change between the sides.
        old: the same between each run of OLD and its other runs, [run, sample]; None of a single run.
        new: the same of NEW.
        level: of the intervals.
    """
    sides = {
        name: batch for name, batch in (("old", old), ("new", new)) if batch is not None and len(batch) >= ENOUGH_RUNS
    }
    if not sides:
        return None
    batches = list(sides.values())
    samples = batches[0].shape[1]
    base = np.mean([batch.mean(0) for batch in batches], axis=0)
    if len(sides) == 2:
        moved = [_moved_in_both(crossed.old, batches[0]), _moved_in_both(crossed.new, batches[1])]
        parts = [(_variance_of_sum(run), len(run) - 1) for run in moved]
        own = sum(_own(run) for run in moved)
        which = "both"
    else:
        (which, batch), others = next(iter(sides.items())), len(crossed.new if "old" in sides else crossed.old)
        effect = (batch - batch.mean(0)) * (len(batch) - 1) / (len(batch) - 2)
        scale = (1 / len(batch) + 1 / others) / (len(batch) - 1)
        parts = [(float(scale * (effect.mean(1) ** 2).sum()), len(batch) - 1)]
        own = float(scale * (effect**2).sum()) / samples**2
    values = crossed.samples - base
    variance, degrees = _two_way(values, parts, own)
    runs = min(map(len, batches))
    beyond = interval(
        float(values.mean()), variance, "two-way", runs, samples, level=level, bottom=-1.0, top=1.0, degrees=degrees
    )
    reseeding, unevenness = _reseeding(batches, level)
    least = least_detectable(beyond.standard_error, degrees, level=level)
    return Excess(reseeding, beyond, least, unevenness, which)


def _moved_in_both(
    crossed: Float[np.ndarray, "run sample"], own: Float[np.ndarray, "run sample"]
) -> Float[np.ndarray, "run sample"]:
    """Returns what each run contributes to the change less half of what its side's runs differ by, about its mean."""
    runs = len(own)
    return np.asarray((crossed - crossed.mean(0)) / (runs - 1) - (own - own.mean(0)) / (runs - 2))


def _variance_of_sum(moved: Float[np.ndarray, "run sample"]) -> float:
    """Returns the jackknife variance of what leaving each run out moves."""
    runs = len(moved)
    return float((runs - 1) / runs * (moved.mean(1) ** 2).sum())


def _own(moved: Float[np.ndarray, "run sample"]) -> float:
    runs, samples = moved.shape
    return float((runs - 1) / runs * (moved**2).sum() / samples**2)


def _two_way(values: Float[np.ndarray, " sample"], parts: list[tuple[float, int]], own: float) -> tuple[float, float]:
    """Returns the variance over runs and samples, and its degrees of freedom."""
    over_samples = mean_variance(values) if len(values) > 1 else 0.0
    return two_way(parts, over_samples, own, len(values))


def _reseeding(batches: list[Float[np.ndarray, "run sample"]], level: float) -> tuple[Estimate, float]:
    """Returns how much the runs of a side differ, the mean of both where both have several, and its unevenness."""
    share, values = 1 / len(batches), np.mean([batch.mean(0) for batch in batches], axis=0)
    # Leaving a run out takes both of its ends off each pair.
    moved = [2 * share * (batch - batch.mean(0)) / (len(batch) - 2) for batch in batches]
    parts, own = [(_variance_of_sum(run), len(run) - 1) for run in moved], sum(map(_own, moved))
    variance, degrees = _two_way(values, parts, own)
    value, runs = float(values.mean()), min(map(len, batches))
    common = max(0.0, sum(part for part, _ in parts) - own)
    unevenness = float(np.sqrt(common)) / value if value else 0.0
    return share_interval(value, variance, "two-way", runs, len(values), degrees=degrees, level=level), unevenness
