"""What rounding alone does to numbers, by the type in which they were given: a limit missed by no more is reached."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from reseed._arrays import ArrayLike

ROUNDING = 1e-12  # what a few operations in double precision on numbers of about 1 may miss


def unit_roundoff(*values: ArrayLike) -> float:
    """Returns by which share of itself a number may have been rounded to the coarsest of the types; 0 for integers."""
    return max(_unit(_type(value)) for value in values)


def lowest_reaching(limit: float) -> float:
    """Returns from where on numbers in double precision reach a limit: those that miss it by rounding alone do."""
    return float(limit) - unit_roundoff(limit) * float(limit) - ROUNDING


def highest_reached(limit: float) -> float:
    """Returns up to where numbers in double precision do not exceed a limit, which is not negative."""
    return float(limit) * (1 + unit_roundoff(limit) + ROUNDING)


def in_type_of(numbers: Float[np.ndarray, "..."], like: ArrayLike) -> Float[np.ndarray, "..."]:
    """Rounds numbers as numbers of the type of `like` were; returns them in double precision."""
    kind = _type(like)
    if isinstance(kind, torch.dtype):
        return torch.from_numpy(numbers).to(kind).double().numpy() if kind.is_floating_point else numbers
    return numbers.astype(kind).astype(np.float64) if kind.kind == "f" else numbers


def bin_edges(bins: int, like: ArrayLike) -> Float[np.ndarray, " edge"]:
    """Returns k / bins, k = 0 .. bins, each as a number of the type of `like` that was meant to be this one."""
    return in_type_of(np.arange(bins + 1) / bins, like)


def _type(value: ArrayLike) -> torch.dtype | np.dtype[Any]:
    kind = getattr(value, "dtype", None)
    return kind if isinstance(kind, torch.dtype | np.dtype) else np.asarray(value).dtype


def _unit(kind: torch.dtype | np.dtype[Any]) -> float:
    if isinstance(kind, torch.dtype):
        return torch.finfo(kind).eps / 2 if kind.is_floating_point else 0.0
    return float(np.finfo(kind).eps) / 2 if kind.kind == "f" else 0.0
