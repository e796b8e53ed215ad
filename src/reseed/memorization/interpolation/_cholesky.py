"""Linear systems with a symmetric matrix that should be positive definite."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from reseed._bounds import machine_bytes
from reseed._errors import InputError
from reseed.memorization.interpolation._samples import Targets

_JITTERS = (0.0, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8)
_COUNTED = 2000  # samples up to which the rank is counted: that takes longer than the solution


@dataclass(frozen=True)
class Solved:
    """The solution of a system, and what was added to the diagonal to get there."""

    values: Targets
    jitter: float


def check_square(count: int, advice: str) -> None:
    """Accept a number of samples of which a matrix [sample, sample] fits into memory twice.

    Raises:
        InputError: It does not.
    """
    needed, memory = 16 * count**2, machine_bytes()
    if needed > memory:
        raise InputError(
            f"X has {count:,} samples, whose matrix of products takes {needed / 2**30:,.0f} GiB, but this machine has "
            f"{memory / 2**30:,.0f} GiB; {advice}."
        )


def solved(matrix: Float[np.ndarray, "row row"], targets: Targets) -> Solved:
    """Solve by Cholesky factors; where there are none, with as little as it takes added to the diagonal.

    Two steps of refinement take the residual of what was added, and of rounding, back.

    Raises:
        InputError: The matrix has negative eigenvalues.
    """
    scale = float(np.abs(np.diagonal(matrix)).mean()) or 1.0
    for share in _JITTERS:
        jitter = share * scale
        try:
            factor = cho_factor(matrix + jitter * np.eye(len(matrix)), lower=True, check_finite=False)
        except LinAlgError:
            continue
        pivots = np.diagonal(factor[0]) ** 2
        if not share and pivots.min() <= len(matrix) * np.finfo(float).eps * pivots.max():
            continue  # a factor that rounding made
        values = cho_solve(factor, targets, check_finite=False)
        for _ in range(2):
            values = values + cho_solve(factor, targets - matrix @ values, check_finite=False)
        return Solved(values, jitter)
    raise InputError("kernel is not positive definite: its matrix of the samples has negative eigenvalues.")


def rank_warning(matrix: Float[np.ndarray, "row row"], jitter: float) -> str:
    """Say what a system lacks to which something was added."""
    count = len(matrix)
    rank = f"rank {np.linalg.matrix_rank(matrix, hermitian=True)}" if count <= _COUNTED else "less than full rank"
    return (
        f"the matrix of products of {count} samples has {rank} in double precision; {jitter:.2g} was added to its "
        "diagonal, and the solution is accurate to fewer digits."
    )
