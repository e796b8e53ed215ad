"""What every measure does before and after its arithmetic: take arrays in, check them, hand arrays back.

The arithmetic itself runs in numpy on the host: labels are small integers, and counting them is bound by
memory, not by arithmetic, so that a copy to the host costs less than a second implementation would.
"""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Bool, Shaped

from reseed._errors import InputError
from reseed._simplex import TOLERANCE

if TYPE_CHECKING:
    import numpy.typing as npt

    ArrayLike: TypeAlias = npt.ArrayLike | torch.Tensor
else:
    ArrayLike: TypeAlias = Any  # numpy, torch on any device, lists, anything with `__array__`

# What a measure returns: a torch tensor on the argument's device where the argument was one, else a numpy
# array.
Result: TypeAlias = Any


def brief(value: object) -> str:
    """Shows a value in an error message: arrays as `int64[50, 3]`, anything else as its shortened `repr`."""
    if isinstance(value, np.ndarray | torch.Tensor):
        kind = str(value.dtype).removeprefix("torch.")
        return f"{kind}[{', '.join(map(str, value.shape))}]"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def undefined(message: str) -> None:
    """Warns, on the caller's line, that a result is NaN because it has no value."""
    warnings.warn(message, RuntimeWarning, stacklevel=3)


def warn_lost(lost: Bool[np.ndarray, "..."], measure: str, least: int) -> None:
    """Warns, on the caller's line, where a mask leaves samples too few runs for a measure."""
    if lost.any():
        warnings.warn(
            f"the mask leaves {np.count_nonzero(lost)} of {lost.size} samples with fewer runs than the "
            f"{least} that {measure} needs; it is NaN there.",
            RuntimeWarning,
            stacklevel=3,
        )


def to_numpy(value: ArrayLike, name: str) -> Shaped[np.ndarray, "..."]:
    """Copies nothing where it can: torch tensors come to the host, the rest goes through `numpy.asarray`."""
    if isinstance(value, torch.Tensor):
        host = value.detach().cpu()
        return (host.float() if host.dtype in (torch.bfloat16, torch.float16) else host).numpy()
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InputError(
            f"{name} is ragged: its rows differ in length ({error}); pass a rectangular array, "
            "and mark missing runs with `mask` where the function takes one."
        ) from error
    if array.dtype == object and all(isinstance(item, str) for item in array.flat):
        return array.astype(str)
    return array


def give_back(result: Shaped[np.ndarray, "..."], *like: object) -> Result:
    """Returns `result` as a tensor on the device of the first tensor in `like`, if there is one."""
    for value in like:
        if isinstance(value, torch.Tensor):
            single = value.device.type == "mps" and result.dtype == np.float64  # that device has no float64
            return torch.from_numpy(np.asarray(result.astype(np.float32) if single else result)).to(value.device)
    return result[()]


def label_array(labels: ArrayLike, name: str = "labels") -> Shaped[np.ndarray, "..."]:
    """Checks that labels are whole numbers or strings, and returns them as integers or strings."""
    array = to_numpy(labels, name)
    kind = array.dtype.kind
    if kind == "b":
        return array.astype(np.uint8)
    if kind == "u" and array.dtype.itemsize == 8:
        return array.astype(np.int64)
    if kind in "iuUT":
        return array
    if kind != "f":
        raise InputError(
            f"{name} must hold integers or strings, got {brief(array)}; pass predicted labels, for example "
            "`predicted_labels(probabilities)`."
        )
    bad = ~np.isfinite(array) | (array != np.floor(array))
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            f"{name} holds {array[place]} at position {place}, which is not a label: pass integers or "
            "strings, for example `predicted_labels(probabilities)`, and mark missing runs with `mask`."
        )
    return array.astype(np.int64)


def encode(labels: Shaped[np.ndarray, "*axes"]) -> tuple[Shaped[np.ndarray, "*axes"], Callable[[Any], Any]]:
    """Turns strings into integers of the same order; the function returned turns them back."""
    if labels.dtype.kind not in "UT":
        return labels, lambda codes: codes
    names, codes = np.unique(labels, return_inverse=True)
    return codes.reshape(labels.shape), lambda codes: names[codes]


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


def run_axis_first(
    labels: ArrayLike, *, axis: int = 0, num_classes: int | None = None, least: int = 1, name: str = "labels"
) -> Shaped[np.ndarray, "run ..."]:
    """Checks labels and moves the counted axis to the front; raises where it is shorter than `least`."""
    array = label_array(labels, name)
    if array.ndim == 0:
        raise InputError(f"{name} must have a run axis, got the single value {array[()]}; pass [run, sample].")
    if not -array.ndim <= axis < array.ndim:
        raise InputError(f"axis={axis} is not an axis of {name}, which is {brief(array)}; pass the counted axis.")
    check_range(array, num_classes, name)
    array = np.moveaxis(array, axis, 0)
    if len(array) < least:
        raise InputError(
            f"{name} has {len(array)} runs along axis {axis}, fewer than the {least} needed; pass "
            f"{brief(array)} with more runs."
        )
    return array


def mask_array(
    mask: ArrayLike | None, labels: Shaped[np.ndarray, "run ..."], axis: int = 0
) -> Bool[np.ndarray, "run ..."] | None:
    """Checks that a mask is boolean and has the labels' shape; moves its counted axis to the front."""
    if mask is None:
        return None
    array = to_numpy(mask, "mask")
    if array.dtype != np.bool_:
        raise InputError(f"mask must be boolean (True = present), got {brief(array)}; pass `mask != 0`.")
    moved = np.moveaxis(array, axis, 0) if -array.ndim <= axis < array.ndim else array
    if moved.shape != labels.shape:
        raise InputError(
            f"mask is {brief(moved)} but labels are {brief(labels)} (runs first); pass one value for each label."
        )
    return moved


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


def check_in_unit(values: Shaped[np.ndarray, "..."], name: str) -> None:
    """Raises unless all values are probabilities, rounding forgiven."""
    outside = (values < -TOLERANCE) | (values > 1 + TOLERANCE)
    if outside.any():
        place = tuple(int(i) for i in np.argwhere(outside)[0])
        raise InputError(
            f"{name} holds {values[place]:.6g} at position {place}, outside [0, 1]; pass probabilities, not logits."
        )


def float_array(values: ArrayLike, name: str) -> Shaped[np.ndarray, "..."]:
    """Returns numbers as a floating-point array of at least one axis; raises on anything else and on NaN."""
    array = to_numpy(values, name)
    if array.dtype.kind not in "iufb":
        raise InputError(f"{name} must hold numbers, got {brief(array)}; pass floating-point values.")
    if array.ndim == 0:
        raise InputError(f"{name} must be an array, got the single value {array[()]}; pass at least one axis.")
    array = array if array.dtype.kind == "f" else array.astype(np.float64)
    if np.isnan(array).any():
        place = tuple(int(i) for i in np.argwhere(np.isnan(array))[0])
        raise InputError(f"{name} holds NaN at position {place}; find the run that diverged and leave it out.")
    return array
