"""What attacks are given: checked once, and brought into the form in which they search."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from reseed._arrays import brief, to_numpy
from reseed._errors import InputError, InputTypeError
from reseed.perturbations.attacks.core._asked import Asked
from reseed.perturbations.attacks.core._budget import Budget, Norm, ball_and_box, radius_of

Numbers = ArrayLike | Tensor
Bounds = tuple[Numbers, Numbers] | None
_TYPES = (torch.float32, torch.float64)


@final
@dataclass(frozen=True, eq=False)
class Given:
    """Inputs as they were given, and as the model takes them.

    Attributes:
        exact: In the type given, on the device of the model, [sample, ...].
        placed: In the type that the model computes with.
        was_tensor: Whether they were a tensor.
        device: Where they came from.
    """

    exact: Tensor
    placed: Tensor
    was_tensor: bool
    device: torch.device

    def returned(self, found: Tensor, distance: Tensor) -> Tensor:
        """Return changed inputs [..., sample, ...] in the type given; those at no distance as they were given."""
        there = found.to(self.exact.dtype)
        moved = (distance > 0).view(*distance.shape, *[1] * (self.exact.ndim - 1))
        return torch.where(moved, there, self.exact)

    def like(self, value: Tensor) -> Any:
        """Return a result as what the inputs were: a tensor on their device, or a numpy array."""
        return value.to(self.device) if self.was_tensor else value.cpu().numpy()


def given_inputs(inputs: Numbers, asked: Asked) -> Given:
    """Return inputs as attacks need them.

    Raises:
        InputTypeError: They are whole numbers, or of another type than single and double precision.
        InputError: They are empty, of one axis, or not finite.
    """
    was_tensor = isinstance(inputs, Tensor)
    found = inputs.detach() if isinstance(inputs, Tensor) else _from_array(inputs)
    if not found.is_floating_point():
        raise InputTypeError(
            f"inputs are whole numbers ({str(found.dtype).removeprefix('torch.')}), which cannot be changed a little; "
            "pass images as floats in [0, 1] (images / 255.0), and token ids as embeddings (see "
            "reseed.models.embedding_network)."
        )
    if found.dtype not in _TYPES:
        raise InputTypeError(
            f"inputs are {str(found.dtype).removeprefix('torch.')}, too coarse for budgets to be held; pass float32."
        )
    if found.ndim < 2 or not found.numel():
        raise InputError(f"inputs have the shape {tuple(found.shape)}; pass [sample, ...] with a sample or more.")
    if not bool(found.isfinite().all()):
        raise InputError("inputs hold NaN or infinite values; fill or leave out these samples.")
    placed = asked.placed(found)
    return Given(found.to(placed.device), placed, was_tensor, found.device)


def _from_array(inputs: Numbers) -> Tensor:
    array = to_numpy(inputs, "inputs")
    if array.dtype.kind not in "iufb":
        raise InputTypeError(
            f"inputs must be numbers, a tensor or an array [sample, ...], got {brief(inputs)}; of a study pass "
            "study.inputs().inputs, and texts as what the model reads."
        )
    return torch.from_numpy(np.ascontiguousarray(array))


def labels_of(labels: Numbers, name: str, given: Given, runs: int | None) -> Tensor:
    """Return classes, one for each run and input, [run, sample].

    Args:
        labels: One for each input, [sample], or of networks also [run, sample].
        name: What the argument is called.
        given: The inputs.
        runs: How many networks there are; None where it is a single model.

    Raises:
        InputTypeError: They are no whole numbers.
        InputError: There are more or fewer of them than inputs.
    """
    array = to_numpy(labels, name)
    if array.dtype.kind not in "iu":
        raise InputTypeError(f"{name} must be whole numbers, the classes [sample], got {array.dtype}.")
    samples = len(given.placed)
    if array.shape != (samples,) and (runs is None or array.shape != (runs, samples)):
        each = "each input" if runs is None else "each input, [sample] or [run, sample]"
        raise InputError(f"{name} has the shape {array.shape} for {samples} inputs; pass one class for {each}.")
    return torch.from_numpy(array.astype(np.int64)).to(given.placed.device).expand(runs or 1, samples)


def budget_for(
    given: Given,
    epsilon: float | Numbers | None,
    norm: Norm,
    bounds: Bounds,
    frozen: Numbers | None,
    *,
    is_minimal: bool,
) -> Budget:
    """Return where changed inputs may lie.

    Raises:
        InputError: The budget or the bounds are out of their range, or inputs lie outside the bounds.
    """
    clean = given.placed
    low, high = _bounds(given, bounds)
    radius = _radius(epsilon, norm, clean, is_minimal=is_minimal)
    free = None if frozen is None else ~_mask(frozen, clean)
    lower, upper = ball_and_box(clean, given.exact, radius, low, high, norm, free)
    largest = float(radius.max())
    share = (radius / largest if largest < math.inf else torch.ones_like(radius)).to(clean.dtype)
    inner = radius_of(clean, given.exact, largest, norm)
    return Budget(norm, largest, share, clean, lower, upper, inner, free)


def _bounds(given: Given, bounds: Bounds) -> tuple[Tensor, Tensor]:
    if bounds is None:
        bounds = (-math.inf, math.inf)
    if len(bounds) != 2:
        raise InputError(f"bounds must be two, the least and the largest value of inputs, got {bounds!r}.")
    low, high = (_features(bound, name, given.exact) for bound, name in zip(bounds, ("lower", "upper"), strict=True))
    if bool((low >= high).any()):
        raise InputError(f"bounds are {bounds!r}; the lower must be below the upper one.")
    exact = given.exact
    if bool(((exact < low) | (exact > high)).any()):
        least, most = (float(value) for value in exact.aminmax())
        raise InputError(
            f"inputs lie between {least:.4g} and {most:.4g}, outside bounds {_brief(low)} to {_brief(high)}; pass "
            "bounds=(least, largest) of your inputs, or None for no bounds. If they were normalised, give the model "
            "inputs in [0, 1] and normalise inside it, so that a budget means what it says."
        )
    return low, high


def _radius(epsilon: float | Numbers | None, norm: Norm, clean: Tensor, *, is_minimal: bool) -> Tensor:
    if epsilon is None:
        if not is_minimal:
            raise InputError("epsilon is None; give the budget, a number above 0 in the units of the inputs.")
        return torch.full((), math.inf, dtype=torch.float64, device=clean.device)
    radius = _features(epsilon, "epsilon", clean)
    if not bool((radius > 0).all()) or (not is_minimal and not bool(radius.isfinite().all())):
        raise InputError(
            f"epsilon must be above 0 and finite, got {_brief(radius)}; it is how far inputs may be changed, in their "
            "own units. Features that may not change belong in frozen."
        )
    if radius.ndim and norm != "inf":
        raise InputError(f"epsilon has a value for each feature, which the norm {norm!r} cannot have; pass one number.")
    return radius


def _features(value: float | Numbers, name: str, like: Tensor) -> Tensor:
    """Return a number, or one for each feature, in double precision."""
    array = to_numpy(value, name)
    if array.dtype.kind not in "iuf":
        raise InputTypeError(f"{name} must be a number, or one for each feature, got {array.dtype}.")
    found = torch.from_numpy(array.astype(np.float64)).to(like.device)
    _check_shape(found, name, like)
    if bool(found.isnan().any()):
        raise InputError(f"{name} is NaN; pass a number.")
    return found


def _mask(frozen: Numbers, like: Tensor) -> Tensor:
    array = to_numpy(frozen, "frozen")
    if array.dtype.kind != "b":
        raise InputTypeError(f"frozen must be true where features stay as they are, got {array.dtype}.")
    found = torch.from_numpy(np.ascontiguousarray(array)).to(like.device)
    _check_shape(found, "frozen", like)
    if bool(found.all()):
        raise InputError("frozen is true everywhere, so that nothing may change.")
    return found


def _check_shape(found: Tensor, name: str, like: Tensor) -> None:
    shape = tuple(like.shape[1:])
    try:
        fits = np.broadcast_shapes(tuple(found.shape), shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise InputError(f"{name} has the shape {tuple(found.shape)}, and a sample has {shape}; pass one of a sample.")


def _brief(values: Tensor) -> str:
    least, most = float(values.min()), float(values.max())
    return f"{least:g}" if least == most else f"{least:g} to {most:g}"
