"""Groups of samples to look for instability in: bins of numbers, clusters of texts, clusters of features."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed._errors import InputError

BINS = 5
FEW = 10  # numbers with so few distinct values are groups as they are
CLUSTERS = 20
FITTED = 20_000  # samples that the cluster centres are fitted on; the others join the nearest centre
_PER_CLUSTER = 50
_COMPONENTS = 50
_WORDS = 3
_TYPICAL = 3
_WIDE = 256  # features; of more the leading components are clustered
_BLOCK = 1 << 22  # numbers in double precision held at once: 32 MiB


@dataclass(frozen=True, eq=False)
class Grouping:
    """Which group each sample is in.

    Attributes:
        names: the groups' names, in the order they are numbered.
        place: number of each sample's group [sample]; -1 for a sample in none.
        about: how the groups were made, in words.
    """

    names: tuple[str, ...]
    place: NDArray[np.int64]
    about: str


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


def text_clusters(texts: Sequence[str], *, seed: int = 0) -> Grouping:
    """Clusters texts by the words they share: k-means on the leading components of tf-idf.

    Args:
        texts: one for each sample.
        seed: where k-means starts, and which samples it is fitted on where there are very many.

    Raises:
        InputError: the texts share no words, or there are fewer than two.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize
    from threadpoolctl import threadpool_limits

    chosen = _chosen(len(texts), seed)
    vectorizer = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w+", min_df=2, max_df=0.5)  # noqa: S106
    try:
        vectorizer.fit([texts[index] for index in chosen.tolist()])
    except ValueError as error:  # scikit-learn's own words for texts without a word in common
        raise InputError(
            f"the {len(texts)} texts share too few words to be clustered; choose another grouping."
        ) from error
    tfidf = vectorizer.transform(texts)
    components = min(_COMPONENTS, tfidf.shape[1], len(chosen))
    with threadpool_limits(1):  # see `_k_means`
        svd = TruncatedSVD(components, random_state=seed).fit(tfidf[chosen])
        features = normalize(svd.transform(tfidf))
    place, _ = _k_means(features, chosen, seed)
    words = vectorizer.get_feature_names_out()
    overall = np.asarray(tfidf.mean(0)).ravel()
    names = []
    for group in range(int(place.max()) + 1):
        more = np.asarray(tfidf[place == group].mean(0)).ravel() - overall
        typical = [words[index] for index in np.argsort(-more, kind="stable")[:_WORDS] if more[index] > 0]
        names.append(", ".join(typical) or "no typical words")
    about = "clusters of texts by their words (tf-idf, k-means), named by the words they have more of than others"
    return Grouping(_distinct(names), place, about + _fitted(len(texts)))


def feature_clusters(features: NDArray[np.floating[Any]], ids: Sequence[str], *, seed: int = 0) -> Grouping:
    """Clusters samples by numbers that are on one scale; each cluster is named by the samples nearest its centre.

    Args:
        features: numbers [sample, feature], on one scale, such as pixels.
        ids: the samples' ids.
        seed: where k-means starts, and which samples it is fitted on where there are very many.
    """
    chosen = _chosen(len(features), seed)
    narrow = _narrow(features, chosen, seed)
    place, nearest = _k_means(narrow, chosen, seed)
    names = tuple(f"like {', '.join(ids[index] for index in some)}" for some in nearest)
    about = f"clusters of inputs ({_method(features, narrow)}), named by the samples nearest the centre"
    return Grouping(names, place, about + _fitted(len(features)))


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
    count, width = columns.shape
    chosen = _chosen(count, seed)
    fitted = columns[chosen].astype(np.float64)
    centre, spread = fitted.mean(0), fitted.std(0)
    scaled = np.empty(columns.shape, dtype=_precision(columns))
    for rows in _blocks(count, width):
        scaled[rows] = (columns[rows].astype(np.float64) - centre) / np.where(spread > 0, spread, 1.0)
    narrow = _narrow(scaled, chosen, seed)
    place, _ = _k_means(narrow, chosen, seed)
    called = [f"column {number}" for number in range(width)] if names is None else list(names)
    overall = scaled.mean(0, dtype=np.float64)
    found = []
    for group in range(int(place.max()) + 1):
        apart = scaled[place == group].mean(0, dtype=np.float64) - overall
        most = [index for index in np.argsort(-np.abs(apart), kind="stable")[:_WORDS].tolist() if apart[index]]
        words = [f"{'high' if apart[index] > 0 else 'low'} {called[index]}" for index in most]
        found.append(", ".join(words) or "like all others")
    about = f"clusters of inputs ({_method(scaled, narrow)}, columns scaled), named by the columns that set them apart"
    return Grouping(_distinct(found), place, about + _fitted(count))


def _narrow(features: NDArray[np.floating[Any]], chosen: NDArray[np.int64], seed: int) -> NDArray[np.floating[Any]]:
    """Returns the features, in their place the leading principal components where there are very many."""
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits

    count, width = features.shape
    if width <= _WIDE:
        return features.astype(_precision(features))
    with threadpool_limits(1):  # see `_k_means`
        components = min(_COMPONENTS, len(chosen), width)
        found = PCA(components, svd_solver="randomized", random_state=seed).fit(features[chosen])
        narrow = np.empty((count, components))
        for rows in _blocks(count, width):
            narrow[rows] = found.transform(features[rows])
    return narrow


def _method(features: NDArray[np.floating[Any]], narrow: NDArray[np.floating[Any]]) -> str:
    same = narrow.shape == features.shape
    return "k-means" if same else f"k-means on the {narrow.shape[1]} leading principal components"


def _precision(features: NDArray[np.floating[Any]]) -> type[np.floating[Any]]:
    """Returns the type in which features are held: double, single where that would take much memory."""
    return np.float64 if features.size <= 1 << 26 else np.float32


def _blocks(samples: int, width: int) -> Iterator[slice]:
    step = max(1, _BLOCK // max(1, width))
    return (slice(start, start + step) for start in range(0, samples, step))


def _k_means(
    features: NDArray[np.floating[Any]], chosen: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.int64], list[list[int]]]:
    """Returns each sample's cluster, none of them empty, and the samples nearest each centre."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    if len(features) < 2:
        raise InputError(f"{len(features)} samples cannot be clustered; choose another grouping.")
    clusters = min(CLUSTERS, max(2, len(features) // _PER_CLUSTER))
    # Threads add in another order, and centres that differ in the last digit become other clusters.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct inputs than clusters: fewer clusters
        found = KMeans(clusters, n_init=3, random_state=seed).fit(features[chosen])
        assigned = np.empty(len(features), dtype=np.int64)
        distance = np.empty(len(features))
        for rows in _blocks(len(features), features.shape[1]):
            assigned[rows] = found.predict(features[rows])
            distance[rows] = ((features[rows] - found.cluster_centers_[assigned[rows]]) ** 2).sum(1)
    used, place = np.unique(assigned, return_inverse=True)
    nearest = []
    for group in range(len(used)):
        members = np.flatnonzero(place == group)
        nearest.append(members[np.argsort(distance[members], kind="stable")[:_TYPICAL]].tolist())
    return place.astype(np.int64), nearest


def _chosen(samples: int, seed: int) -> NDArray[np.int64]:
    if samples <= FITTED:
        return np.arange(samples)
    return np.sort(np.random.default_rng(seed).choice(samples, FITTED, replace=False))


def _fitted(samples: int) -> str:
    return f"; centres fitted on {FITTED:,} of {samples:,} samples" if samples > FITTED else ""


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Numbers names that stand more than once."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(result)


def _shown(value: Any) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{float(value):.4g}"
