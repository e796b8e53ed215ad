"""Whether a training was stable, at the edge of stability, or diverged, and which step crossed what."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, final

import numpy as np
from jaxtyping import Float, Integer

from reseed._arrays import ArrayLike, brief, to_numpy
from reseed._errors import InputError

State: TypeAlias = Literal["stable", "edge of stability", "diverged"]


@final
@dataclass(frozen=True)
class Diagnosis:
    """What a training's course says about its stability.

    Attributes:
        state: The verdict.
        diverged: The step at which the training diverged; None where it did not.
        crossed: The first measured step at which the sharpness was above the threshold; None where it never was.
        level: The median of sharpness over threshold in the second half of what was measured, up to the divergence; NaN
            where nothing was.
        sentence: The verdict in words.
    """

    state: State
    diverged: int | None
    crossed: int | None
    level: float
    sentence: str


def diagnose(
    loss: ArrayLike,
    sharpness: ArrayLike,
    threshold: ArrayLike,
    *,
    steps: ArrayLike | None = None,
    divergence: float = 10.0,
    after: int = 0,
    edge: float = 0.85,
) -> Diagnosis | tuple[Diagnosis, ...]:
    """Tell whether a training was stable, at the edge of stability, or diverged, and which step crossed what.

    It diverged where the loss is not finite, or more than ``divergence`` times that of the first step, at ``after`` or
    later. Else it was at the edge of stability where the median of sharpness / threshold in the second half of what was
    measured is ``edge`` or more: the sharpness then hovers at the threshold while the loss goes on falling. Else it was
    stable.

    Args:
        loss: [step] of one training, or [run, step].
        sharpness: Of the same shape; NaN at steps where it was not measured.
        threshold: One number, or one for each step, or of the same shape; rates that change make it change.
        steps: What the steps are called, whole numbers that ascend, [step]; default: 0, 1, 2 and so on.
        divergence: How many times the first loss counts as diverged.
        after: From which step on a high loss counts, such as the length of a warm-up; a loss that is not finite counts
            at every step.
        edge: From which level on a training counts as at the edge.

    Returns:
        The diagnosis; of [run, step] one for each run.

    Raises:
        InputError: Shapes do not fit, there are no steps, the first loss is not finite, a threshold is not a number
            above 0, or a training did not diverge and its sharpness was never measured.

    Examples:
        >>> found = diagnose([0.5, 0.4, 3.0, 80.0], [9.0, 21.0, 60.0, 90.0], 20.0)
        >>> found.state, found.crossed, found.diverged
        ('diverged', 1, 3)
        >>> print(found.sentence)
        Diverged at step 3, where the loss was 80, more than 10 times its first value, 0.5; the sharpness had crossed the threshold at step 1 (21 against 20).
        >>> diagnose([0.5, 0.4, 0.3], [9.0, 8.0, 7.0], 20.0).state
        'stable'

    References:
        Cohen et al., "Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability", ICLR 2021, arXiv
        2103.00065; Gilmer et al., 2021, arXiv 2110.04369.
    """  # noqa: E501
    losses, curvature, bound = (
        _numbers(loss, "loss"),
        _numbers(sharpness, "sharpness"),
        _numbers(threshold, "threshold"),
    )
    if losses.ndim not in (1, 2) or not losses.size:
        raise InputError(f"loss is {brief(losses)}; pass [step] or [run, step], with a step at least.")
    if curvature.shape != losses.shape:
        raise InputError(
            f"sharpness is {brief(curvature)} but loss is {brief(losses)}; pass one for each loss, NaN where it was "
            "not measured."
        )
    try:
        bound = np.broadcast_to(bound, losses.shape)
    except ValueError as error:
        raise InputError(f"threshold is {brief(bound)} but loss is {brief(losses)}; pass one for each step.") from error
    if not (bound > 0).all():
        raise InputError(f"threshold holds {bound[~(bound > 0)][0]:g}; every one must be a number above 0.")
    for name, value in (("divergence", divergence), ("edge", edge)):
        if not 0 < value < math.inf:
            raise InputError(f"{name} must be a finite number above 0, got {value!r}.")
    names = _steps(steps, losses.shape[-1])
    if losses.ndim == 1:
        return _of_run(losses, curvature, bound, names, divergence, after, edge, "")
    return tuple(
        _of_run(*each, names, divergence, after, edge, f" of run {run}")
        for run, each in enumerate(zip(losses, curvature, bound, strict=True))
    )


def _numbers(values: ArrayLike, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    array = to_numpy(values, name)
    if array.dtype.kind not in "iuf":
        raise InputError(f"{name} must hold numbers, got {brief(array)}; pass floating-point values.")
    return array.astype(np.float64)


def _steps(steps: ArrayLike | None, count: int) -> Integer[np.ndarray, " step"]:
    if steps is None:
        return np.arange(count)
    names = to_numpy(steps, "steps")
    if names.dtype.kind not in "iu" or names.shape != (count,) or (np.diff(names.astype(np.int64)) <= 0).any():
        raise InputError(f"steps is {brief(names)}; pass {count} whole numbers that ascend, one for each loss.")
    return names


def _of_run(
    loss: Float[np.ndarray, " step"],
    sharpness: Float[np.ndarray, " step"],
    threshold: Float[np.ndarray, " step"],
    steps: Integer[np.ndarray, " step"],
    divergence: float,
    after: int,
    edge: float,
    whose: str,
) -> Diagnosis:
    if not np.isfinite(loss[0]):
        raise InputError(f"loss{whose} begins with {loss[0]:g}; pass the losses from before training diverged on.")
    bad = ~np.isfinite(loss) | ((loss > divergence * loss[0]) & (steps >= after))
    end = int(np.argmax(bad)) if bad.any() else len(loss)
    measured = np.flatnonzero(np.isfinite(sharpness[: end + 1]))
    ratio = sharpness[measured] / threshold[measured]
    above = measured[ratio > 1]
    crossed = int(above[0]) if len(above) else None
    level = float(np.median(ratio[len(ratio) // 2 :])) if len(ratio) else math.nan
    if end < len(loss):
        why = _crossing(steps, sharpness, threshold, crossed, len(measured) > 0)
        sentence = f"Diverged at step {steps[end]}, where the loss was {_high(loss[end], loss[0], divergence)}; {why}."
        return Diagnosis("diverged", int(steps[end]), _named(steps, crossed), level, sentence)
    if not len(ratio):
        raise InputError(f"sharpness{whose} holds no number; measure it at one step at least.")
    state: State = "edge of stability" if level >= edge else "stable"
    return Diagnosis(state, None, _named(steps, crossed), level, _calm(state, steps, measured, ratio, crossed, level))


def _named(steps: Integer[np.ndarray, " step"], place: int | None) -> int | None:
    return None if place is None else int(steps[place])


def _high(loss: float, first: float, divergence: float) -> str:
    if not math.isfinite(loss):
        return "not finite"
    return f"{loss:.3g}, more than {divergence:g} times its first value, {first:.3g}"


def _crossing(
    steps: Integer[np.ndarray, " step"],
    sharpness: Float[np.ndarray, " step"],
    threshold: Float[np.ndarray, " step"],
    crossed: int | None,
    was_measured: bool,
) -> str:
    if crossed is not None:
        numbers = f"{sharpness[crossed]:.3g} against {threshold[crossed]:.3g}"
        return f"the sharpness had crossed the threshold at step {steps[crossed]} ({numbers})"
    return (
        "the sharpness was below the threshold whenever it was measured"
        if was_measured
        else ("the sharpness was not measured before")
    )


def _calm(
    state: State,
    steps: Integer[np.ndarray, " step"],
    measured: Integer[np.ndarray, " measured"],
    ratio: Float[np.ndarray, " measured"],
    crossed: int | None,
    level: float,
) -> str:
    if state == "edge of stability":
        since = "" if crossed is None else f", which it first crossed at step {steps[crossed]}"
        return f"At the edge of stability: the sharpness stays at {level:.2f} of the threshold{since}."
    if crossed is not None:
        return (
            f"Stable: the sharpness was above the threshold first at step {steps[crossed]}, and is {level:.2f} of it "
            "in the second half."
        )
    highest = int(np.argmax(ratio))
    return (
        f"Stable: the sharpness was {ratio[highest]:.2f} of the threshold at most, at step {steps[measured[highest]]}."
    )
