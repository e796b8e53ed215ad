"""How many classes switch a node on."""

from __future__ import annotations

import numpy as np

from reseed._arrays import ArrayLike, undefined
from reseed.memorization.nodes._given import Array, classes_of
from reseed.memorization.nodes._noise_content import tell_dead
from reseed.memorization.nodes._sample_sets import SampleSets


def node_perplexity(sets: SampleSets, targets: ArrayLike, *, balanced: bool = False) -> dict[str, Array]:
    """Return how many classes each node is on for, by the perplexity of the classes of its samples.

        2^(-sum_c p_c log2 p_c),  p_c = |S_j and T_c| / |S_j|

    Args:
        sets: What `sample_sets` found.
        targets: The class of each sample, [sample], numbers or strings.
        balanced: Whether the number of a class's samples is divided out first, so that a frequent class does not make
            a node seem selective.

    Returns:
        [node], or [run, node], by layer: from 1, one class only, to the number of classes. Dead nodes are NaN, and a
        warning counts them.

    Raises:
        InputError: Targets have another length, or are no labels.

    Examples:
        >>> sets = SampleSets.of({"hidden": [[1, 1, 0], [0, 1, 0], [0, 0, 1]]})
        >>> node_perplexity(sets, [0, 1, 1])
        {'hidden': array([1., 2., 1.])}
    """
    found, dead = _perplexities(sets, targets, balanced)
    tell_dead(dead, found, "perplexity")
    return found


def layer_perplexity(sets: SampleSets, targets: ArrayLike, *, balanced: bool = False) -> dict[str, Array]:
    """Return how many classes the nodes of a layer are on for: the mean perplexity of its live nodes.

    Args:
        sets: What `sample_sets` found.
        targets: The class of each sample, [sample].
        balanced: As of `node_perplexity`.

    Returns:
        One number for each layer, or [run]; NaN with a warning where all nodes of a layer are dead.

    Raises:
        InputError: Targets have another length, or are no labels.

    Examples:
        >>> sets = SampleSets.of({"hidden": [[1, 1, 0], [0, 1, 0], [0, 0, 0]]})
        >>> float(layer_perplexity(sets, [0, 1, 1])["hidden"])
        1.5
    """
    found, _ = _perplexities(sets, targets, balanced)
    means = {}
    for name, values in found.items():
        live = np.isfinite(values)
        count = live.sum(-1)
        if not count.all():
            undefined(f"every node of layer {name!r} is on for no sample; the layer's perplexity is NaN.")
        means[name] = np.where(count, np.where(live, values, 0.0).sum(-1) / np.maximum(count, 1), np.nan)[()]
    return means


def _perplexities(sets: SampleSets, targets: ArrayLike, balanced: bool) -> tuple[dict[str, Array], dict[str, int]]:
    codes, classes = classes_of(targets, sets.samples)
    masks = codes == np.arange(len(classes))[:, None]
    found, dead = {}, {}
    for name, counts in sets.counts(masks).items():
        weighted = counts / masks.sum(1) if balanced else counts.astype(np.float64)
        total = weighted.sum(-1, keepdims=True)
        share = np.divide(weighted, total, out=np.zeros_like(weighted), where=total > 0)
        logarithm = np.log2(share, out=np.zeros_like(share), where=share > 0)
        is_live = total[..., 0] > 0
        found[name] = np.where(is_live, np.exp2(-(share * logarithm).sum(-1)), np.nan)
        dead[name] = int(np.count_nonzero(~is_live))
    return found, dead
