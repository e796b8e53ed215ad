"""What changes where one model takes another's place: churn, negative flips, wins, and what of it is no accident."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Bool, Float, Shaped

from reseed._arrays import ArrayLike, brief
from reseed._errors import InputError
from reseed._labels import encode, label_array, same_shape
from reseed.instability.gate._between import Between, between, differs, is_lost, within
from reseed.instability.gate._reseeding import ENOUGH_RUNS, Excess, excess
from reseed.statistics import (
    Estimate,
    balance_interval,
    least_detectable,
    mcnemar_p_value,
    mean_variance,
    share_interval,
    two_way,
)


@dataclass(frozen=True, eq=False)
class Correctness:
    """What a change does to correctness, over the samples whose gold label is known.

    Attributes:
        samples: How many these are.
        old_accuracy: Share of right answers before.
        new_accuracy: Share of right answers now.
        difference: The latter less the former, samples paired. A side of one run is taken to vary as the other side's
            runs do, where there are such.
        wins: Share of samples that were wrong and are right.
        negative_flips: Share of samples that were right and are wrong.
        p_value: Of McNemar's exact test; over several pairs of runs twice their median p-value, which is valid however
            pairs depend on each other.
        pairs: Over how many pairs of runs that is.
        beyond: Negative flips beyond those of reseeding; None where no side has three runs.
        least_detectable: The smallest difference of accuracy that would have been told from 0 with a probability of
            80 %.
    """

    samples: int
    old_accuracy: Estimate
    new_accuracy: Estimate
    difference: Estimate
    wins: Estimate
    negative_flips: Estimate
    p_value: float
    pairs: int
    beyond: Excess | None
    least_detectable: float

    @property
    def is_worse(self) -> bool:
        """Whether accuracy is lower by more than chance: McNemar's test for two single runs, else the interval."""
        if self.pairs == 1:
            return self.difference.value < 0 and self.p_value < 1 - _LEVEL
        return self.difference.high < 0


@dataclass(frozen=True, eq=False)
class Replacement:
    """What changes where one model takes another's place.

    Attributes:
        old_runs: Runs of the model before.
        new_runs: Runs of its replacement.
        samples: Samples that both answer.
        churn: Share of samples and pairs of runs whose answers differ.
        beyond: Churn beyond that of reseeding; None where no side has three runs.
        correctness: What it does to correctness; None where no gold label is known.
    """

    old_runs: int
    new_runs: int
    samples: int
    churn: Estimate
    beyond: Excess | None
    correctness: Correctness | None

    @property
    def resampled(self) -> str:
        """What intervals cover, in words: other samples, and other runs of the sides that have several."""
        several = [name for name, runs in (("OLD", self.old_runs), ("NEW", self.new_runs)) if runs > 1]
        return f"samples and runs of {' and '.join(several)}" if several else "samples"


_LEVEL = 0.95


def replacement(
    old: ArrayLike, new: ArrayLike, targets: ArrayLike | None = None, *, known: ArrayLike | None = None
) -> Replacement:
    """Returns what changes where a model takes another's place, with 95 % intervals.

    With a run r of OLD, s of NEW, C(r, s) their churn, and J(OLD) the mean churn of two runs of OLD,

        churn = mean over r, s of C(r, s)
        beyond reseeding = churn - J(OLD), or churn - J(NEW), or churn - (J(OLD) + J(NEW)) / 2

    whichever side has three or more runs; of the last, the expectation is half the squared distance between how often
    runs of each side give each answer, and 0 only where these are equal. If NEW is one more run of OLD's recipe, the
    expectation is 0 in all cases. Negative flips have such an excess too.

    Intervals cover other samples, and other runs of the sides that have several, see `share_interval` and
    `balance_interval`; those beyond reseeding cover runs of both sides, of which a single one, or two, are taken to
    vary as those of the other side.

    Args:
        old: labels of the model before [run, sample] or [sample], integers or strings.
        new: labels of its replacement, samples in the same order.
        targets: gold labels [sample]; default: none is known.
        known: which of them are, [sample]; default: all.

    Raises:
        InputError: no samples, different samples, or labels that are neither whole numbers nor strings.

    Example:
        >>> found = replacement(["a", "b", "b", "a"], ["a", "b", "a", "b"], ["a", "b", "b", "b"])
        >>> found.churn.value, found.correctness.wins.value, found.correctness.negative_flips.value
        (0.5, 0.25, 0.25)
        >>> found.correctness.p_value, found.beyond, found.resampled
        (1.0, None, 'samples')

    References:
        Milani Fard et al., "Launch and Iterate: Reducing Prediction Churn", NeurIPS 2016. Yan et al.,
        "Positive-Congruent Training: Towards Regression-Free Model Updates", CVPR 2021. Vovk and Wang, "Combining
        p-values via averaging", Biometrika 2020 (twice the median).
    """
    before, after = _batch(old, "old"), _batch(new, "new")
    same_shape(before[0], after[0], ("each run of old", "each run of new"))
    if not before.shape[1]:
        raise InputError("old and new hold no samples; pass labels [run, sample] of at least one.")
    correctness = None
    if targets is not None:
        gold = label_array(targets, "targets")
        same_shape(before[0], gold, ("each run of old", "targets"))
        is_known = np.ones(len(gold), bool) if known is None else np.asarray(known, bool)
        if is_known.any():
            correctness = _correctness((before == gold)[:, is_known], (after == gold)[:, is_known])
    codes = encode(np.concatenate([before, after]))[0]
    before, after = codes[: len(before)], codes[len(before) :]
    crossed = between(before, after, differs)
    found = excess(crossed, _within(before), _within(after))
    return Replacement(len(before), len(after), before.shape[1], _share(crossed), found, correctness)


