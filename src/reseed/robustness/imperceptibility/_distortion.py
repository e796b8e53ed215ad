"""How large a change of an input is, as a norm."""

from __future__ import annotations

import math
import warnings
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from reseed._arrays import ArrayLike, Result, brief
from reseed._errors import InputError
from reseed.robustness._inputs import input_tensor, sample_shape, value_of_each
from reseed.robustness._reduction import Reduction, check_reduction, reduced, success_mask

Norm: TypeAlias = Literal["0", "1", "2", "inf", 0, 1, 2] | float
Normalise: TypeAlias = Literal["input", "none", "dim"]

_NORMS: dict[object, float] = {
    "0": 0.0,
    "1": 1.0,
    "2": 2.0,
    "inf": math.inf,
    0: 0.0,
    1: 1.0,
    2: 2.0,
    math.inf: math.inf,
}


def lp_distortion(
    clean: ArrayLike,
    perturbed: ArrayLike,
    norm: Norm = 2,
    *,
    normalise: Normalise = "input",
    success: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Result:
    """Return how large changes of inputs are: the average L_p distortion (ALDp).

        ALDp = (1 / n) sum_i ||x'_i - x_i||_p / ||x_i||_p

    over the n samples that count. Norms are of all numbers of a sample; that of order 0 counts those that are not zero,
    so that of a difference those that changed. Inputs in single precision are compared in it.

    Args:
        clean: Inputs [sample, ...].
        perturbed: The same inputs changed, [sample, ...]; or each run's own, [run, sample, ...].
        norm: 0, 1, 2 or "inf".
        normalise: What the norm of the change is divided by. "input": that of the clean input. "dim": that of a vector
            of ones, so that order 0 is the share of numbers that changed, 1 the mean change, 2 its root mean square.
            "none": nothing.
        success: Which samples count, True or False for each, [sample] or [run, sample]; default: all.
        reduction: "mean", or "none" for the value of each sample, NaN where it does not count.

    Returns:
        The mean, in [0, inf), a float or one for each run; or values [sample] or [run, sample], float64. Clean inputs
        that are zero throughout have no value under "input": they are left out of the mean, with a warning.

    Raises:
        InputError: Shapes do not fit, values that count are not finite, or the norm, normalisation or reduction is
            unknown.

    Examples:
        >>> clean, perturbed = [[3.0, 4.0], [1.0, 0.0]], [[3.0, 5.0], [1.0, 0.5]]
        >>> lp_distortion(clean, perturbed, 2, reduction="none")
        array([0.2, 0.5])
        >>> lp_distortion(clean, perturbed, "inf", normalise="none")
        0.75
    """
    order = _NORMS.get(norm)
    if order is None:
        raise InputError(f"norm={norm!r} is unknown; pass 0, 1, 2 or 'inf'.")
    if normalise not in ("input", "none", "dim"):
        raise InputError(f"normalise={normalise!r} is unknown; pass 'input', 'none' or 'dim'.")
    check_reduction(reduction)
    before, after = input_tensor(clean, "clean"), input_tensor(perturbed, "perturbed")
    shape = sample_shape(before, after)
    counted = None if success is None else success_mask(success, shape)

    def measure(x: Tensor, changed: Tensor) -> Tensor:
        size = _norms(changed - x, order)
        if normalise == "input":
            return size / _norms(x, order)
        return size / _of_ones(x[0].numel(), order) if normalise == "dim" else size

    values = value_of_each(before, after, measure, counted=counted, single=True)
    undefined = ~np.isfinite(values) if counted is None else ~np.isfinite(values) & counted
    if undefined.any():  # only then are inputs looked through for the reason
        _check_finite(before, after)
        _warn_empty(int(undefined.sum()), values.size if counted is None else int(counted.sum()))
        values = np.where(undefined, np.nan, values)
    return reduced(values, counted, reduction, "the distortion", perturbed, clean)


def _norms(block: Tensor, order: float) -> Tensor:
    flat = block.flatten(1)
    if order == 0:  # in floats throughout, whose sums are several times as fast as those of booleans
        return flat.abs().sign_().sum(dim=1)
    if order == math.inf and flat.shape[1]:  # `vector_norm` takes ten times as long
        return torch.maximum(flat.amax(dim=1), -flat.amin(dim=1))
    return flat.abs().sum(dim=1) if order == 1 else torch.linalg.vector_norm(flat, order, dim=1)


def _of_ones(numbers: int, order: float) -> float:
    return float(numbers) if order == 0 else float(numbers ** (1 / order))


def _check_finite(clean: Tensor, perturbed: Tensor) -> None:
    for name, given in (("clean", clean), ("perturbed", perturbed)):
        bad = ~given.isfinite()
        if bad.any():
            place = tuple(bad.nonzero()[0].tolist())
            raise InputError(
                f"{name} is {brief(given)} and holds {given[place].item()} at position {place}; pass finite inputs."
            )


def _warn_empty(lost: int, asked: int) -> None:
    """Warn, on the caller's line, of finite inputs whose norm is divided by that of nothing but zeros."""
    warnings.warn(
        f"{lost} of {asked} clean inputs are zero throughout, so that their relative distortion has no value; they "
        "are NaN and left out of the mean. normalise='none' keeps them.",
        RuntimeWarning,
        stacklevel=3,
    )
