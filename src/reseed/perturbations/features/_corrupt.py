"""Vectors of features with noise, by name and severity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, final

import torch
from torch import Tensor

from reseed._arrays import ArrayLike, Result, brief, give_back, to_numpy
from reseed._draws import item_normal, item_uniform
from reseed._errors import InputError
from reseed.perturbations._corruptions import check_severity, draws_key, item_numbers, named

_DEVIATIONS = (0.1, 0.2, 0.4, 0.6, 1.0)
_FACTORS = (0.15, 0.2, 0.35, 0.45, 0.6)
_SHARES = (0.03, 0.06, 0.09, 0.17, 0.27)
_STEPS = (0.25, 0.5, 1.0, 1.5, 2.0)


@final
@dataclass(frozen=True, eq=False)
class Asked:
    """What a corruption of features is given.

    Attributes:
        inputs: [sample, feature].
        amount: Its constant at the severity that is asked for.
        normal: Returns standard normal numbers [sample, feature], by the number of a question.
        uniform: Returns numbers uniform in [0, 1), [sample, feature].
        scale: What a deviation of 1 is, [feature]; None where nobody said.
        bounds: The least and the largest value of each feature, [feature]; None where nobody said.
        columns: Rows from which values are taken, [row, feature]; None where nobody said.
        fill: What stands where a value is dropped, [feature].
    """

    inputs: Tensor
    amount: float
    normal: Callable[[int], Tensor]
    uniform: Callable[[int], Tensor]
    scale: Tensor | None
    bounds: tuple[Tensor, Tensor] | None
    columns: Tensor | None
    fill: Tensor


@final
@dataclass(frozen=True)
class FeatureCorruption:
    """A kind of noise on features.

    Attributes:
        about: What it does.
        amounts: Its constant at severity 1 to 5.
        change: Returns the changed inputs [sample, feature].
    """

    about: str
    amounts: tuple[float, float, float, float, float]
    change: Callable[[Asked], Tensor]


def _gaussian(asked: Asked) -> Tensor:
    return asked.inputs + asked.amount * _scale(asked, "gaussian_noise") * asked.normal(0)


def _uniform(asked: Asked) -> Tensor:
    return asked.inputs + 12**0.5 * asked.amount * _scale(asked, "uniform_noise") * (asked.uniform(0) - 0.5)


def _speckle(asked: Asked) -> Tensor:
    return asked.inputs * (1 + asked.amount * asked.normal(0))


def _impulse(asked: Asked) -> Tensor:
    drawn = asked.uniform(1)
    if asked.columns is not None:
        rows = (drawn.double() * len(asked.columns)).long().clamp_(max=len(asked.columns) - 1)
        values = asked.columns.gather(0, rows)
    elif asked.bounds is not None:
        low, high = asked.bounds
        values = low + (high - low) * drawn
    else:
        raise InputError(
            "impulse_noise needs to know which values features have: pass bounds=(low, high), or columns, such as the "
            "inputs of the training split."
        )
    return torch.where(asked.uniform(0) < asked.amount, values, asked.inputs)


def _dropped(asked: Asked) -> Tensor:
    return torch.where(asked.uniform(0) < asked.amount, asked.fill, asked.inputs)


def _rounded(asked: Asked) -> Tensor:
    step = asked.amount * _scale(asked, "rounding")
    return torch.where(step > 0, (asked.inputs / step).round() * step, asked.inputs)


def _scale(asked: Asked, name: str) -> Tensor:
    if asked.scale is None:
        raise InputError(
            f"{name} needs a scale, what a deviation of 1 is in each feature: pass scale=train.std(0) of the training "
            "split, or one number."
        )
    return asked.scale


FEATURE_CORRUPTIONS: Mapping[str, FeatureCorruption] = MappingProxyType(
    {
        "gaussian_noise": FeatureCorruption("normal noise", _DEVIATIONS, _gaussian),
        "uniform_noise": FeatureCorruption("uniform noise of the same deviation", _DEVIATIONS, _uniform),
        "speckle_noise": FeatureCorruption("normal noise in proportion to the value", _FACTORS, _speckle),
        "impulse_noise": FeatureCorruption("values replaced by any that the feature can have", _SHARES, _impulse),
        "dropped": FeatureCorruption("values replaced by one that says nothing", _SHARES, _dropped),
        "rounding": FeatureCorruption("values rounded", _STEPS, _rounded),
    }
)
"""The corruptions of features by name."""


def corrupt_features(
    inputs: ArrayLike,
    name: str,
    severity: int,
    *,
    scale: ArrayLike | None = None,
    seed: int = 0,
    items: ArrayLike | None = None,
    frozen: ArrayLike | None = None,
    bounds: tuple[ArrayLike, ArrayLike] | None = None,
    columns: ArrayLike | None = None,
    fill: ArrayLike = 0.0,
) -> Result:
    """Return vectors of features with noise.

    With x a value, s the scale of its feature, N standard normal and U uniform in [0, 1), drawn for each value:

    ============== ============================================================= =========================
    name           what becomes of x                                             c at severity 1 to 5
    ============== ============================================================= =========================
    gaussian_noise x + c s N                                                     .1, .2, .4, .6, 1
    uniform_noise  x + c s sqrt(12) (U - 1/2), of the same deviation             .1, .2, .4, .6, 1
    speckle_noise  x (1 + c N)                                                   .15, .2, .35, .45, .6
    impulse_noise  with probability c another value of the feature: of a row of  .03, .06, .09, .17, .27
                   ``columns`` if these are given, else uniform in ``bounds``
    dropped        with probability c ``fill``                                   .03, .06, .09, .17, .27
    rounding       the nearest multiple of c s; nothing is drawn                 .25, .5, 1, 1.5, 2
    ============== ============================================================= =========================

    Then it is brought into ``bounds``, where these are given. What happens to a sample is a function of the seed, the
    name, the severity, the number of its item and its values alone. Severities have the same draws, so a stronger one
    is more of the same.

    Args:
        inputs: Floating-point numbers [sample, feature].
        name: One of `FEATURE_CORRUPTIONS`.
        severity: From 1 (weak) to 5 (strong).
        scale: What a deviation of 1 is, one number or [feature], such as ``train.std(0)``.
        seed: Of the draws.
        items: The number of each sample, by which is drawn for it, [sample]; default: 0, 1, 2, ...
        frozen: Where true features stay as they are, bool [feature].
        bounds: The least and the largest value, each one number or [feature]. Inputs lie inside.
        columns: Rows whose values impulse noise takes, [row, feature], such as the inputs of the training split.
        fill: What stands where a value is dropped, one number or [feature], such as ``train.median(0).values``.

    Returns:
        [sample, feature], of the type and on the device of the inputs.

    Raises:
        InputError: An argument is of the wrong shape or range, or what the noise needs is not given.

    Examples:
        >>> features = torch.tensor([[1.0, 20.0], [2.0, 40.0]])
        >>> corrupt_features(features, "rounding", 3, scale=[1.0, 30.0])
        tensor([[ 1., 30.],
                [ 2., 30.]])
        >>> noisy = corrupt_features(features, "gaussian_noise", 1, scale=features.std(0), frozen=[True, False])
        >>> (noisy == features).tolist()
        [[True, False], [True, False]]
    """
    corruption = named(name, FEATURE_CORRUPTIONS, "corruption of features")
    check_severity(severity)
    values = _numbers(inputs)
    count, width = values.shape
    numbers = item_numbers(items, count).to(values.device)
    limits = None if bounds is None else _limits(bounds, values)
    still = None if frozen is None else _frozen(frozen, values)
    asked = Asked(
        values,
        corruption.amounts[severity - 1],
        lambda question: item_normal(draws_key(seed, name, question), numbers, (width,)).to(values.dtype),
        lambda question: item_uniform(draws_key(seed, name, question), numbers, (width,)).to(values.dtype),
        None if scale is None else _each(scale, "scale", values, least=0.0),
        limits,
        None if columns is None else _columns(columns, values),
        _each(fill, "fill", values),
    )
    draws_key(seed, name)  # a wrong seed is refused by noise that draws nothing as well
    changed = corruption.change(asked)
    if limits is not None:
        changed = changed.clamp(*limits)
    if still is not None:
        changed = torch.where(still, values, changed)
    return changed if isinstance(inputs, Tensor) else give_back(changed.numpy())


def _numbers(inputs: ArrayLike) -> Tensor:
    found = inputs.detach() if isinstance(inputs, Tensor) else torch.from_numpy(to_numpy(inputs, "inputs").copy())
    if found.ndim != 2 or not found.is_floating_point():
        raise InputError(
            f"inputs must be floating-point numbers [sample, feature], got {brief(found)}; of images see "
            "corrupt_images, of texts corrupt_texts."
        )
    _check_finite(found, "inputs")
    return found


def _each(value: ArrayLike, name: str, inputs: Tensor, least: float | None = None) -> Tensor:
    """Return one number for each feature, [feature]."""
    found = _like(value, name, inputs)
    width = inputs.shape[1]
    if found.ndim > 1 or (found.ndim == 1 and len(found) != width):
        raise InputError(f"{name} must be one number or one for each of {width} features, got {brief(found)}.")
    _check_finite(found, name)
    if least is not None and bool((found < least).any()):
        raise InputError(f"{name} must be {least:g} or more, got {float(found.min()):g}.")
    return found.expand(width)


def _limits(bounds: Any, inputs: Tensor) -> tuple[Tensor, Tensor]:
    if not isinstance(bounds, tuple | list) or len(bounds) != 2:
        raise InputError(f"bounds must be a pair (low, high), got {brief(bounds)}.")
    low, high = (_each(bound, "bounds", inputs) for bound in bounds)
    if bool((low > high).any()):
        first = int((low > high).nonzero()[0])
        raise InputError(f"bounds are reversed: feature {first} has {float(low[first]):g} and {float(high[first]):g}.")
    outside = (inputs < low) | (inputs > high)
    if bool(outside.any()):
        sample, feature = map(int, outside.nonzero()[0])
        raise InputError(
            f"inputs lie outside bounds: feature {feature} of sample {sample} is {float(inputs[sample, feature]):g}, "
            f"not in [{float(low[feature]):g}, {float(high[feature]):g}]; pass bounds that hold for all samples."
        )
    return low, high


def _frozen(frozen: ArrayLike, inputs: Tensor) -> Tensor:
    found = to_numpy(frozen, "frozen")
    if found.dtype.kind != "b" or found.shape != inputs.shape[1:]:
        raise InputError(f"frozen must say true or false of each of {inputs.shape[1]} features, got {brief(found)}.")
    return torch.from_numpy(found).to(inputs.device)


def _columns(columns: ArrayLike, inputs: Tensor) -> Tensor:
    found = _like(columns, "columns", inputs)
    if found.ndim != 2 or found.shape[1] != inputs.shape[1] or not len(found):
        raise InputError(f"columns must be rows of {inputs.shape[1]} features, one or more, got {brief(found)}.")
    _check_finite(found, "columns")
    return found


def _like(value: ArrayLike, name: str, inputs: Tensor) -> Tensor:
    found: Any = to_numpy(value, name)
    if found.dtype.kind not in "iuf":
        raise InputError(f"{name} must hold numbers, got {brief(found)}.")
    return torch.as_tensor(found.copy(), dtype=inputs.dtype, device=inputs.device)


def _check_finite(values: Tensor, name: str) -> None:
    if not bool(values.isfinite().all()):
        place = tuple(map(int, (~values.isfinite()).nonzero()[0]))
        raise InputError(f"{name} holds {float(values[place])} at position {place}; fill or drop what is missing.")
