"""Whose nodes are switched as those of another sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from reseed._arrays import ArrayLike, Result, give_back
from reseed._errors import InputError
from reseed._numbers import check_whole
from reseed.memorization.nodes._given import Array, mask_of, states_of

Metric = Literal["jaccard", "hamming"]

_BLOCK = 1 << 22  # similarities at a time


@final
@dataclass(frozen=True, eq=False)
class NearestPatterns:
    """The samples of a reference whose patterns are most like those of others.

    Attributes:
        index: Which samples of the reference, the most similar first, equal ones in their order, [sample, neighbour].
        similarity: How similar they are, [sample, neighbour].
    """

    index: Result
    similarity: Result


@final
@dataclass(frozen=True, eq=False)
class NeighbourShare:
    """How many of the samples with the most similar patterns are corrupted.

    Attributes:
        share: Of each sample's neighbours, [sample], 0 to 1.
        mean: Over samples.
        base_rate: The share of corrupted samples in the whole reference, which neighbours at random would have.
    """

    share: Result
    mean: float
    base_rate: float


def pattern_similarity(query: ArrayLike, reference: ArrayLike, metric: Metric = "jaccard") -> Result:
    """Return how similarly samples switch the nodes of a layer.

        jaccard = |x and s| / |x or s|,  hamming = share of nodes in the same state

    Two samples that switch nothing on have 1 by both. Computed by matrix products; `nearest_patterns` does not hold
    all similarities at once.

    Args:
        query: Which node is on for which sample, [sample, node], as `SampleSets.on` returns it.
        reference: The same of other samples, [sample, node].
        metric: ``jaccard`` or ``hamming``.

    Returns:
        [query, reference], 0 to 1, larger is more similar.

    Raises:
        InputError: Nodes differ in number, values are not True and False, or the metric is unknown.

    Examples:
        >>> pattern_similarity([[1, 1, 0]], [[1, 1, 0], [1, 0, 1], [0, 0, 1]]).round(3)
        array([[1.   , 0.333, 0.   ]])
    """
    found = np.concatenate([block for _, block in _blocks(*_checked(query, reference, metric), metric)])
    return give_back(found, query, reference)


def nearest_patterns(
    query: ArrayLike,
    reference: ArrayLike,
    k: int = 10,
    metric: Metric = "jaccard",
    *,
    exclude_self: bool = False,
) -> NearestPatterns:
    """Return the samples whose patterns are most similar, in memory that does not hold all similarities.

    Args:
        query: Which node is on for which sample, [sample, node].
        reference: The same of the samples among which neighbours are looked for, [sample, node].
        k: How many neighbours.
        metric: As of `pattern_similarity`.
        exclude_self: Whether query and reference are the same samples, none of which is its own neighbour.

    Raises:
        InputError: k is more than there are, or something is wrong as of `pattern_similarity`.

    Examples:
        >>> nearest_patterns([[1, 1, 0]], [[0, 0, 1], [1, 1, 0], [1, 0, 1]], k=2).index
        array([[1, 2]])
    """
    asked, others = _checked(query, reference, metric)
    check_whole("k", k)
    if exclude_self and len(asked) != len(others):
        raise InputError(
            f"exclude_self is for one set of samples, but query has {len(asked)} and reference {len(others)}; pass the "
            "same for both."
        )
    if k > len(others) - exclude_self:
        raise InputError(f"k={k} is more than the {len(others) - exclude_self} neighbours that there are; pass fewer.")
    index = np.empty((len(asked), k), dtype=np.int64)
    similarity = np.empty((len(asked), k))
    for start, block in _blocks(asked, others, metric):
        if exclude_self:
            rows = np.arange(len(block))
            block[rows, start + rows] = -1.0
        least = -np.partition(-block, k - 1, axis=1)[:, k - 1]
        for row, values in enumerate(block):
            some = np.flatnonzero(values >= least[row])
            index[start + row] = some[np.argsort(-values[some], kind="stable")[:k]]
        similarity[start : start + len(block)] = np.take_along_axis(block, index[start : start + len(block)], axis=1)
    return NearestPatterns(give_back(index, query, reference), give_back(similarity, query, reference))


def corrupted_neighbour_share(
    query: ArrayLike,
    reference: ArrayLike,
    corrupted: ArrayLike,
    k: int = 10,
    metric: Metric = "jaccard",
    *,
    exclude_self: bool = False,
) -> NeighbourShare:
    """Return how many of the training samples with the most similar patterns are corrupted, beside the base rate.

    Args:
        query: Which node is on for which sample, [sample, node].
        reference: The same of the training samples, [sample, node].
        corrupted: Which training samples are corrupted, [sample].
        k: How many neighbours.
        metric: As of `pattern_similarity`.
        exclude_self: Whether query and reference are the same samples, none of which is its own neighbour.

    Raises:
        InputError: ``corrupted`` has another length, or something is wrong as of `nearest_patterns`.

    Examples:
        >>> found = corrupted_neighbour_share([[1, 1, 0]], [[0, 0, 1], [1, 1, 0], [1, 0, 1]], [0, 1, 0], k=2)
        >>> found.share, round(found.base_rate, 3)
        (array([0.5]), 0.333)
    """
    mask = mask_of(corrupted, len(states_of(reference, "reference")))
    near = nearest_patterns(query, reference, k, metric, exclude_self=exclude_self)
    share = mask[np.asarray(near.index if isinstance(near.index, np.ndarray) else near.index.cpu())].mean(1)
    return NeighbourShare(give_back(share, query, reference), float(share.mean()), float(mask.mean()))


def _checked(query: ArrayLike, reference: ArrayLike, metric: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if metric not in ("jaccard", "hamming"):
        raise InputError(f"metric={metric!r} is unknown; pass 'jaccard' or 'hamming'.")
    asked, others = states_of(query, "query"), states_of(reference, "reference")
    if asked.shape[1] != others.shape[1]:
        raise InputError(
            f"query has {asked.shape[1]} nodes but reference {others.shape[1]}; pass the same layer of both."
        )
    if not len(asked) or not len(others):
        raise InputError(f"query has {len(asked)} samples and reference {len(others)}; pass one or more of each.")
    return asked.astype(np.float32), others.astype(np.float32)  # counts of nodes are exact in it


def _blocks(asked: NDArray[np.float32], others: NDArray[np.float32], metric: str) -> Iterator[tuple[int, Array]]:
    """Yield where a block of queries begins, and its similarities [query, reference]."""
    step = max(1, _BLOCK // len(others))
    sizes = others.sum(1, dtype=np.float64)
    for start in range(0, len(asked), step):
        own = asked[start : start + step]
        both = (own @ others.T).astype(np.float64)
        either = own.sum(1, dtype=np.float64)[:, None] + sizes - both
        if metric == "jaccard":
            yield start, np.divide(both, either, out=np.ones_like(both), where=either > 0)
        else:
            yield start, 1 - (either - both) / asked.shape[1]
