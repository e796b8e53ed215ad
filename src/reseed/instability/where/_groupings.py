"""Groups of samples to look for instability in: names, bins of numbers, clusters of features."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed.instability.where._k_means import (
    COMPONENTS,
    check_numbers,
    chosen_samples,
    fitted_on,
    k_means,
    sample_blocks,
)

BINS = 5
FEW = 10  # numbers with so few distinct values are groups as they are
_WORDS, _MOST_WORDS = 3, 6
_WIDE = 256  # features; of more the leading components are clustered
_ROUNDING = 1e-12  # a column whose spread is so small beside its mean is constant


@dataclass(frozen=True, eq=False)
class Grouping:
    """Which group each sample is in.

    Attributes:
        names: the groups' names, in the order they are numbered.
        place: number of each sample's group [sample]; -1 for a sample in none.
        about: how the groups were made, in words.
        typical: positions of the samples that each group is named by; empty where names say who is in it.
    """

    names: tuple[str, ...]
    place: NDArray[np.int64]
    about: str
    typical: tuple[tuple[int, ...], ...] = ()


def number_groups(values: NDArray[Any], about: str, *, bins: int = BINS, few: int = FEW) -> Grouping:
    """Groups numbers by value where there are few distinct ones, else into bins that hold about as many samples each.

    Args:
        values: numbers [sample]; NaN is in no group.
        about: what the numbers are, in words.
        bins: bins wanted; fewer where many values are equal.
        few: up to so many distinct values are groups as they are.
    """
    known = ~np.isnan(values)
    distinct, place = np.unique(values[known], return_inverse=True)
    if len(distinct) > few:
        ordered = np.sort(values[known])
        edges = np.unique(ordered[-(-len(ordered) * np.arange(1, bins) // bins) - 1])  # in whole numbers: no rounding
        place = np.unique(np.searchsorted(edges, values[known]), return_inverse=True)[1]
        about = f"{about}, in {int(place.max()) + 1} bins of about as many samples each"
    whole = np.full(len(values), -1, dtype=np.int64)
    whole[known] = place
    names = []
    for group in range(int(place.max(initial=-1)) + 1):
        inside = values[whole == group]
        low, high = _shown(inside.min()), _shown(inside.max())
        names.append(low if low == high else f"{low} to {high}")
    return Grouping(tuple(names), whole, about)


def name_groups(values: Sequence[Any], about: str) -> Grouping:
    """Groups samples by name, in ascending order; None is in no group."""
    names = sorted({str(value) for value in values if value is not None})
    position = {name: index for index, name in enumerate(names)}
    place = [-1 if value is None else position[str(value)] for value in values]
    return Grouping(tuple(names), np.array(place, dtype=np.int64), about)


def feature_clusters(features: NDArray[np.floating[Any]], ids: Sequence[str], *, seed: int = 0) -> Grouping:
    """Clusters samples by numbers that are on one scale; each cluster is named by the samples nearest its centre.

    Args:
        features: numbers [sample, feature], on one scale, such as pixels.
        ids: the samples' ids.
        seed: where k-means starts, and which samples it is fitted on where there are very many.
    """
    check_numbers(features)
    chosen = chosen_samples(len(features), seed)
    narrow = _narrow(features, chosen, seed)
    place, nearest = k_means(narrow, chosen, seed)
    names = tuple(f"like {', '.join(ids[index] for index in some)}" for some in nearest)
    about = f"clusters of inputs ({_method(features, narrow)}), named by the samples nearest the centre"
    return Grouping(names, place, about + fitted_on(len(features)), tuple(map(tuple, nearest)))


def table_clusters(
    columns: NDArray[np.floating[Any]], names: Sequence[str] | None = None, *, seed: int = 0
) -> Grouping:
    """Clusters samples by columns that have units of their own; a cluster is named by the columns that set it apart.

    Each column is scaled to mean zero and standard deviation one. A cluster's name has the columns in which its mean
    is furthest from that of all samples, with the direction.

    Args:
        columns: numbers [sample, column].
        names: what the columns are called; default: their positions, from 0.
        seed: where k-means starts, and which samples it is fitted on where there are very many.
    """
    check_numbers(columns)
    count, width = columns.shape
    chosen = chosen_samples(count, seed)
    fitted = columns[chosen].astype(np.float64)
    centre, spread = fitted.mean(0), fitted.std(0)
    is_constant = spread <= _ROUNDING * np.abs(centre)
    scaled = np.empty(columns.shape, dtype=_precision(columns))
    for rows in sample_blocks(count, width):
        scaled[rows] = (columns[rows].astype(np.float64) - centre) / np.where(is_constant, 1.0, spread)
    scaled[:, is_constant & (columns == columns[:1]).all(0)] = 0.0
    narrow = _narrow(scaled, chosen, seed)
    place, _ = k_means(narrow, chosen, seed)
    called = [f"column {number}" for number in range(width)] if names is None else list(names)
    overall = scaled.mean(0, dtype=np.float64)
    found = []
    for group in range(int(place.max()) + 1):
        apart = scaled[place == group].mean(0, dtype=np.float64) - overall
        most = [index for index in np.argsort(-np.abs(apart), kind="stable").tolist() if abs(apart[index]) > _ROUNDING]
        found.append([f"{'high' if apart[index] > 0 else 'low'} {called[index]}" for index in most])
    about = f"clusters of inputs ({_method(scaled, narrow)}, columns scaled), named by the columns that set them apart"
    return Grouping(distinct_names(found), place, about + fitted_on(count))


def distinct_names(words: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Names groups by their first three words, by up to six where another has the same; numbers what stays alike.

    Args:
        words: those of each group, the most telling first.

    Example:
        >>> distinct_names([["play", "song"], ["song", "play", "loud", "now"], ["play", "song", "loud"], [], []])
        ('play, song', 'song, play, loud', 'play, song, loud (2)', 'like all others', 'like all others (2)')
    """
    found = []
    taken: Counter[frozenset[str]] = Counter()
    for each in words:
        length, most = min(_WORDS, len(each)), min(_MOST_WORDS, len(each))
        while length < most and frozenset(each[:length]) in taken:
            length += 1
        taken[key := frozenset(each[:length])] += 1
        name = ", ".join(each[:length]) or "like all others"
        found.append(name if taken[key] == 1 else f"{name} ({taken[key]})")
    return tuple(found)


def _narrow(features: NDArray[np.floating[Any]], chosen: NDArray[np.int64], seed: int) -> NDArray[np.floating[Any]]:
    """Returns the features, in their place the leading principal components where there are very many."""
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits

    count, width = features.shape
    if width <= _WIDE:
        return features.astype(_precision(features))
    if (features[chosen] == features[:1]).all():  # no direction leads
        return features[:, :1].astype(_precision(features))
    with threadpool_limits(1):  # see `k_means`
        components = min(COMPONENTS, len(chosen), width)
        found = PCA(components, svd_solver="randomized", random_state=seed).fit(features[chosen])
        narrow = np.empty((count, components))
        for rows in sample_blocks(count, width):
            narrow[rows] = found.transform(features[rows])
    return narrow


def _method(features: NDArray[np.floating[Any]], narrow: NDArray[np.floating[Any]]) -> str:
    same = narrow.shape == features.shape
    return "k-means" if same else f"k-means on the {narrow.shape[1]} leading principal components"


def _precision(features: NDArray[np.floating[Any]]) -> type[np.floating[Any]]:
    """Returns the type in which features are held: double, single where that would take much memory."""
    return np.float64 if features.size <= 1 << 26 else np.float32


def _shown(value: Any) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{float(value):.4g}"
