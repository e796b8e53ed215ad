"""Pixels, or features, in another order: one for all samples, or one for each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reseed._arrays import ArrayLike, brief, to_numpy
from reseed._draws import item_uniform
from reseed._errors import DataError
from reseed.data.corruption._choose import POSITION, key_of
from reseed.data.corruption._inputs import CorruptedInputs, by_position, touched


def shuffle_pixels(
    inputs: ArrayLike,
    rate: float = 1.0,
    *,
    permutation: ArrayLike | None = None,
    apart: bool = False,
    exact: bool = False,
    seed: int = 0,
    items: ArrayLike | None = None,
) -> CorruptedInputs:
    """Puts the positions of all samples in one other order: new value at position i = old value at `permutation[i]`.

    Evaluation samples get the same order from the same seed, or through `permutation`. A network that is blind to
    where an input is, such as an `mlp`, learns just as much from shuffled inputs.

    Args:
        inputs: features `[sample, feature]` or images `[sample, channel, row, column]`; never changed. A position of
            an image moves with all its channels.
        rate: share of the samples to touch, from 0 to 1.
        permutation: the order, each position once, `[position]`; default: drawn from the seed.
        apart: whether the values of a position move apart from each other; positions are then those of `[channel, row,
            column]`.
        exact: see `corrupt_labels`.
        seed: of all draws, from 0 to 2**32 - 1.
        items: see `corrupt_labels`; they decide which samples are touched.

    Returns:
        New inputs of the type and kind of those given, masks, and the permutation, whose `argsort` undoes it.

    Raises:
        DataError: an argument cannot be used, or `permutation` is none of these positions.

    Example:
        >>> shuffle_pixels([[1, 2, 3], [4, 5, 6]], permutation=[2, 0, 1]).inputs
        array([[3, 1, 2],
               [6, 4, 5]])
    """
    found = touched(inputs, rate, exact=exact, seed=seed, items=items)
    old = by_position(found.values, apart=apart)
    count = old.shape[2]
    order = np.random.default_rng(seed).permutation(count) if permutation is None else _checked(permutation, count)
    found.rewrite(lambda block: np.take(old[block], order, axis=2).reshape(len(block), *found.values.shape[1:]))
    return found.finished(permutation=order)


def random_pixels(
    inputs: ArrayLike,
    rate: float = 1.0,
    *,
    apart: bool = False,
    exact: bool = False,
    seed: int = 0,
    items: ArrayLike | None = None,
) -> CorruptedInputs:
    """Puts the positions of each sample in an order of its own: its values stay, where they were is lost.

    Args:
        inputs: see `shuffle_pixels`.
        rate: share of the samples to touch, from 0 to 1.
        apart: see `shuffle_pixels`.
        exact: see `corrupt_labels`.
        seed: of all draws, from 0 to 2**32 - 1.
        items: a number for each sample that its order follows; see `corrupt_labels`.

    Returns:
        New inputs of the type and kind of those given, and masks.

    Raises:
        DataError: an argument cannot be used.

    Example:
        >>> found = random_pixels([[1, 2, 3, 4]] * 3)
        >>> bool((np.sort(found.inputs) == [1, 2, 3, 4]).all())
        True
    """
    found = touched(inputs, rate, exact=exact, seed=seed, items=items)
    old, key = by_position(found.values, apart=apart), key_of(seed, POSITION)

    def moved(block: NDArray[np.int64]) -> NDArray[np.generic]:
        drawn = item_uniform(key, found.items[block], (old.shape[2],)).numpy()
        order = np.argsort(drawn, axis=1, kind="stable")
        return np.take_along_axis(old[block], order[:, None], axis=2).reshape(len(block), *found.values.shape[1:])

    found.rewrite(moved)
    return found.finished()


def _checked(permutation: ArrayLike, count: int) -> NDArray[np.int64]:
    order = to_numpy(permutation, "permutation")
    if order.dtype.kind not in "iu" or order.ndim != 1:
        raise DataError(f"permutation is {brief(order)}; give whole numbers [position].")
    if len(order) != count:
        raise DataError(
            f"permutation has {len(order)} positions, the inputs have {count}; give each of 0 to {count - 1} once."
        )
    if not np.array_equal(np.sort(order), np.arange(count)):
        values, counts = np.unique(order, return_counts=True)
        twice = values[counts > 1]
        told = f"holds {int(twice[0])} more than once" if len(twice) else f"holds {int(order.max())}"
        raise DataError(f"permutation {told}; give each of 0 to {count - 1} once.")
    return order.astype(np.int64)
