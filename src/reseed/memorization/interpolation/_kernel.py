"""The function of smallest norm through targets in the space of a kernel."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, final

import numpy as np
from jaxtyping import Float

from reseed._arrays import ArrayLike, Result, brief, give_back, to_numpy
from reseed._errors import InputError
from reseed.memorization.interpolation._cholesky import check_square, rank_warning, solved
from reseed.memorization.interpolation._linear import check_features, check_ridge
from reseed.memorization.interpolation._samples import (
    INTERPOLATES,
    Inputs,
    Targets,
    design,
    distinct,
    finite_samples,
    scale_of,
)

Kernel: TypeAlias = Literal["rbf"] | Callable[[np.ndarray, np.ndarray], ArrayLike]
"""The Gaussian kernel, or a function of samples [a, feature] and [b, feature] that returns products [a, b]."""

_ROWS = 1024


@final
@dataclass(frozen=True, eq=False)
class KernelInterpolant:
    """A function f(x) = sum over i of c_i k(x, x_i).

    Attributes:
        samples: The x_i, [distinct, feature].
        coefficients: The c_i, [distinct] or [distinct, output].
        kernel: k.
        bandwidth: s of the Gaussian kernel exp(-||x - x'||^2 / (2 s^2)), else NaN.
        norm: The norm in the kernel's space, of all outputs together: the root of the sum of c^T K c.
        residual: The largest absolute difference from a target at the samples that it was made of.
        jitter: What was added to the diagonal of the system; 0 where K is positive definite in double precision.
    """

    samples: Inputs
    coefficients: Targets
    kernel: Kernel
    bandwidth: float
    norm: float
    residual: float
    jitter: float

    def predict(self, X: ArrayLike) -> Result:  # noqa: N803
        """Return the values [sample] or [sample, output] at samples [sample, feature], some of them at a time.

        Raises:
            InputError: Samples have another number of features.
        """
        asked = finite_samples(X)
        check_features(asked, self.samples.shape[1])
        parts = [asked[start : start + _ROWS] for start in range(0, len(asked), _ROWS)]
        values = [_matrix(part, self.samples, self.kernel, self.bandwidth) @ self.coefficients for part in parts]
        return give_back(np.concatenate(values), X)


def kernel_interpolant(
    X: ArrayLike,  # noqa: N803
    y: ArrayLike,
    *,
    kernel: Kernel = "rbf",
    bandwidth: float | None = None,
    ridge: float = 0.0,
) -> KernelInterpolant:
    """Return the function through targets that is smallest in the norm of a kernel's space.

        (K + ridge I) c = y,  f(x) = sum over i of c_i k(x, x_i),  norm^2 = c^T K c

    Equal samples with equal targets are merged where there is no ridge. The system is solved by Cholesky factors; where
    K is not positive definite in double precision, a little is added to its diagonal, and a warning names the rank. It
    takes memory for two matrices [sample, sample].

    Args:
        X: Samples [sample, feature].
        y: Targets [sample] or [sample, output].
        kernel: ``"rbf"`` for exp(-||x - x'||^2 / (2 s^2)), or a function of two arrays of samples.
        bandwidth: s, for ``"rbf"``; default: the median distance between samples, of up to 1000 of them.
        ridge: Weight of the squared norm against the sum of squared residuals, zero or more.

    Raises:
        InputError: Arrays do not belong together, the kernel is none, or the system is so near to singular that its
            solution misses the targets and ridge is 0.

    Examples:
        >>> found = kernel_interpolant([[0.0], [1.0]], [1.0, 0.0], bandwidth=1.0)
        >>> found.predict([[0.0], [1.0], [2.0]]).round(2)
        array([ 1.  ,  0.  , -0.37])
        >>> f"{found.norm:.4f}"
        '1.2578'
    """
    samples, targets = design(X, y)
    check_ridge(ridge)
    if kernel != "rbf" and not callable(kernel):
        raise InputError(f"kernel={kernel!r} is unknown; pass 'rbf' or a function of two arrays of samples.")
    if bandwidth is not None and (kernel != "rbf" or not 0 < bandwidth < float("inf")):
        raise InputError(f"bandwidth must be positive, and is for kernel='rbf' alone, got {bandwidth!r}.")
    if not ridge:
        samples, targets, _ = distinct(samples, targets)
    check_square(len(samples), "pass fewer samples")
    width = float("nan")
    if kernel == "rbf":
        width = bandwidth if bandwidth is not None else _median_distance(samples)
    matrix = _matrix(samples, samples, kernel, width)
    if not np.allclose(matrix, matrix.T, rtol=1e-8, atol=1e-12):
        raise InputError("kernel is not symmetric: it gives two samples another value when they change places.")
    found = solved(matrix + ridge * np.eye(len(matrix)) if ridge else matrix, targets)
    values = matrix @ found.values
    residual = float(np.abs(values - targets).max())
    if not ridge and not residual <= INTERPOLATES * scale_of(targets):
        wide = f" of bandwidth {width:.3g}" if kernel == "rbf" else ""
        raise InputError(
            f"the kernel{wide} does not tell the {len(samples)} distinct samples of X apart in double precision: its "
            f"function misses targets by up to {residual:.2g}. Pass a smaller bandwidth, or a ridge above 0."
        )
    if found.jitter:
        warnings.warn(rank_warning(matrix, found.jitter), RuntimeWarning, stacklevel=2)
    norm = float(np.sqrt(max(0.0, float((found.values * values).sum()))))
    return KernelInterpolant(samples, found.values, kernel, width, norm, residual, found.jitter)


def _matrix(a: Inputs, b: Inputs, kernel: Kernel, bandwidth: float) -> Float[np.ndarray, "a b"]:
    """Return the kernel's values."""
    if not callable(kernel):
        return np.exp(_squared_distances(a, b) / (-2 * bandwidth**2))
    matrix = to_numpy(kernel(a, b), "kernel").astype(np.float64)
    if matrix.shape != (len(a), len(b)) or not np.isfinite(matrix).all():
        raise InputError(
            f"kernel must return finite products [{len(a)}, {len(b)}] of as many samples, got {brief(matrix)}."
        )
    return matrix


def _squared_distances(a: Inputs, b: Inputs) -> Float[np.ndarray, "a b"]:
    centre = b.mean(0)  # distances do not change, rounding does
    a, b = a - centre, b - centre
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * (a @ b.T)
    found: np.ndarray = np.maximum(squares, 0, out=squares)
    return found


def _median_distance(samples: Inputs) -> float:
    rows = np.unique(np.linspace(0, len(samples) - 1, min(len(samples), 1000)).astype(int))
    some = samples[rows]
    distances = np.sqrt(_squared_distances(some, some)[np.triu_indices(len(some), 1)])
    median = float(np.median(distances)) if len(distances) else 1.0
    if not median > 0:
        raise InputError("bandwidth has no default here, since half of the samples of X are equal; pass one.")
    return median
