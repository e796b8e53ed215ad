"""The linear function of smallest norm through targets, and the training that finds it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from reseed._arrays import ArrayLike, Result, brief, give_back, to_numpy
from reseed._errors import InputError
from reseed._numbers import check_whole
from reseed.memorization.interpolation._cholesky import check_square, rank_warning, solved
from reseed.memorization.interpolation._samples import (
    INTERPOLATES,
    Inputs,
    Targets,
    design,
    distinct,
    finite_samples,
    scale_of,
)


@final
@dataclass(frozen=True, eq=False)
class MinNormInterpolant:
    """A linear function without intercept.

    Attributes:
        weights: [feature] or [feature, output].
        norm: The Euclidean norm of all weights.
        residual: The largest absolute difference from a target at the samples that it was made of.
        jitter: What was added to the diagonal of the system; 0 where samples are independent.
    """

    weights: Result
    norm: float
    residual: float
    jitter: float

    def predict(self, X: ArrayLike) -> Result:  # noqa: N803
        """Return the values [sample] or [sample, output] at samples [sample, feature].

        Raises:
            InputError: Samples have another number of features.
        """
        samples, weights = finite_samples(X), to_numpy(self.weights, "weights")
        check_features(samples, len(weights))
        return give_back(samples @ weights, X)


@final
@dataclass(frozen=True, eq=False)
class SgdLinear:
    """Where stochastic gradient descent on linear targets went.

    Attributes:
        weights: After the last pass, [feature] or [feature, output].
        limit: Where it goes in the end: the interpolant nearest to the initial weights.
        distances: The Euclidean distance from there, initially and after each pass, [pass].
    """

    weights: Result
    limit: Result
    distances: Result


def min_norm_interpolant(X: ArrayLike, y: ArrayLike, ridge: float = 0.0) -> MinNormInterpolant:  # noqa: N803
    """Return the linear function through targets whose weights are smallest.

        w = X^T (X X^T + ridge I)^-1 y

    which without ridge is the one among all with X w = y that has the smallest norm, and where gradient descent from
    zero ends. The norm says nothing about how well it does on other samples. Equal samples with equal targets are
    merged where there is no ridge. The system is solved by Cholesky factors; where samples depend on each other, a
    little is added to its diagonal, and a warning names the rank.

    Args:
        X: Samples [sample, feature].
        y: Targets [sample] or [sample, output].
        ridge: Weight of the squared norm against the sum of squared residuals, zero or more.

    Raises:
        InputError: Arrays do not belong together, or no linear function goes through the targets and ridge is 0.

    Examples:
        >>> found = min_norm_interpolant([[1.0, 0.0, 1.0], [0.0, 2.0, 0.0]], [4.0, 2.0])
        >>> found.weights
        array([2., 1., 2.])
        >>> found.norm
        3.0
    """
    samples, targets = design(X, y)
    check_ridge(ridge)
    jitter = 0.0
    if ridge > 0:
        weights = _ridged(samples, targets, ridge)
    else:
        weights, jitter = _smallest(*distinct(samples, targets)[:2])
    residual = float(np.abs(samples @ weights - targets).max())
    if jitter:
        warnings.warn(rank_warning(_products(distinct(samples, targets)[0]), jitter), RuntimeWarning, stacklevel=2)
    return MinNormInterpolant(give_back(weights, X), float(np.linalg.norm(weights)), residual, jitter)


def sgd_linear(
    X: ArrayLike,  # noqa: N803
    y: ArrayLike,
    *,
    initial: ArrayLike | None = None,
    passes: int = 200,
    step: float = 1.0,
    seed: int = 0,
) -> SgdLinear:
    """Run stochastic gradient descent on linear targets, one sample at a time, next to where it must end.

        w <- w - step (<w, x_i> - y_i) x_i / ||x_i||^2

    Each step adds a multiple of a sample, so that nothing outside their span changes: from initial weights w_0 it ends
    at w* + (I - P) w_0, with the smallest interpolant w* and the projection P onto the span. Only from zero that is w*.

    Args:
        X: Samples [sample, feature].
        y: Targets [sample] or [sample, output].
        initial: Initial weights [feature] or [feature, output]; default: zeros.
        passes: How often every sample is seen, each time in another random order.
        step: The step, in (0, 2); with 1 a step removes the residual of its sample.
        seed: Of the orders.

    Raises:
        InputError: Arrays do not belong together, or no linear function goes through the targets.

    Examples:
        >>> found = sgd_linear([[1.0, 0.0, 1.0], [0.0, 2.0, 0.0]], [4.0, 2.0], initial=[0.0, 5.0, 2.0])
        >>> found.weights, found.limit
        (array([1., 1., 3.]), array([1., 1., 3.]))
    """
    samples, targets, _ = distinct(*design(X, y))
    check_whole("passes", passes)
    check_whole("seed", seed, 0)
    if not 0 < step < 2:
        raise InputError(f"step must be in (0, 2), got {step!r}: with larger ones the training moves away; pass 1.")
    shape = (samples.shape[1], *targets.shape[1:])
    weights = np.zeros(shape) if initial is None else to_numpy(initial, "initial").astype(np.float64)
    if weights.shape != shape or not np.isfinite(weights).all():
        raise InputError(f"initial must be finite numbers of shape {list(shape)}, got {brief(weights)}.")
    change, jitter = _smallest(samples, targets - samples @ weights)
    limit = weights + change
    squares = (samples**2).sum(1)
    scales = np.divide(step, squares, out=np.zeros_like(squares), where=squares > 0)
    random = np.random.default_rng(seed)
    distances = [float(np.linalg.norm(weights - limit))]
    for _ in range(passes):
        for i in random.permutation(len(samples)):
            error = samples[i] @ weights - targets[i]
            weights = weights - scales[i] * np.multiply.outer(samples[i], error)
        distances.append(float(np.linalg.norm(weights - limit)))
    if jitter:
        warnings.warn(rank_warning(_products(samples), jitter), RuntimeWarning, stacklevel=2)
    return SgdLinear(give_back(weights, X), give_back(limit, X), give_back(np.array(distances), X))


def check_ridge(ridge: float) -> None:
    """Accept a finite number of zero or more.

    Raises:
        InputError: It is none.
    """
    if not 0 <= ridge < float("inf"):
        raise InputError(f"ridge must be a finite number of zero or more, got {ridge!r}.")


def check_features(samples: Inputs, features: int) -> None:
    """Accept samples with as many features as those that a function was made of.

    Raises:
        InputError: They have others.
    """
    if samples.shape[1] != features:
        raise InputError(f"X must have {features} features, as the samples that were fitted, got {brief(samples)}.")


def _smallest(samples: Inputs, targets: Targets) -> tuple[Targets, float]:
    """Return the weights of smallest norm through the targets, and what was added to the diagonal on the way."""
    check_square(len(samples), "pass fewer samples, or a ridge above 0 where features are fewer")
    found = solved(_products(samples), targets)
    weights: Targets = samples.T @ found.values
    residual = float(np.abs(samples @ weights - targets).max())
    if not residual <= INTERPOLATES * scale_of(targets):
        count, features = samples.shape
        why = "more than features" if count > features else "which depend on each other"
        raise InputError(
            f"no linear function goes through the targets of the {count} distinct samples of X with {features} "
            f"features, {why}: the nearest that was found misses by up to {residual:.2g}. Pass fewer samples, or a "
            "ridge above 0."
        )
    return weights, found.jitter


def _ridged(samples: Inputs, targets: Targets, ridge: float) -> Targets:
    count, features = samples.shape
    if count > features:  # the same weights, of the smaller system
        return solved(samples.T @ samples + ridge * np.eye(features), samples.T @ targets).values
    weights: Targets = samples.T @ solved(_products(samples) + ridge * np.eye(count), targets).values
    return weights


def _products(samples: Inputs) -> Float[np.ndarray, "sample sample"]:
    products: np.ndarray = samples @ samples.T
    return products
