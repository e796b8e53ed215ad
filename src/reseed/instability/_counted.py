"""The way from an argument called `labels` to per-sample counts, the same for every measure."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Shaped

from reseed.instability._arrays import ArrayLike, Result, encode, give_back, mask_array, run_axis_first
from reseed.instability._counts import Tally, tally
from reseed.instability._entropy_table import Correction, EntropyTable, entropy_table


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

    def shaped(self, values: Shaped[np.ndarray, " sample"]) -> Result:
        """Returns flat values in the argument's shape, on its device."""
        return give_back(values.reshape(self.shape), self.source)


def counted(
    labels: ArrayLike,
    *,
    mask: ArrayLike | None = None,
    axis: int = 0,
    num_classes: int | None = None,
    least: int = 1,
    correction: Correction | None = None,
) -> Counted:
    """Checks `labels` and `mask`, moves the run axis to the front and counts; allows `least` runs or more."""
    array = run_axis_first(labels, axis=axis, num_classes=num_classes, least=least)
    present = mask_array(mask, array, axis)
    codes, decode = encode(array)
    runs = len(codes)
    entropies = entropy_table(runs, correction)
    shape = codes.shape[1:]
    size = int(np.prod(shape))
    flat_mask = None if present is None else present.reshape(runs, size)
    counts = tally(codes.reshape(runs, size), entropies.table, flat_mask)
    return Counted(counts, shape, decode, labels, entropies)
