"""The way from an argument called `labels` to per-sample counts, the same for every measure."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Shaped

from reseed._arrays import ArrayLike, Result, give_back
from reseed._labels import as_given, encode, present_runs, run_axis_first
from reseed.instability.labels._counts import Tally, tally
from reseed.instability.labels._entropy_table import Correction, EntropyTable, entropy_table


class Counted(NamedTuple):
    """Counts of one `labels` argument and what is needed to shape results like it.

    Attributes:
        tally: the counts, flat over samples.
        shape: the axes of `labels` without the counted one.
        decode: turns codes back into the labels they stand for.
        source: the argument itself; results go to its device.
        entropies: the table that was folded over the counts.
    """

    tally: Tally
    shape: tuple[int, ...]
    decode: Callable[[Any], Any]
    source: ArrayLike
    entropies: EntropyTable

    def entropy(self) -> Float[np.ndarray, " sample"]:
        """Returns the entropy of each sample in nats."""
        return self.entropies.of(self.tally)

    def modes(self) -> Result:
        """Returns the most frequent label of each sample in the argument's type; meaningless where none is present."""
        return as_given(self.decode(self.tally.mode).reshape(self.shape), self.source)

    def shaped(self, values: Shaped[np.ndarray, " sample"]) -> Result:
        """Returns flat values in the argument's shape, on its device."""
        return give_back(values.reshape(self.shape), self.source)


def counted(labels: ArrayLike, *, least: int = 1) -> Counted:
    """Checks `labels`, none of them masked, of `least` runs or more, and counts them."""
    return _counted(run_axis_first(labels, least=least), None, labels, None)


def counted_where(
    labels: ArrayLike,
    mask: ArrayLike | None,
    *,
    axis: int = 0,
    num_classes: int | None = None,
    least: int = 1,
    correction: Correction | None = None,
) -> Counted:
    """Checks `labels` and `mask`, moves the run axis to the front and counts what is present."""
    array, present = present_runs(labels, mask, axis=axis, num_classes=num_classes, least=least)
    return _counted(array, present, labels, correction)


def _counted(
    array: Shaped[np.ndarray, "run ..."],
    present: Bool[np.ndarray, "run ..."] | None,
    labels: ArrayLike,
    correction: Correction | None,
) -> Counted:
    codes, decode = encode(array)
    runs, *shape = codes.shape
    entropies = entropy_table(runs, correction)
    size = int(np.prod(shape))
    flat_mask = None if present is None else present.reshape(runs, size)
    counts = tally(codes.reshape(runs, size), entropies.table, flat_mask)
    return Counted(counts, tuple(shape), decode, labels, entropies)
