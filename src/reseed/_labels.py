"""How labels are taken in: as they are given, whole numbers of any size or strings, and only where they are present."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Shaped

from reseed._arrays import ArrayLike, Result, brief, give_back, to_masked, to_numpy
from reseed._errors import InputError

_EXACT = 2**53  # beyond it doubles skip whole numbers
_WORD = 2**63  # from here on, 64 bits with a sign are too few


def label_array(labels: ArrayLike, name: str = "labels") -> Shaped[np.ndarray, "..."]:
    """Checks that labels are whole numbers or strings, and returns them as such without a change of value.

    Whole numbers beyond 64 bits with a sign come as `uint64` or as Python's own in an array of objects: these compare
    exactly with all others, but are no place for arithmetic, for which `encode` numbers them.
    """
    return _checked(as_written(labels, name), name)


def run_axis_first(
    labels: ArrayLike, *, axis: int = 0, num_classes: int | None = None, least: int = 1, name: str = "labels"
) -> Shaped[np.ndarray, "run ..."]:
    """Checks labels and moves the counted axis to the front; raises where it is shorter than `least`."""
    array = label_array(labels, name)
    _check_axis(array, axis, name)
    return _runs(array, axis, num_classes, least, name)


def present_runs(
    labels: ArrayLike,
    mask: ArrayLike | None,
    *,
    axis: int = 0,
    num_classes: int | None = None,
    least: int = 1,
    name: str = "labels",
) -> tuple[Shaped[np.ndarray, "run ..."], Bool[np.ndarray, "run ..."] | None]:
    """Returns labels as `run_axis_first` does, and where they are present; None if they are everywhere.

    What is masked, by the argument or by the labels being a masked array, is not looked at: some label that is present
    stands there afterwards.
    """
    given, own = to_masked(labels, name)
    array = _unrounded(labels, given)
    _check_axis(array, axis, name)
    present = _mask_array(mask, array, axis, name)
    if own is not None:
        present = own if present is None else present & own
    if present is not None:
        some = array[present]
        array = np.where(present, array, some[0] if len(some) else np.zeros((), array.dtype))
    array = _runs(_checked(array, name), axis, num_classes, least, name)
    return array, None if present is None else np.moveaxis(present, axis, 0)


def encode(labels: Shaped[np.ndarray, "*axes"]) -> tuple[Shaped[np.ndarray, "*axes"], Callable[[Any], Any]]:
    """Turns labels that are no small integers into such of the same order; the function returned turns them back."""
    if not _needs_codes(labels):
        return labels, lambda codes: codes
    names, codes = np.unique(labels, return_inverse=True)
    return codes.reshape(labels.shape), lambda codes: names[codes]


def encode_together(
    runs: Shaped[np.ndarray, "run ..."], targets: Shaped[np.ndarray, "..."]
) -> tuple[Shaped[np.ndarray, "run ..."], Shaped[np.ndarray, "..."]]:
    """Turns labels of runs and targets, both numbers or both strings, into integers of one meaning."""
    if not (_needs_codes(runs) or _needs_codes(targets)):
        return runs, targets
    kind = np.result_type(runs, targets) if runs.dtype.kind in "UT" else np.dtype(object)
    codes, _ = encode(np.concatenate([runs.astype(kind), targets[None].astype(kind)]))
    return codes[:-1], codes[-1]


def as_given(labels: Shaped[np.ndarray, "..."], source: ArrayLike) -> Result:
    """Returns some of the labels that `source` holds in its own type, on its device."""
    if isinstance(source, torch.Tensor):
        host = labels.astype(np.float64) if source.is_floating_point() else labels
        return give_back(host, source).to(source.dtype)
    kind = _unrounded(source, to_masked(source, "labels")[0]).dtype
    return (labels.astype(kind) if kind.kind in "biuf" else labels)[()]


def check_range(labels: Shaped[np.ndarray, "..."], num_classes: int | None, name: str = "labels") -> None:
    """Raises where a label lies outside `0 .. num_classes - 1`; `None` allows every label."""
    if num_classes is None:
        return
    if num_classes < 1:
        raise InputError(f"num_classes must be at least 1, got {num_classes}; leave it out to allow any label.")
    if labels.dtype.kind in "UT":
        raise InputError(
            f"{name} holds strings, which have no range, but num_classes={num_classes} was given; leave it out."
        )
    if labels.size and (labels.min() < 0 or labels.max() >= num_classes):
        place = tuple(int(i) for i in np.argwhere((labels < 0) | (labels >= num_classes))[0])
        raise InputError(
            f"{name} holds {labels[place]} at position {place}, outside 0..{num_classes - 1}; pass a larger "
            "num_classes, or leave it out to allow any label."
        )


def same_shape(first: Shaped[np.ndarray, "..."], second: Shaped[np.ndarray, "..."], names: tuple[str, str]) -> None:
    """Raises unless two arrays have one shape and are both numbers or both strings."""
    if first.shape != second.shape:
        raise InputError(
            f"{names[0]} is {brief(first)} but {names[1]} is {brief(second)}; pass two arrays over the same samples."
        )
    if (first.dtype.kind in "UT") != (second.dtype.kind in "UT"):
        raise InputError(
            f"{names[0]} is {brief(first)} but {names[1]} is {brief(second)}; pass integers in both or strings in both."
        )


def check_targets(targets: Shaped[np.ndarray, "..."], count: int) -> None:
    """Raises where right answers to inputs are not whole numbers [sample], -1 where unknown, or there are none."""
    if not count:
        raise InputError("inputs hold no samples; pass one at least.")
    if targets.ndim != 1 or targets.dtype.kind not in "iu" or len(targets) != count:
        raise InputError(
            f"targets are {targets.dtype} {list(targets.shape)} for {count} inputs; pass a whole number for each, -1 "
            "where the label is not known."
        )


def as_written(labels: ArrayLike, name: str) -> Shaped[np.ndarray, "..."]:
    """Returns labels or names as an array, unchecked, in which whole numbers are none but those that were given."""
    return _unrounded(labels, to_numpy(labels, name))


def are_whole(array: Shaped[np.ndarray, "..."]) -> bool:
    """Tells whether an array of objects holds whole numbers alone."""
    return _all(_is_number, array) and _all(_is_whole, array)


def _unrounded(labels: ArrayLike, array: Shaped[np.ndarray, "..."]) -> Shaped[np.ndarray, "..."]:
    """Undoes that numpy rounds whole numbers of a list to floats where they are too many for one type of integer."""
    if array.dtype != np.float64 or hasattr(labels, "dtype") or not (np.abs(array) >= _EXACT).any():
        return array
    objects = np.asarray(labels, dtype=object)
    return objects if objects.shape == array.shape and _all(_is_number, objects) else array


def _checked(array: Shaped[np.ndarray, "..."], name: str) -> Shaped[np.ndarray, "..."]:
    """Returns integers as they are where that is safe, and whole floats and objects as integers of the same value."""
    kind = array.dtype.kind
    if kind == "b":
        return array.astype(np.uint8)
    if kind == "u" and array.dtype.itemsize == 8:
        return array if array.max(initial=0) >= _WORD else array.astype(np.int64)
    if kind in "iuUT":
        return array
    if kind == "O" and _all(_is_text, array):
        return array.astype(str)
    if kind == "f":
        whole = np.isfinite(array) & (array == np.floor(array))
    elif kind == "O" and _all(_is_number, array):
        whole = np.asarray(_is_whole(array), np.bool_)
    else:
        raise InputError(
            f"{name} must hold integers or strings, got {brief(array)}; pass predicted labels, for example "
            "`predicted_labels(probabilities)`."
        )
    if not whole.all():
        place = tuple(int(i) for i in np.argwhere(~whole)[0])
        raise InputError(
            f"{name} holds {array[place]} at position {place}, which is not a label: pass integers or "
            "strings, for example `predicted_labels(probabilities)`, and mark missing runs with `mask` where the "
            "function takes one."
        )
    if kind == "f" and np.abs(array).max(initial=0).item() < _WORD:
        return array.astype(np.int64)
    exact = np.asarray(_integer(array))
    low, high = (exact.min(), exact.max()) if exact.size else (0, 0)
    if low < -_WORD or high >= 2 * _WORD or (low < 0 and high >= _WORD):
        return exact
    return exact.astype(np.int64 if high < _WORD else np.uint64)


_is_text = np.frompyfunc(lambda item: isinstance(item, str), 1, 1)
_is_number = np.frompyfunc(lambda item: isinstance(item, int | float | np.integer | np.floating | np.bool_), 1, 1)
_is_whole = np.frompyfunc(lambda item: isinstance(item, int | np.bool_) or item.is_integer(), 1, 1)
_integer = np.frompyfunc(int, 1, 1)


def _all(question: Callable[[Any], Any], array: Shaped[np.ndarray, "..."]) -> bool:
    return bool(np.all(question(array)))


def _needs_codes(labels: Shaped[np.ndarray, "..."]) -> bool:
    return labels.dtype.kind in "UTO" or labels.dtype == np.uint64


def _check_axis(array: Shaped[np.ndarray, "..."], axis: int, name: str) -> None:
    if array.ndim == 0:
        raise InputError(f"{name} must have a run axis, got the single value {array[()]}; pass [run, sample].")
    if not -array.ndim <= axis < array.ndim:
        raise InputError(f"axis={axis} is not an axis of {name}, which is {brief(array)}; pass the counted axis.")


def _runs(
    array: Shaped[np.ndarray, "..."], axis: int, num_classes: int | None, least: int, name: str
) -> Shaped[np.ndarray, "run ..."]:
    check_range(array, num_classes, name)
    array = np.moveaxis(array, axis, 0)
    if len(array) < least:
        raise InputError(
            f"{name} has {len(array)} runs along axis {axis}, fewer than the {least} needed; pass "
            f"{brief(array)} with more runs."
        )
    return array


def _mask_array(
    mask: ArrayLike | None, labels: Shaped[np.ndarray, "..."], axis: int, name: str
) -> Bool[np.ndarray, "..."] | None:
    """Checks that a mask is boolean and has the labels' shape."""
    if mask is None:
        return None
    array = to_numpy(mask, "mask")
    if array.dtype != np.bool_:
        raise InputError(f"mask must be boolean (True = present), got {brief(array)}; pass `mask != 0`.")
    if array.shape != labels.shape:
        first = np.moveaxis(array, axis, 0) if -array.ndim <= axis < array.ndim else array
        raise InputError(
            f"mask is {brief(first)} but {name} are {brief(np.moveaxis(labels, axis, 0))} (runs first); pass one value "
            "for each label."
        )
    return array
