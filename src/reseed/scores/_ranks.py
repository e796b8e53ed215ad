"""Values of samples in order, and how far their order agrees with another one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int, Integer

from reseed._arrays import ArrayLike, brief, float_array
from reseed._errors import InputError

TENTH = 10  # a lift is that of the tenth ranked highest


@final
@dataclass(frozen=True, eq=False)
class Ranks:
    """Values of samples, sorted once for all that is asked of their order.

    Attributes:
        order: The samples by ascending value, [sample].
        first: For each of `order`, where the samples of the same value begin in it, [sample].
        end: Where they end, [sample].
    """

    order: Int[np.ndarray, " sample"]
    first: Int[np.ndarray, " sample"]
    end: Int[np.ndarray, " sample"]

    @classmethod
    def of(cls, values: Float[np.ndarray, " sample"]) -> Ranks:
        """Sort values, none of them NaN."""
        order = np.argsort(values, kind="stable")
        return cls(order, *_blocks(values[order]))

    @cached_property
    def doubled(self) -> Int[np.ndarray, " sample"]:
        """Twice the rank of each sample, from 1 on, tied samples at the middle of their ranks: whole numbers."""
        return self._in_place(self.first + self.end + 1)

    @cached_property
    def differing(self) -> Int[np.ndarray, " sample"]:
        """How many samples have another value than each."""
        return self._in_place(len(self.order) - (self.end - self.first))

    def agreement(self, levels: Int[np.ndarray, " sample"]) -> Int[np.ndarray, " sample"]:
        """Return for each sample how many others the two orders place on the same side of it, less on opposite sides.

        With v the values and l the levels, sum_j sign(v_i - v_j) sign(l_i - l_j). Half of its sum is the numerator of
        Kendall's tau. A pair of levels differs first in one of their bits, counted from the highest one; bit by bit,
        those samples are counted whose levels are alike down to there, in time of samples times bits.

        Args:
            levels: Whole numbers from 0 on; the fewer bits they have the faster.
        """
        codes = levels[self.order]
        found = np.zeros(len(codes), np.int64)
        everywhere, some = np.arange(len(codes)), np.flatnonzero(codes)
        # Most samples are of level 0: apart from the others they are counted once, not once a bit.
        self._count(found, everywhere, (codes > 0).astype(np.int64))
        for bit in reversed(range(int(codes.max(initial=0)).bit_length())):
            some = self._count(found, some, codes[some] >> bit)
        return self._in_place(found)

    def _count(
        self, found: Int[np.ndarray, " sample"], at: Int[np.ndarray, " place"], bits: Int[np.ndarray, " place"]
    ) -> Int[np.ndarray, " place"]:
        """Add what the lowest bit tells of places in `order`, sorted by the bits above it; sort them by it as well."""
        is_one = (bits & 1).astype(bool)
        start, stop = _blocks(bits >> 1)
        low, high = _blocks((bits >> 1) * len(self.order) + self.first[at])
        ones = np.concatenate(([0], np.cumsum(is_one)))
        ones_below, ones_above = ones[low] - ones[start], ones[stop] - ones[high]
        zeros_below, zeros_above = low - start - ones_below, stop - high - ones_above
        found[at] += np.where(is_one, zeros_below - zeros_above, ones_above - ones_below)
        ones_before, ones_inside = ones[:-1] - ones[start], ones[stop] - ones[start]
        sorted_at = np.empty_like(at)
        sorted_at[np.where(is_one, stop - ones_inside + ones_before, np.arange(len(at)) - ones_before)] = at
        return sorted_at

    def top(self) -> Top:
        """Return the tenth ranked highest."""
        samples = len(self.order)
        count = -(-samples // TENTH)
        cut = samples - count
        first, end = int(self.first[cut]), int(self.end[cut])
        return Top(self.order[end:], self.order[first:end], end - cut, count)

    def _in_place(self, values: Int[np.ndarray, " sample"]) -> Int[np.ndarray, " sample"]:
        """Return values in the order of the samples."""
        found = np.empty_like(values)
        found[self.order] = values
        return found


@final
@dataclass(frozen=True, eq=False)
class Top:
    """The tenth of some samples that is ranked highest, ceil(n / 10) of them.

    Attributes:
        above: Samples that are among it, [above].
        tied: Samples of the value at the cut, [tied].
        left: How many of these are among it; each counts by the share ``left / tied``.
        count: How many samples it has.
    """

    above: Int[np.ndarray, " above"]
    tied: Int[np.ndarray, " tied"]
    left: int
    count: int

    def weights(self, samples: int) -> Float[np.ndarray, " sample"]:
        """Return how far each sample is among it, 0 to 1."""
        found = np.zeros(samples)
        found[self.above], found[self.tied] = 1.0, self.left / len(self.tied)
        return found


def auroc(values: ArrayLike, positive: ArrayLike) -> float:
    """Return how likely a positive sample has a larger value than another one, ties counted half.

    The area under the curve of true against false positives, by the ranks r from 1 on of the values, tied ones at the
    middle of theirs: (sum of r over the positive samples - p (p + 1) / 2) / (p (n - p)), with p positive samples of n.

    Args:
        values: Numbers [sample], none of them NaN.
        positive: True or 1 where a sample is positive, [sample].

    Returns:
        0 to 1; 0.5 of equal values; NaN where all samples are positive, or none is.

    Raises:
        InputError: Values that are no numbers, or differ in length from ``positive``.

    Examples:
        >>> auroc([0.1, 0.4, 0.4, 0.9], [0, 0, 1, 1]), auroc([3, 3, 3], [1, 0, 0])
        (0.875, 0.5)
    """
    numbers, is_positive = _pair(values, positive, "positive")
    return auroc_of(Ranks.of(numbers), is_positive != 0)


def lift(values: ArrayLike, positive: ArrayLike) -> float:
    """Return the share of positive samples in the tenth of the largest values, over the share among all.

    The tenth is of ceil(n / 10) samples. Of samples that are tied at its edge each counts by the share of them that
    fits: what breaking ties at random gives on average.

    Args:
        values: Numbers [sample], none of them NaN.
        positive: True or 1 where a sample is positive, [sample].

    Returns:
        0 to 10 or, where n / 10 is not whole, a little less; 1 of equal values; NaN where no sample is positive.

    Raises:
        InputError: Values that are no numbers, or differ in length from ``positive``.

    Examples:
        >>> lift([5, 4, 3, 2, 1, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]), lift([7, 7, 7], [1, 0, 0])
        (5.0, 1.0)
    """
    numbers, is_positive = _pair(values, positive, "positive")
    return lift_of(Ranks.of(numbers).top(), is_positive != 0)


def kendall_tau(values: ArrayLike, other: ArrayLike) -> float:
    """Return Kendall's tau-b of two orders of the same samples.

    With v and w the values, tau-b = sum_(i<j) sign(v_i - v_j) sign(w_i - w_j) / sqrt(V W), where V pairs differ in v
    and W in w.

    Args:
        values: Numbers [sample], none of them NaN.
        other: Further ones [sample].

    Returns:
        -1 to 1; NaN where all values of either are equal.

    Raises:
        InputError: Values that are no numbers, or differ in number.

    Examples:
        >>> round(kendall_tau([1, 2, 3, 4], [0, 0, 1, 0]), 4)
        0.2357
    """
    numbers, others = _pair(values, other, "other")
    return kendall_of(Ranks.of(numbers), np.unique(others, return_inverse=True)[1])


def auroc_of(ranks: Ranks, positive: Bool[np.ndarray, " sample"]) -> float:
    """Return the AUROC of ranked values; see `auroc`."""
    yes = int(positive.sum())
    pairs = yes * (len(positive) - yes)
    return (int(ranks.doubled[positive].sum()) - yes * (yes + 1)) / (2 * pairs) if pairs else math.nan


def lift_of(top: Top, positive: Bool[np.ndarray, " sample"]) -> float:
    """Return the lift in the tenth ranked highest; see `lift`."""
    yes, tied = int(positive.sum()), len(top.tied)
    found = int(positive[top.above].sum()) * tied + int(positive[top.tied].sum()) * top.left
    return len(positive) * found / (top.count * tied * yes) if yes else math.nan  # whole numbers: 1 is exactly 1


def kendall_of(ranks: Ranks, levels: Int[np.ndarray, " sample"]) -> float:
    """Return tau-b of ranked values and whole numbers from 0 on; see `kendall_tau`."""
    pairs = math.sqrt(int(ranks.differing.sum()) * int(differing(levels).sum()))
    return int(ranks.agreement(levels).sum()) / pairs if pairs else math.nan


def differing(levels: Int[np.ndarray, " sample"]) -> Int[np.ndarray, " sample"]:
    """Return how many samples are of another level than each."""
    return np.asarray(len(levels) - np.bincount(levels)[levels]) if len(levels) else levels


def _pair(
    values: ArrayLike, other: ArrayLike, name: str
) -> tuple[Float[np.ndarray, " sample"], Float[np.ndarray, " sample"]]:
    one, two = float_array(values, "values"), float_array(other, name)
    if one.ndim != 1 or one.shape != two.shape or not len(one):
        raise InputError(
            f"values is {brief(one)} and {name} is {brief(two)}; pass two one-dimensional arrays over the same samples."
        )
    return one, two


def _blocks(keys: Integer[np.ndarray, " place"]) -> tuple[Int[np.ndarray, " place"], Int[np.ndarray, " place"]]:
    """Return where the run of equal keys around each place begins and ends."""
    starts = np.flatnonzero(np.concatenate((np.ones(min(len(keys), 1), bool), keys[1:] != keys[:-1])))
    ends = np.append(starts[1:], len(keys))[: len(starts)]
    lengths = ends - starts
    return np.repeat(starts, lengths), np.repeat(ends, lengths)
