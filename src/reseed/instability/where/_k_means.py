"""K-means on a part of the samples, the same clusters on any number of threads."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed._errors import InputError

CLUSTERS = 20
FITTED = 20_000  # samples that the cluster centres are fitted on; the others join the nearest centre
COMPONENTS = 50  # directions that are clustered where there are more
_PER_CLUSTER = 50
_TYPICAL = 3
_LARGEST = 1e15  # numbers below have squares, and sums of squares, in single precision too
_BLOCK = 1 << 22  # numbers in double precision held at once: 32 MiB


def k_means(
    features: NDArray[np.floating[Any]], chosen: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.int64], list[list[int]]]:
    """Returns each sample's cluster, none of them empty, and the samples nearest each centre.

    Args:
        features: numbers [sample, feature].
        chosen: samples that the centres are fitted on.
        seed: where k-means starts.

    Raises:
        InputError: the features cannot be clustered, see `check_numbers`.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    check_numbers(features)
    clusters = min(CLUSTERS, max(2, len(features) // _PER_CLUSTER), len(chosen))
    # Threads add in another order, and centres that differ in the last digit become other clusters.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct inputs than clusters: fewer clusters
        found = KMeans(clusters, n_init=3, random_state=seed).fit(features[chosen])
        assigned = np.empty(len(features), dtype=np.int64)
        distance = np.empty(len(features))
        for rows in sample_blocks(len(features), features.shape[1]):
            assigned[rows] = found.predict(features[rows])
            distance[rows] = ((features[rows] - found.cluster_centers_[assigned[rows]]) ** 2).sum(1)
    used, place = np.unique(assigned, return_inverse=True)
    nearest = []
    for group in range(len(used)):
        members = np.flatnonzero(place == group)
        nearest.append(members[np.argsort(distance[members], kind="stable")[:_TYPICAL]].tolist())
    return place.astype(np.int64), nearest


def check_numbers(features: NDArray[Any]) -> None:
    """Accepts what can be clustered.

    Args:
        features: numbers [sample, feature].

    Raises:
        InputError: there are fewer than two samples, no features, or numbers that are not finite or whose squares are
            not.
    """
    if len(features) < 2 or not features.shape[1]:
        raise InputError(
            f"{len(features)} samples of {features.shape[1]} numbers cannot be clustered; choose another grouping."
        )
    for rows in sample_blocks(*features.shape):
        is_fit = (np.abs(features[rows].astype(np.float64)) < _LARGEST).all(1)  # so that NaN is not
        if not is_fit.all():
            sample = rows.start + int(np.flatnonzero(~is_fit)[0])
            raise InputError(
                f"the sample at position {sample} holds NaN or numbers beyond {_LARGEST:g}, so samples cannot be "
                "clustered; choose another grouping."
            )


def sample_blocks(samples: int, width: int) -> Iterator[slice]:
    """Yields ranges of samples of which so many numbers each are worked on at once."""
    step = max(1, _BLOCK // max(1, width))
    return (slice(start, start + step) for start in range(0, samples, step))


def chosen_samples(samples: int, seed: int) -> NDArray[np.int64]:
    """Returns the samples that centres are fitted on: all of them, or a random part of very many."""
    if samples <= FITTED:
        return np.arange(samples)
    return np.sort(np.random.default_rng(seed).choice(samples, FITTED, replace=False))


def fitted_on(samples: int) -> str:
    """Returns what to say where centres are fitted on a part; nothing where they are fitted on all samples."""
    return f"; centres fitted on {FITTED:,} of {samples:,} samples" if samples > FITTED else ""
