"""The curvature along a direction by forward passes alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from reseed._arrays import undefined
from reseed._errors import InputError
from reseed._numbers import check_whole
from reseed.curvature.operators._risk import EmpiricalRisk

Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]


@final
@dataclass(frozen=True, eq=False)
class CriticalSharpness:
    """The learning rate at which a step makes the loss larger, and the sharpness that this is the edge of.

    Attributes:
        sharpness: 2 / rate, [run].
        rate: The rate at which the loss is as high as before the step, [run].
        passes: How many times the loss was evaluated.
    """

    sharpness: Float[Tensor, " run"]
    rate: Float[Tensor, " run"]
    passes: int


def critical_sharpness(
    risk: EmpiricalRisk, direction: Tensor | None = None, *, tolerance: float = 0.01, most: int = 32
) -> CriticalSharpness:
    """Return the curvature along a direction by forward passes alone: 2 over the rate at which the loss begins to rise.

        2 / r,   r the smallest rate at which L(w - r d) exceeds L(w)

    On a quadratic it is d'H d / g'd, along the gradient ``g'H g / |g|^2``, and needs three passes. Unlike the curvature
    it looks as far as the step goes, and needs no second derivatives.

    Args:
        risk: See `empirical_risk`.
        direction: What steps subtract, with the sign of a gradient, [run, parameter] or [parameter]; default: the
            gradient.
        tolerance: The relative error of the rate at which the search ends.
        most: How many passes it may take.

    Returns:
        Numbers of each run, float64. NaN, with a warning, where the loss rises at once along the direction, where no
        rise was found, or where it was not found as exactly as asked.

    Raises:
        InputError: The direction has another shape or numbers that are not finite, an option is out of its range, or
            as of `EmpiricalRisk.gradient`.

    Examples:
        >>> from reseed.curvature import empirical_risk
        >>> model = torch.nn.Linear(1, 1, bias=False)
        >>> risk = empirical_risk(model, [[2.0]], [[3.0]], loss="squared_error", dtype=torch.float64)
        >>> critical_sharpness(risk).sharpness.round(decimals=6)  # 2 x^2
        tensor([8.], dtype=torch.float64)

    References:
        Kalra et al., arXiv 2601.16979.
    """
    check_whole("most", most)
    if not 0 < tolerance < 1:
        raise InputError(f"tolerance must be a number in (0, 1), got {tolerance!r}.")
    gradient = risk.gradient()
    along = _direction(risk, direction, gradient)
    start = risk.losses().double()
    slope = (gradient * along).double().sum(1)
    search = _Search(start.cpu().numpy(), slope.cpu().numpy(), tolerance)
    passes = 1
    while passes < most and not search.is_over:
        rates = torch.from_numpy(search.rates).to(risk.weights)
        search.take(risk.at(risk.weights - rates[:, None] * along).losses().double().cpu().numpy())
        passes += 1
    found = search.found
    if np.isnan(found).any():
        undefined(
            f"{int(np.isnan(found).sum())} of {risk.runs} runs have no critical sharpness, which is NaN: along the "
            f"direction the loss rises at once, or not at all, or {most} passes were too few."
        )
    rate = torch.from_numpy(found)
    return CriticalSharpness(2 / rate, rate, passes)


def _direction(risk: EmpiricalRisk, direction: Tensor | None, gradient: Tensor) -> Tensor:
    if direction is None:
        return gradient
    if direction.shape not in (risk.weights.shape, risk.weights.shape[1:]):
        raise InputError(
            f"direction is {tuple(direction.shape)}; pass {tuple(risk.weights.shape)}, [run, parameter], or "
            f"{tuple(risk.weights.shape[1:])}, [parameter]."
        )
    if not bool(direction.isfinite().all()):
        raise InputError("direction holds numbers that are not finite; pass the step of a training that goes on.")
    return direction.detach().to(risk.weights).expand_as(risk.weights)


class _Search:
    """A search for the root of m(r) = (L(w - r d) - L(w)) / r of each run, which on a quadratic is linear in r.

    m(0) is minus the slope, and from a rate at which the loss rises false position leads to the root of a line at once.
    Where the same end of the bracket stays twice, its value is halved (the Illinois algorithm). The root is found where
    |m| is a small share of the slope, which on a quadratic is the relative error of the rate, or where the bracket is
    that narrow.
    """

    def __init__(self, start: Numbers, slope: Numbers, tolerance: float) -> None:
        self._start, self._slope, self._tolerance = start, slope, tolerance
        self._low, self._low_value = np.zeros_like(start), -slope
        self._high, self._high_value = np.full_like(start, np.inf), np.full_like(start, np.inf)
        with np.errstate(divide="ignore", invalid="ignore"):
            guess = 4 * np.abs(start) / slope  # where a parabola rises whose lowest loss is 0
        self.rates = np.where(np.isfinite(guess) & (guess > 0), guess, 1.0)
        self._stayed = np.zeros(len(start), np.int64)  # which end did: -1 the low one, 1 the high one
        self.found = np.full_like(start, np.nan)
        self._is_over = ~(slope > 0)

    @property
    def is_over(self) -> bool:
        """Whether every run's root is found, or there is none."""
        return bool(self._is_over.all())

    def take(self, losses: Numbers) -> None:
        """Take the losses at the rates, [run], and choose the next rates."""
        with np.errstate(over="ignore", invalid="ignore"):
            value = np.where(np.isfinite(losses), (losses - self._start) / self.rates, np.inf)
            rises = value > 0
            self._low_value = np.where(rises & (self._stayed == -1), self._low_value / 2, self._low_value)
            self._high_value = np.where(~rises & (self._stayed == 1), self._high_value / 2, self._high_value)
            self._high, self._high_value = _where(rises, (self.rates, value), (self._high, self._high_value))
            self._low, self._low_value = _where(~rises, (self.rates, value), (self._low, self._low_value))
            self._stayed = np.where(rises, -1, 1)
            is_root = np.abs(value) <= self._tolerance * self._slope
            is_narrow = self._low >= (1 - self._tolerance) * self._high
            ends = (is_root | is_narrow) & ~self._is_over
            self.found = np.where(ends, np.where(is_root, self.rates, self._high), self.found)
            self._is_over |= ends
            share = np.where(np.isfinite(self._high_value), self._low_value / (self._low_value - self._high_value), 0.5)
            inside = self._low + (self._high - self._low) * share
        self.rates = np.where(np.isinf(self._high), 4 * self.rates, inside)


def _where(chosen: np.ndarray, new: tuple[Numbers, Numbers], old: tuple[Numbers, Numbers]) -> tuple[Numbers, Numbers]:
    return np.where(chosen, new[0], old[0]), np.where(chosen, new[1], old[1])
