"""What every measure does before and after its arithmetic: take arrays in, check them, hand arrays back.

The arithmetic itself runs in numpy on the host: labels are small integers, and counting them is bound by
memory, not by arithmetic, so that a copy to the host costs less than a second implementation would.
"""

import warnings
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Bool, Float, Shaped

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
    """Copies nothing where it can: torch tensors come to the host, the rest goes through `numpy.asarray`.

    Masked arrays are refused if anything is masked: numpy would drop the mask and take what stands below it for values.
    What takes a mask reads them with `to_masked`.
    """
    array, present = to_masked(value, name)
    if present is not None:
        raise InputError(
            f"{name} is {brief(array)} with {np.count_nonzero(~present)} masked values, and this takes no mask; leave "
            "these runs or samples out, or write what stands for them with `.filled(value)`."
        )
    return array


def to_masked(value: ArrayLike, name: str) -> tuple[Shaped[np.ndarray, "..."], Bool[np.ndarray, "..."] | None]:
    """Returns a value as an array, and where a masked array, or a list of such, is not masked; None if nothing is."""
    if isinstance(value, torch.Tensor):
        host = value.detach().cpu()
        return (host.float() if host.dtype in (torch.bfloat16, torch.float16) else host).numpy(), None
    try:
        found = _stacked(value)
        array, masked = np.asarray(found), np.ma.getmaskarray(found) if isinstance(found, np.ma.MaskedArray) else None
    except ValueError as error:
        raise InputError(
            f"{name} is ragged: its rows differ in length ({error}); pass a rectangular array, "
            "and mark missing runs with `mask` where the function takes one."
        ) from error
    if array.dtype == object and all(isinstance(item, str) for item in array.flat):
        array = array.astype(str)
    return array, ~masked if masked is not None and masked.any() else None


def _stacked(value: Any) -> Any:
    """Joins lists of masked arrays, whose masks numpy would drop; returns everything else as it is."""
    kinds = set(map(type, value)) if isinstance(value, list | tuple) else set()
    if not any(issubclass(kind, list | tuple | np.ma.MaskedArray) for kind in kinds):
        return value
    rows = [_stacked(row) for row in value]
    return np.ma.stack(rows) if any(isinstance(row, np.ma.MaskedArray) for row in rows) else value


def give_back(result: Shaped[np.ndarray, "..."], *like: object) -> Result:
    """Returns `result` as a tensor on the device of the first tensor in `like`, if there is one."""
    for value in like:
        if isinstance(value, torch.Tensor):
            single = value.device.type == "mps" and result.dtype == np.float64  # that device has no float64
            return torch.from_numpy(np.asarray(result.astype(np.float32) if single else result)).to(value.device)
    return result[()]


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


def for_good(state: Bool[np.ndarray, "... checkpoint sample"]) -> Float[np.ndarray, "... sample"]:
    """Returns where the last unbroken stretch of True begins; inf where the last checkpoint is False."""
    checkpoints = state.shape[-2]
    from_end = np.argmin(state[..., ::-1, :], axis=-2)  # the first False from the end; 0 also where there is none
    start = np.where(state.all(axis=-2), 0, checkpoints - from_end)
    return np.where(state[..., -1, :], start.astype(np.float64), np.inf)
