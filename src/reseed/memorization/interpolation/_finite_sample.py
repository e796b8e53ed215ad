"""A network of two layers that goes through any targets, with two weights a sample and one a feature."""

import warnings
from typing import Self, cast, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from reseed._arrays import ArrayLike
from reseed._errors import InputError
from reseed._numbers import check_whole
from reseed.memorization.interpolation._samples import INTERPOLATES, Inputs, Targets, design, distinct, scale_of

_BEYOND = 0.1  # where the next knot is, from one projection to the next
_ROWS = 1024


@final
class FiniteSampleReLU(nn.Module):
    """The network of Zhang et al. (2017, theorem 1) that goes through any targets of n distinct samples.

        C(x) = sum over j of w_j max(<a, x> - b_j, 0)

    Its weights are one direction a, n knots b and n factors w: 2 n + d of them for d features. With targets of m
    numbers the samples share a and b, which makes n + d + n m. On the line that a points along C is piecewise linear,
    so that w follows from sorted samples without a linear system. `fit` chooses them.

    With ``depth`` k the same function is computed by k hidden layers of ceil(n / k) + 1 + 2 m units: each adds its
    share of the terms, and hands on the place along a and the sum so far. These layers are dense, mostly zeros.

    All is in double precision. The terms are far larger than their sum, the more so the more samples there are: cast
    to single precision the network is expected to miss its targets from some 100 samples on. How well it does is in
    ``residual`` and ``condition``.

    Args:
        direction: a, [feature].
        knots: b, ascending, [unit].
        factors: w, [unit] or [unit, output].
        depth: Hidden layers.

    Attributes:
        depth: Hidden layers.
        width: Units of a hidden layer.
        residual: The largest absolute difference from a target at the samples of `fit`; NaN without it.
        condition: How much larger than the largest target the sum of the absolute terms gets at one of the samples of
            `fit`. Of the 16 digits of double precision, log10(condition) are lost.

    Raises:
        InputError: Knots do not ascend, or there are more layers than knots.

    Examples:
        >>> model = FiniteSampleReLU.fit([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [5.0, -1.0, 2.0])
        >>> model(torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])).round(decimals=9).tolist()
        [5.0, -1.0, 2.0]
        >>> model.num_weights
        8
    """

    def __init__(self, direction: ArrayLike, knots: ArrayLike, factors: ArrayLike, depth: int = 1) -> None:
        super().__init__()
        check_whole("depth", depth)
        a, b, w = (torch.as_tensor(each, dtype=torch.float64).clone() for each in (direction, knots, factors))
        if bool((b.diff() <= 0).any()) or len(b) != len(w):
            raise InputError(f"knots must ascend and have one factor each, got {len(b)} knots and {len(w)} factors.")
        if depth > len(b):
            raise InputError(f"depth must be at most the number of distinct samples, {len(b)}, got {depth}.")
        self.depth, self.width = depth, len(b)
        self.residual = self.condition = float("nan")
        self.layers: nn.Sequential | None = None
        if depth == 1:
            self.direction, self.knots, self.factors = nn.Parameter(a), nn.Parameter(b), nn.Parameter(w)
        else:
            self.layers = _in_depth(a, b, w[:, None] if w.ndim == 1 else w, depth)
            self.width = cast(nn.Linear, self.layers[0]).out_features
        self._is_single = w.ndim == 1

    @classmethod
    def fit(
        cls,
        X: ArrayLike,  # noqa: N803
        y: ArrayLike,
        *,
        depth: int = 1,
        directions: int = 32,
        tolerance: float = INTERPOLATES,
        seed: int = 0,
    ) -> Self:
        """Return a network that goes through targets.

        Equal samples with equal targets are merged, so that n is the number of distinct ones. Of the directions drawn
        the one whose factors are smallest is taken, since rounding errors are multiplied by them. Where a fit misses
        by more than the tolerance, a warning says so.

        Args:
            X: Samples [sample, feature].
            y: Targets [sample] or [sample, output], any numbers.
            depth: Hidden layers.
            directions: How many random directions to choose from.
            tolerance: The residual to warn above, in units of the largest absolute target.
            seed: Of the directions.

        Raises:
            InputError: Arrays do not belong together, equal samples have different targets, or two samples are so
                close that every direction takes them to one place; the message names them.
        """
        check_whole("depth", depth)
        check_whole("directions", directions)
        check_whole("seed", seed, 0)
        if not tolerance > 0:
            raise InputError(f"tolerance must be positive, got {tolerance!r}; pass for example 1e-6.")
        given, wanted = design(X, y)
        samples, targets, rows = distinct(given, wanted)
        direction, knots, factors = _best(samples, targets, rows, directions, seed)
        model = cls(direction, knots, factors, depth)
        model.residual = float(np.abs(model.predict(given) - wanted).max())
        model.condition = _condition(samples @ direction, knots, factors) / scale_of(targets)
        if not model.residual <= tolerance * scale_of(targets):
            warnings.warn(
                f"the network misses its targets by up to {model.residual:.2g}, more than {tolerance:g} of the largest "
                f"({scale_of(targets):g}): its terms are {model.condition:.1g} times as large as their sum, too much "
                "for double precision. Fit fewer samples, or more directions.",
                RuntimeWarning,
                stacklevel=2,
            )
        return model

    @property
    def num_weights(self) -> int:
        """The number of weights: 2 n + d with one hidden layer and one output, with more all entries of its layers."""
        return sum(weight.numel() for weight in self.parameters())

    def forward(self, x: Tensor) -> Tensor:
        """Return the values [sample] or [sample, output] at inputs [sample, feature]."""
        if self.layers is None:
            x = x.to(self.direction.dtype)
            return (x @ self.direction - self.knots[:, None]).relu().T @ self.factors
        values: Tensor = self.layers(x.to(cast(nn.Linear, self.layers[0]).weight.dtype))
        return values[:, 0] if self._is_single else values

    @torch.no_grad()
    def predict(self, samples: Inputs) -> Targets:
        """Return the values at samples [sample, feature] as an array, some of them at a time."""
        parts = torch.split(torch.from_numpy(np.ascontiguousarray(samples)), _ROWS)
        return torch.cat([self(part) for part in parts]).cpu().numpy()


