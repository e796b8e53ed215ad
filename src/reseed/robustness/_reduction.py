"""From a value a sample to their mean, and what becomes of samples that are not counted."""

from __future__ import annotations

import warnings
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float

from reseed._arrays import ArrayLike, Result, brief, give_back, to_numpy
from reseed._errors import InputError

Reduction: TypeAlias = Literal["mean", "none"]
REDUCTIONS = ("mean", "none")


def check_reduction(reduction: object) -> None:
    """Raise on a reduction that there is none of."""
    if reduction not in REDUCTIONS:
        raise InputError(f"reduction={reduction!r} is unknown; pass 'mean', or 'none' for the value of each sample.")


def success_mask(success: ArrayLike, shape: tuple[int, ...], name: str = "success") -> Bool[np.ndarray, "... sample"]:
    """Return a mask of what is counted, checked to be boolean and of the shape of the values."""
    array = to_numpy(success, name)
    if array.dtype != np.bool_:
        raise InputError(
            f"{name} must be boolean (True = the attack succeeded), got {brief(array)}; pass `{name} != 0`."
        )
    if array.shape != shape:
        raise InputError(f"{name} is {brief(array)}, but there are values of {list(shape)}; pass one value for each.")
    return array


def reduced(
    values: Float[np.ndarray, "... sample"],
    counted: Bool[np.ndarray, "... sample"] | None,
    reduction: Reduction,
    what: str,
    *like: object,
) -> Result:
    """Return the mean over the samples that are counted and have a value, or each sample's value.

    Values of samples that are not counted become NaN. A mean of nothing is NaN, with a warning on the line that called
    the function that calls this one.
    """
    if counted is not None:
        values = np.where(counted, values, np.nan)
    if reduction == "none":
        return give_back(values, *like)
    defined = ~np.isnan(values)
    number = np.count_nonzero(defined, axis=-1)
    if not np.all(number):
        many = (
            "" if np.ndim(number) == 0 else f" of {np.count_nonzero(np.asarray(number) == 0)} of {np.size(number)} runs"
        )
        warnings.warn(f"no sample counts for {what}{many}; it is NaN.", RuntimeWarning, stacklevel=3)
    with np.errstate(invalid="ignore"):
        mean = np.asarray(np.where(defined, values, 0.0).sum(axis=-1) / number)
    return float(mean) if mean.ndim == 0 else give_back(mean, *like)
