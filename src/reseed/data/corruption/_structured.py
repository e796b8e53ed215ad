"""Inputs that are changed by a rule: no noise, but a second pattern for each class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed._arrays import ArrayLike, brief, to_numpy
from reseed._errors import DataError
from reseed.data.corruption._choose import as_given
from reseed.data.corruption._inputs import CorruptedInputs, Touched, touched


def structured_inputs(
    inputs: ArrayLike,
    rate: float = 1.0,
    *,
    transform: Callable[[Any], Any] | None = None,
    exact: bool = False,
    seed: int = 0,
    items: ArrayLike | None = None,
) -> CorruptedInputs:
    """Changes samples by a rule: turns images by 90 degrees, counter-clockwise, and inverts them, x -> 1 - x.

    Args:
        inputs: square images `[sample, channel, row, column]` in [0, 1], or of bytes (x -> 255 - x); with a
            `transform` features `[sample, feature]` and images of any shape too; never changed.
        rate: share of the samples to touch, from 0 to 1.
        transform: another rule: takes the touched samples, in the kind they were given in, and returns as many of the
            same shape.
        exact: see `corrupt_labels`.
        seed: of the choice, from 0 to 2**32 - 1.
        items: see `corrupt_labels`; they decide which samples are touched.

    Returns:
        New inputs of the type and kind of those given, and masks.

    Raises:
        DataError: an argument cannot be used, or the inputs are no square images and no `transform` is given, or it
            returns something of another shape.

    Example:
        >>> structured_inputs(np.array([[[[0.0, 0.0], [1.0, 0.0]]]])).inputs[0, 0].tolist()
        [[1.0, 1.0], [1.0, 0.0]]
    """
    found = touched(inputs, rate, exact=exact, seed=seed, items=items)
    values = found.values
    if transform is None:
        high = _highest(values)
        found.rewrite(lambda block: np.asarray(high - np.rot90(values[block], axes=(2, 3)), values.dtype))
    elif found.selected.any():
        found.result[found.selected] = _by_rule(found, transform)
    return found.finished()


def _by_rule(found: Touched, transform: Callable[[Any], Any]) -> NDArray[Any]:
    samples = found.values[found.selected]  # a copy, which a rule may write to
    made = transform(as_given(samples, found.given))
    new = to_numpy(made, "what transform returns")
    if new.shape != samples.shape or new.dtype.kind not in "biuf":
        raise DataError(
            f"transform returns {brief(new)} for {brief(samples)}; it must return as many samples of the same shape."
        )
    if new.dtype.kind == "f" and not np.isfinite(new).all():
        raise DataError("transform returns NaN or infinity; it must return finite numbers.")
    return np.asarray(new)


def _highest(values: NDArray[Any]) -> Any:
    """What inverting subtracts from.

    Raises:
        DataError: They are no square images, or in no range that is known.
    """
    if values.ndim != 4 or values.shape[2] != values.shape[3]:
        shape = "[" + ", ".join(map(str, values.shape[1:])) + "]"
        raise DataError(
            f"inputs of shape {shape} are no square images [channel, row, column], which turning by 90 degrees needs; "
            "give a transform of your own."
        )
    if values.dtype == np.uint8:
        return np.uint8(255)
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 1:
        raise DataError(
            f"inputs reach from {low:g} to {high:g}, and inverting takes images in [0, 1] or bytes (uint8); rescale "
            "them, or give a transform of your own."
        )
    return values.dtype.type(1)
