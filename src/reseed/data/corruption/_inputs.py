"""What all corruptions of inputs do before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray

from reseed._arrays import ArrayLike, brief, to_numpy
from reseed._errors import DataError
from reseed.data.corruption._choose import as_given, check_rate, check_seed, chosen, mask_as_given, numbered

_BLOCK = 1 << 22  # values that are drawn at once


@final
@dataclass(frozen=True, eq=False)
class CorruptedInputs:
    """Inputs of which some were destroyed.

    Attributes:
        inputs: all inputs as they are now, in the shape they had.
        selected: which samples were touched, `[sample]`.
        changed: of which samples some value is not what it was, `[sample]`.
        permutation: for `shuffle_pixels`: which position each value comes from, `[position]`; else None.
        mean: for `gaussian_inputs`: mean of the noise, `[channel]`, `[feature]`, one number `[]`, or `[sample]`; else
            None.
        sd: its standard deviation, likewise.
    """

    inputs: Any
    selected: Any
    changed: Any
    permutation: NDArray[np.int64] | None = None
    mean: NDArray[np.float64] | None = None
    sd: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class Touched:
    """Inputs on their way: what was given, a copy that is written to, and which samples are touched."""

    given: object
    values: NDArray[Any]
    result: NDArray[Any]
    selected: NDArray[np.bool_]
    items: torch.Tensor

    def finished(self, **statistics: Any) -> CorruptedInputs:
        """The result in the kind and type of what was given."""
        changed = np.zeros(len(self.values), bool)
        for block in self.blocks():
            differ = self.result[block] != self.values[block]
            changed[block] = differ.reshape(len(block), -1).any(1)
        masks = (mask_as_given(mask, self.given) for mask in (self.selected, changed))
        return CorruptedInputs(as_given(self.result, self.given), *masks, **statistics)

    def blocks(self) -> Iterator[NDArray[np.int64]]:
        """Places of touched samples, so many at a time that memory stays small."""
        places = np.flatnonzero(self.selected)
        size = max(1, _BLOCK // max(1, self.values[0].size))
        for start in range(0, len(places), size):
            yield places[start : start + size]

    def rewrite(self, rule: Callable[[NDArray[np.int64]], NDArray[Any]]) -> None:
        """Have a rule give new values for the samples at some places."""
        for block in self.blocks():
            self.result[block] = rule(block)


def touched(inputs: ArrayLike, rate: float, *, exact: bool, seed: int, items: ArrayLike | None) -> Touched:
    """Check the arguments that all corruptions of inputs have, and choose samples.

    Raises:
        DataError: One cannot be used.
    """
    rate = check_rate(rate)
    check_seed(seed)
    values = to_numpy(inputs, "inputs")
    if values.dtype.kind not in "iuf" or values.ndim not in (2, 4):
        raise DataError(
            f"inputs is {brief(values)}; give numbers, [sample, feature] or images [sample, channel, row, column]."
        )
    if not values.size:
        raise DataError(f"inputs of shape {values.shape} hold no values; give at least one sample.")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        place = int(np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(1))[0])
        raise DataError(f"inputs hold NaN or infinity in the sample at position {place}; fill or drop it.")
    numbers = numbered(len(values), items)
    selected = chosen(numbers, rate, seed, exact=exact)
    return Touched(inputs, values, values.copy(), selected, numbers)


def by_position(values: NDArray[Any], *, apart: bool) -> NDArray[Any]:
    """Inputs as `[sample, channel, position]`; features are positions of one channel, as all values are if `apart`."""
    channels = 1 if apart or values.ndim == 2 else values.shape[1]
    return values.reshape(len(values), channels, -1)
