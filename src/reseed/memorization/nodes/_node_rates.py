"""How many samples switch a node on, and how many nodes a sample switches on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reseed.memorization.nodes._given import Array
from reseed.memorization.nodes._sample_sets import SampleSets

_BLOCK = 64  # nodes at a time


def activation_rate(sets: SampleSets) -> dict[str, Array]:
    """Return the share of samples for which each node is on, ``|S_j| / N``.

    Args:
        sets: What `sample_sets` found.

    Returns:
        [node], or [run, node], by layer; 0 to 1.

    Examples:
        >>> activation_rate(SampleSets.of({"hidden": [[1, 0], [1, 1]]}))
        {'hidden': array([1. , 0.5])}
    """
    return {name: counts / sets.samples for name, counts in sets.counts().items()}


def dead_nodes(sets: SampleSets) -> dict[str, NDArray[np.bool_]]:
    """Return which nodes are on for no sample.

    Args:
        sets: What `sample_sets` found.

    Returns:
        [node], or [run, node], by layer. A node that is dead for these samples may be alive for others.

    Examples:
        >>> dead_nodes(SampleSets.of({"hidden": [[1, 0], [1, 0]]}))
        {'hidden': array([False,  True])}
    """
    return {name: counts == 0 for name, counts in sets.counts().items()}


def always_on_nodes(sets: SampleSets) -> dict[str, NDArray[np.bool_]]:
    """Return which nodes are on for every sample, so that they are linear there.

    Args:
        sets: What `sample_sets` found.

    Returns:
        [node], or [run, node], by layer.

    Examples:
        >>> always_on_nodes(SampleSets.of({"hidden": [[1, 0], [1, 0]]}))
        {'hidden': array([ True, False])}
    """
    return {name: counts == sets.samples for name, counts in sets.counts().items()}


def cover(sets: SampleSets) -> dict[str, Array]:
    """Return the share of a layer's nodes that each sample switches on.

    Args:
        sets: What `sample_sets` found.

    Returns:
        [sample], or [run, sample], by layer; 0 to 1.

    Examples:
        >>> cover(SampleSets.of({"hidden": [[1, 0], [1, 1], [0, 0]]}))
        {'hidden': array([0.5, 1. , 0. ])}
    """
    return {name: _cover(packed, sets.samples) for name, packed in sets.packed.items()}


def _cover(packed: NDArray[np.uint8], samples: int) -> Array:
    on = np.zeros((*packed.shape[:-2], samples), dtype=np.int64)
    for start in range(0, packed.shape[-2], _BLOCK):
        bits = np.unpackbits(packed[..., start : start + _BLOCK, :], axis=-1, count=samples)
        on += bits.sum(-2, dtype=np.uint8)  # at most _BLOCK
    return np.asarray(on / packed.shape[-2])