def _batch(labels: ArrayLike, name: str) -> Shaped[np.ndarray, "run sample"]:
    array = label_array(labels, name)
    array = array[None] if array.ndim == 1 else array
    if array.ndim != 2 or not len(array):
        raise InputError(f"{name} must be [run, sample] or [sample], got {brief(array)}.")
    return array


def _correctness(old: Bool[np.ndarray, "run known"], new: Bool[np.ndarray, "run known"]) -> Correctness:
    lost, won = between(old, new, is_lost), between(~old, ~new, is_lost)
    difference, degrees = _difference(old.astype(float), new.astype(float), won.value, lost.value)
    pairs = [
        mcnemar_p_value(int(np.count_nonzero(~before & after)), int(np.count_nonzero(before & ~after)))
        for before, after in product(old, new)
    ]
    halves = [None if batch is None else batch / 2 for batch in (_within(old), _within(new))]
    return Correctness(
        samples=old.shape[1],
        old_accuracy=_mean_share([old.astype(float)], old.mean(0)),
        new_accuracy=_mean_share([new.astype(float)], new.mean(0)),
        difference=difference,
        wins=_share(won),
        negative_flips=_share(lost),
        p_value=pairs[0] if len(pairs) == 1 else min(1.0, 2 * float(np.median(pairs))),
        pairs=len(pairs),
        beyond=excess(lost, *halves),
        least_detectable=least_detectable(difference.standard_error, degrees),
    )


def _within(labels: Shaped[np.ndarray, "run sample"]) -> Float[np.ndarray, "run sample"] | None:
    return within(labels) if len(labels) >= ENOUGH_RUNS else None


def _share(crossed: Between) -> Estimate:
    return _mean_share([crossed.old, crossed.new], crossed.samples)


def _mean_share(batches: Sequence[Float[np.ndarray, "run sample"]], values: Float[np.ndarray, " sample"]) -> Estimate:
    """Returns the mean of values [sample], whose runs vary as each of some batches with several runs says."""
    varying = [batch for batch in batches if len(batch) > 1]
    parts = [_over_runs(batch, 1 / len(batch)) for batch in varying]
    variance, degrees = _combined(parts, values)
    method, runs = ("two-way", min(map(len, varying))) if varying else ("samples", 1)
    return share_interval(float(values.mean()), variance, method, runs, len(values), degrees=degrees)


def _difference(
    old: Float[np.ndarray, "run known"], new: Float[np.ndarray, "run known"], wins: float, losses: float
) -> tuple[Estimate, float]:
    """Returns by how much accuracy rose, and the degrees of freedom of its variance."""
    several = [batch for batch in (old, new) if len(batch) > 1]
    parts = []
    for batch in (old, new):
        if several:
            parts.append(_over_runs(batch if len(batch) > 1 else several[0], 1 / len(batch)))
    values = new.mean(0) - old.mean(0)
    variance, degrees = _combined(parts, values)
    method, runs = ("two-way", min(map(len, several))) if several else ("samples", 1)
    return balance_interval(wins, losses, variance, method, runs, len(values), degrees=degrees), degrees


@dataclass(frozen=True)
class _OverRuns:
    """The variance of a mean over other runs, how much of it each sample has on its own, and degrees of freedom."""

    variance: float
    own: float
    degrees: int


def _over_runs(values: Float[np.ndarray, "run sample"], share: float) -> _OverRuns:
    """Returns what the mean over one run in ``share`` varies by."""
    runs, samples = values.shape
    variance = float(values.mean(1).var(ddof=1)) * share
    return _OverRuns(variance, float(values.var(0, ddof=1).sum()) * share / samples**2, runs - 1)


def _combined(parts: Sequence[_OverRuns], values: Float[np.ndarray, " sample"]) -> tuple[float, float]:
    """Returns a variance over runs and samples, and its degrees of freedom."""
    samples = len(values)
    over_samples = mean_variance(values) if samples > 1 else 0.0
    of_runs = [(part.variance, part.degrees) for part in parts]
    return two_way(of_runs, over_samples, sum(part.own for part in parts), samples)
