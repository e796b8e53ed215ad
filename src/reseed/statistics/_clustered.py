"""Is the instability spread at random over the samples, or does it sit in some groups of them?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reseed._arrays import ArrayLike, Result, give_back, undefined
from reseed._errors import InputError
from reseed._numbers import is_whole
from reseed.statistics._groups import values_and_groups

_BLOCK = 1 << 21  # permuted values held at once: 16 MiB
# The same permutation summed in another order differs in the last bits; it still counts as a tie.
_TIE = 1e-9


@dataclass(frozen=True)
class ClusteringTest:
    """How much of a per-sample measure its groups explain, against chance; groups in ascending order.

    Attributes:
        statistic: between-group share of the variance (eta squared), in [0, 1].
        p_value: chance of at least this share if the values were dealt to the samples at random.
        null_mean: mean share over the random dealings; near (groups - 1) / (samples - 1).
        null_quantile: the share that 95 % of the random dealings stay below or reach.
        group: the groups' names, numpy [group].
        count: samples in each, [group].
        mean: mean value of each, [group].
        excess: mean value of each less that of all samples, [group].
        corrected_p_value: chance that any group at all stands out upwards as much as this one does, [group].
        permutations: random dealings made.
    """

    statistic: float
    p_value: float
    null_mean: float
    null_quantile: float
    group: np.ndarray
    count: Result
    mean: Result
    excess: Result
    corrected_p_value: Result
    permutations: int


def clustering_test(values: ArrayLike, groups: ArrayLike, *, permutations: int = 999, seed: int = 0) -> ClusteringTest:
    """Tests whether a per-sample measure differs between groups of samples more than chance would have it.

    With n_g samples and mean m_g in group g, and m the mean of all:

        eta^2 = sum_g n_g (m_g - m)^2 / sum_i (x_i - m)^2

    It grows with the number of groups even where nothing is there, so it is compared with B random dealings of
    the same values to the same samples: p = (1 + dealings with at least this share) / (1 + B), which is never 0.
    A group stands out by z_g = (m_g - m) / SE_g, where SE_g is the exact standard deviation of m_g over all
    dealings; its corrected p compares z_g with the largest z of any group in each dealing, so that the chance of
    one or more false alarms among all groups is held (Westfall and Young's single step; one-sided, upwards).

    The test takes the samples as exchangeable. It speaks of the values as measured: groups that were made from
    the same runs' predictions can differ because of how they were made.

    Args:
        values: a measure [sample], such as label entropy.
        groups: the group of each sample [sample], strings or integers.
        permutations: random dealings B, at least 1.
        seed: where the dealings start.

    Returns:
        The test and its groups. NaN, with a warning, where all values are equal, there are no samples, or all
        are in one group.

    Raises:
        InputError: values that are not finite numbers, arrays that are not one-dimensional and of one length, or
            permutations or seed out of range.

    Example:
        >>> found = clustering_test([0.0, 0.0, 0.0, 0.0, 0.7, 0.7, 0.7, 0.7], ["a"] * 4 + ["b"] * 4)
        >>> round(found.statistic, 4), found.p_value < 0.05, found.excess.round(4)
        (1.0, True, array([-0.35,  0.35]))

    References:
        Phipson and Smyth, "Permutation P-values should never be zero", Statistical Applications in Genetics and
        Molecular Biology 2010. Westfall and Young, "Resampling-Based Multiple Testing", 1993.
    """
    numbers, keys = _checked(values, groups)
    if not is_whole(permutations) or permutations < 1:
        raise InputError(f"permutations must be a whole number of at least 1, got {permutations!r}; pass about 999.")
    if not is_whole(seed) or seed < 0:
        raise InputError(f"seed must be a whole number of at least 0, got {seed!r}; pass for example 0.")
    names, place = np.unique(keys, return_inverse=True)
    samples, count = len(numbers), np.bincount(place, minlength=len(names))
    mean = np.bincount(place, weights=numbers, minlength=len(names)) / count
    if samples == 0 or len(names) < 2 or (numbers == numbers[0]).all():
        reason = "values are all equal" if samples and len(names) > 1 else "groups holds fewer than two groups"
        undefined(f"{reason}; whether the values cluster is undefined and the test is NaN.")
        nothing, none = float("nan"), give_back(np.full(len(names), np.nan), values)
        excess = give_back(mean - mean @ count / max(samples, 1), values)
        return ClusteringTest(
            nothing,
            nothing,
            nothing,
            nothing,
            names,
            give_back(count, values),
            give_back(mean, values),
            excess,
            none,
            permutations,
        )
    centre = numbers.mean()
    spread = numbers - centre
    widest = np.abs(spread).max()  # divided by first, so that no square overflows
    scale = float(widest * np.sqrt(np.sum((spread / widest) ** 2)))
    spread = spread / scale  # total sum of squares 1: eta squared needs no division
    # Sums of n_g of N values drawn without replacement have variance n_g (N - n_g) / (N (N - 1)) times the total.
    deviation = np.sqrt(count * (samples - count) / (samples * (samples - 1)))
    sums = np.bincount(place, weights=spread, minlength=len(names))
    share, standing = float(sums**2 @ (1 / count)), sums / deviation
    shares, largest = _dealt(spread, count, deviation, permutations, seed)
    reached = standing - _TIE * np.maximum(1.0, np.abs(standing))
    above = permutations - np.searchsorted(np.sort(largest), reached)
    return ClusteringTest(
        min(share, 1.0),
        float((1 + np.count_nonzero(shares >= share * (1 - _TIE))) / (1 + permutations)),
        float(shares.mean()),
        float(np.quantile(shares, 0.95, method="inverted_cdf")),
        names,
        give_back(count, values),
        give_back(mean, values),
        give_back(mean - centre, values),
        give_back((1 + above) / (1 + permutations), values),
        permutations,
    )


def _checked(values: ArrayLike, groups: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.generic]]:
    """Returns both arrays; raises on what cannot be tested."""
    numbers, keys = values_and_groups(values, groups)
    numbers = numbers.astype(np.float64)
    if not np.isfinite(numbers).all():
        place = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise InputError(f"values holds {numbers[place]} at position {place}; leave such samples out of both arrays.")
    return numbers, keys


def _dealt(
    spread: NDArray[np.float64], count: NDArray[np.int64], deviation: NDArray[np.float64], permutations: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the variance share and the largest standardised excess of each random dealing, [permutation]."""
    rng = np.random.default_rng(seed)
    starts, weight = np.concatenate(([0], np.cumsum(count)[:-1])), 1 / count
    # All dealings of one sample to each group are alike.
    distinct = 1 if len(count) == len(spread) else permutations
    shares, largest = np.empty(distinct), np.empty(distinct)
    rows = max(1, _BLOCK // len(spread))
    for begin in range(0, distinct, rows):
        block = np.tile(spread, (min(rows, distinct - begin), 1))
        for row in block:  # the same draws as `permuted` along the samples, in half the time
            rng.shuffle(row)
        # Which samples make up a group does not matter to a random dealing: groups take consecutive values.
        sums = np.add.reduceat(block, starts, axis=1)
        shares[begin : begin + rows] = sums**2 @ weight
        largest[begin : begin + rows] = (sums / deviation).max(1)
    return np.resize(shares, permutations), np.resize(largest, permutations)