def ramp_factors(places: Float[np.ndarray, " unit"], knots: Float[np.ndarray, " unit"], targets: Targets) -> Targets:
    """Return w with sum over j of w_j max(places_i - knots_j, 0) = targets_i, knots_1 < places_1 <= knots_2 < ...

    Between knots the function is a line, whose slope is the sum of the factors so far. So going from one place to the
    next gives value and slope in turn; the matrix, lower triangular with a positive diagonal, is not made.
    """
    slopes, value = np.empty_like(targets), np.zeros_like(targets[0])
    for i in range(len(places)):
        slopes[i] = (targets[i] - value) / (places[i] - knots[i])
        if i + 1 < len(places):
            value = np.asarray(targets[i] + slopes[i] * (knots[i + 1] - places[i]))
    return np.diff(slopes, axis=0, prepend=np.zeros_like(slopes[:1]))


def _best(
    samples: Inputs, targets: Targets, rows: np.ndarray, directions: int, seed: int
) -> tuple[np.ndarray, np.ndarray, Targets]:
    """Return direction, knots and factors of those that were drawn whose largest factor is smallest."""
    random = np.random.default_rng(seed)
    found: tuple[np.ndarray, np.ndarray, Targets] | None = None
    least, tied = float("inf"), (0, 0)
    for _ in range(directions):
        direction = random.standard_normal((samples.shape[1],))
        places = samples @ direction
        span = float(np.ptp(places)) or 1.0  # made equal for all directions, so that factors can be compared
        direction /= span
        places /= span
        order = np.argsort(places, kind="stable")
        places = places[order]
        gaps = np.diff(places)
        nearest = int(gaps.argmin()) if len(gaps) else 0
        if len(gaps) and gaps[nearest] <= 8 * np.finfo(float).eps * max(1.0, float(np.abs(places).max())):
            tied = (int(rows[order[nearest]]), int(rows[order[nearest + 1]]))
            continue
        first = float(gaps.mean()) if len(gaps) else 1.0
        # Knots right behind the places before: with them in the middle, as in proofs, the slope between two close
        # places goes on to all that follow; so the next one takes a ninth of it over.
        knots = np.concatenate([[places[0] - first], places[:-1] + _BEYOND * gaps])
        factors = ramp_factors(places, knots, targets[order])
        largest = float(np.abs(factors).max())
        if found is None or largest < least:
            found, least = (direction, knots, factors), largest
    if found is None:
        pair = f"{min(tied)} and {max(tied)}"
        raise InputError(
            f"samples {pair} of X are so close, for the spread of all, that none of {directions} random directions "
            "tells them apart in double precision; leave one out, or subtract what all samples have in common."
        )
    return found


def _condition(places: np.ndarray, knots: np.ndarray, factors: Targets) -> float:
    """Return the largest sum of absolute terms at a sample."""
    sizes, largest = np.abs(factors), 0.0
    for start in range(0, len(places), _ROWS):
        ramps = np.maximum(places[start : start + _ROWS, None] - knots, 0)
        largest = max(largest, float((ramps @ sizes).max()))
    return largest


def _in_depth(direction: Tensor, knots: Tensor, factors: Tensor, depth: int) -> nn.Sequential:
    """Return dense layers that compute the terms group by group.

    A hidden layer has a unit for each of its terms, one for the place along the direction, counted from the first knot
    where the function begins, and two for each output, the positive and the negative part of the sum so far.
    """
    outputs = factors.shape[1]
    groups = [torch.as_tensor(part) for part in np.array_split(np.arange(len(knots)), depth)]
    size = len(groups[0])
    width = size + 1 + 2 * outputs
    layers: list[nn.Module] = []
    for number, group in enumerate(groups):
        weight = torch.zeros(width, width if number else len(direction), dtype=torch.float64)
        bias = torch.zeros(width, dtype=torch.float64)
        own = len(group)
        if number:
            weight[:own, size] = weight[size, size] = 1
            bias[:own] = knots[0] - knots[group]
            total = _total(factors[groups[number - 1]], size, width)
            weight[size + 1 : size + 1 + outputs], weight[size + 1 + outputs :] = total, -total
        else:
            weight[: size + 1] = direction
            bias[:own], bias[size] = -knots[group], -knots[0]
        layers += [_dense(weight, bias), nn.ReLU()]
    layers.append(_dense(_total(factors[groups[-1]], size, width), torch.zeros(outputs, dtype=torch.float64)))
    return nn.Sequential(*layers)


def _total(factors: Tensor, size: int, width: int) -> Tensor:
    """Return what makes the sum so far of a hidden layer's units, [output, unit]."""
    outputs = factors.shape[1]
    weight, one = torch.zeros(outputs, width, dtype=torch.float64), torch.eye(outputs, dtype=torch.float64)
    weight[:, : len(factors)] = factors.T
    weight[:, size + 1 : size + 1 + outputs], weight[:, size + 1 + outputs :] = one, -one
    return weight


def _dense(weight: Tensor, bias: Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64, device="meta")  # draws nothing
    layer.weight, layer.bias = nn.Parameter(weight), nn.Parameter(bias)
    return layer
