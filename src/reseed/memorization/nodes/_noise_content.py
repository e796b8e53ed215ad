"""How much of what switches a node on is corrupted."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from reseed._arrays import ArrayLike
from reseed.memorization.nodes._given import Array, mask_of
from reseed.memorization.nodes._sample_sets import SampleSets


@final
@dataclass(frozen=True, eq=False)
class NoiseContent:
    """The share of corrupted samples in the sample sets S_j of nodes, C of N samples being corrupted.

    Attributes:
        content: ``f_j = |S_j and C| / |S_j|``, [node] or [run, node] by layer; NaN of dead nodes.
        null_sd: The standard deviation of f_j if S_j were drawn without regard to C,
            ``sqrt(P (1 - P) / |S_j| (N - |S_j|) / (N - 1))``; 0 of nodes that are on for every sample.
        z: ``(f_j - P) / null_sd``, by layer; NaN of dead nodes, and where the deviation is 0.
        base_rate: P, the share of corrupted samples among all.
        dead: How many nodes are on for no sample, by layer, over all runs.
    """

    content: Mapping[str, Array]
    null_sd: Mapping[str, Array]
    z: Mapping[str, Array]
    base_rate: float
    dead: Mapping[str, int]

    def spread(self) -> dict[str, dict[str, float]]:
        """Return how differently nodes take corrupted samples in, by layer over its live nodes of all runs.

        Returns:
            Standard deviation of f_j (``sd``), its quantiles ``q05`` and ``q95``, the mean null deviation
            (``null_sd``) to hold ``sd`` against, and ``z_sd``, which is about 1 where composition is by chance.
            NaN without live nodes.
        """
        return {name: self._spread(name) for name in self.content}

    def _spread(self, name: str) -> dict[str, float]:
        content, z = (values[np.isfinite(values)] for values in (self.content[name], self.z[name]))
        if not len(content):
            return dict.fromkeys(("sd", "q05", "q95", "null_sd", "z_sd"), float("nan"))
        low, high = np.quantile(content, [0.05, 0.95])
        return {
            "sd": float(content.std()),
            "q05": float(low),
            "q95": float(high),
            "null_sd": float(np.nanmean(self.null_sd[name])),
            "z_sd": float(z.std()) if len(z) else float("nan"),
        }


def node_noise_content(sets: SampleSets, corrupted: ArrayLike) -> NoiseContent:
    """Return the share of corrupted samples in each node's sample set, beside what chance alone would give.

    Under chance the number of corrupted samples in a set is hypergeometric, whose deviation makes the z-scores. A wrong
    label leaves its input as it was, so that this says little of label noise; `weighted_noise_share` sees it.

    Args:
        sets: What `sample_sets` found on the training data.
        corrupted: Which samples are corrupted, [sample].

    Returns:
        Shares, null deviations and z-scores by layer. Dead nodes are NaN, and a warning counts them.

    Raises:
        InputError: ``corrupted`` has another length, or other values than True and False.

    Examples:
        >>> sets = SampleSets.of({"hidden": [[1, 0], [1, 1], [1, 1], [1, 0]]})
        >>> found = node_noise_content(sets, [True, False, False, True])
        >>> found.content["hidden"].tolist(), found.base_rate, found.z["hidden"].round(4).tolist()
        ([0.5, 0.0], 0.5, [nan, -1.7321])
    """
    mask = mask_of(corrupted, sets.samples)
    rate, total = float(mask.mean()), sets.samples
    content, null_sd, z, dead = {}, {}, {}, {}
    sizes, inside = sets.counts(), sets.counts(mask[None])
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, size in sizes.items():
            content[name] = inside[name][..., 0] / size
            left = (total - size) / max(total - 1, 1)
            null_sd[name] = np.where(size > 0, np.sqrt(rate * (1 - rate) / size * left), np.nan)
            z[name] = np.where(null_sd[name] > 0, (content[name] - rate) / null_sd[name], np.nan)
            dead[name] = int(np.count_nonzero(size == 0))
    tell_dead(dead, sizes, "noise content")
    return NoiseContent(content, null_sd, z, rate, dead)


def tell_dead(dead: Mapping[str, int], nodes: Mapping[str, Array], what: str) -> None:
    """Warn that some nodes are on for no sample, so that something of theirs is NaN."""
    if some := {name: count for name, count in dead.items() if count}:
        told = ", ".join(f"{count} of {nodes[name].size} of layer {name!r}" for name, count in some.items())
        warnings.warn(f"nodes are on for no sample, and their {what} is NaN: {told}.", RuntimeWarning, stacklevel=3)
