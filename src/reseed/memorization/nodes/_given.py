"""Masks, targets and states as they are given, checked."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reseed._arrays import ArrayLike, brief, to_numpy
from reseed._errors import InputError
from reseed._labels import label_array

Array: TypeAlias = NDArray[Any]


def mask_of(corrupted: ArrayLike, samples: int, name: str = "corrupted") -> NDArray[np.bool_]:
    """Return which samples are meant, [sample].

    Raises:
        InputError: It has another length, or values other than True and False.
    """
    mask = zeros_and_ones(corrupted, name)
    if mask.shape != (samples,):
        raise InputError(
            f"{name} is {brief(to_numpy(corrupted, name))} but there are {samples} samples; pass True or False for "
            "each of them, in their order."
        )
    return mask


def zeros_and_ones(values: ArrayLike, name: str) -> NDArray[np.bool_]:
    """Return True and False, or 1 and 0, as booleans.

    Raises:
        InputError: There are other values.
    """
    array = to_numpy(values, name)
    if array.dtype != np.bool_:
        if array.dtype.kind not in "iuf" or not ((array == 0) | (array == 1)).all():
            raise InputError(
                f"{name} must hold True and False (or 1 and 0), got {brief(array)}; no indices of samples."
            )
        array = array.astype(np.bool_)
    return array


def states_of(values: ArrayLike, name: str) -> NDArray[np.bool_]:
    """Return which node is on for which sample, [sample, node].

    Raises:
        InputError: They have other axes, no node, or values other than True and False.
    """
    states = zeros_and_ones(values, name)
    if states.ndim != 2 or not states.shape[1]:
        raise InputError(f"{name} must be [sample, node], got {brief(states)}; pass one layer of one network.")
    return states


def classes_of(targets: ArrayLike, samples: int) -> tuple[NDArray[np.int64], Array]:
    """Return each sample's class as a number from 0 on, and the classes that occur, in order.

    Raises:
        InputError: They are no labels, or of another length.
    """
    labels = label_array(targets, "targets")
    if labels.shape != (samples,):
        raise InputError(f"targets is {brief(labels)} but there are {samples} samples; pass one label for each.")
    classes, codes = np.unique(labels, return_inverse=True)
    return codes.astype(np.int64), classes


def class_numbers(targets: ArrayLike, samples: int) -> NDArray[np.int64]:
    """Return targets that number the logits of a network.

    Raises:
        InputError: They are no whole numbers from 0 on, or of another length.
    """
    array = to_numpy(targets, "targets")
    if array.dtype.kind not in "iu" or array.shape != (samples,):
        raise InputError(
            f"targets is {brief(array)} but there are {samples} samples; pass the number of a class for each of them."
        )
    if samples and array.min() < 0:
        raise InputError(f"targets holds {array.min()}; classes are numbered from 0 on, as the logits are.")
    return array.astype(np.int64)
