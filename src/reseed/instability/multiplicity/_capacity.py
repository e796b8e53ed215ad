"""Rashomon capacity: how much a sample's probabilities tell about which model gave them.

The capacity of the channel from models to classes is a concave maximum over weights of the models. The textbook
iteration (Blahut and Arimoto) needs thousands of steps where the best weights of some models are zero. Here a
primal-dual interior-point method solves all samples of a block together in a few dozen steps, each of which costs
one linear system of the size of the smaller of models and classes; the textbook iteration takes over from where it
got for samples that are not done by then. Whatever way the weights came about, their duality gap bounds how far
the value is from the maximum.
"""

import warnings
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import xlogy

from reseed._arrays import ArrayLike, Result, give_back, undefined
from reseed._errors import InputError
from reseed._numbers import is_whole
from reseed.instability._probabilities import probability_runs
from reseed.instability.multiplicity._rashomon import kept_runs

_BLOCK = 250_000  # probabilities in one block: a step's arrays stay in the processor's cache
_NEWTON_STEPS = 60
_CENTRING = 0.1  # share of the complementarity that a step aims to leave
_BOUNDARY = 0.95  # share of the way to the boundary that a step may go


def rashomon_capacity(
    probabilities: ArrayLike,
    *,
    unit: Literal["bits", "nats"] = "bits",
    tolerance: float = 1e-9,
    max_iterations: int = 2000,
    keep: ArrayLike | None = None,
) -> Result:
    """Returns, for each sample, the capacity of the channel from runs to classes.

        C(x) = max_w sum_m w_m KL( p_m(x) || sum_j w_j p_j(x) )

    over weights w of the runs that sum to one. It is 0 where all runs give the same probabilities and log2 c
    where they are certain of c different classes, however many runs there are of each; a run between others
    adds nothing. 2 to the power of C, in bits, is an effective number of conflicting predictions.

    Iteration ends when the duality gap max_m KL(p_m || q) - C is at most the tolerance, which bounds the error
    of the value. Over R trained runs the capacity is a lower bound of that over all models of about their loss,
    and it grows with R.

    Args:
        probabilities: class probabilities [run, sample, class].
        unit: "bits" (base 2, as in the reference) or "nats".
        tolerance: largest duality gap, in the unit asked for; below about 1e-13 rounding keeps it from being met.
        max_iterations: steps after which samples are given up, at least 1.
        keep: boolean [run], the survivors; see `rashomon_set`. All runs when None.

    Returns:
        Capacities [sample], between 0 and the log of the smaller of runs and classes, float64. With a warning,
        NaN with fewer than two survivors, and values too small by up to the gap it names for samples given up.

    Raises:
        InputError: probabilities are no distributions [run, sample, class], or an option cannot be used.

    Example:
        >>> rashomon_capacity([[[0.9, 0.1], [1, 0], [1, 0]], [[0.1, 0.9], [0, 1], [1, 0]]]).round(6)
        array([0.531004, 1.      , 0.      ])

    References:
        Hsu and Calmon, "Rashomon Capacity: A Metric for Predictive Multiplicity in Classification", NeurIPS 2022;
        Blahut, "Computation of channel capacity and rate-distortion functions", IEEE Transactions on Information
        Theory 1972.
    """
    if unit not in ("bits", "nats"):
        raise InputError(f"unit={unit!r} is unknown; pass 'bits' or 'nats'.")
    if not tolerance > 0:
        raise InputError(f"tolerance={tolerance!r} must be greater than 0; pass the largest gap to accept.")
    if not is_whole(max_iterations) or max_iterations < 1:
        raise InputError(f"max_iterations={max_iterations!r} must be a whole number of at least 1.")
    array = probability_runs(probabilities)
    kept = kept_runs(keep, len(array))
    if kept.sum() < 2:
        undefined(f"keep leaves {kept.sum()} runs, fewer than the 2 that can differ; the capacity is NaN.")
        return give_back(np.full(array.shape[1], np.nan), probabilities)
    return give_back(capacities(array, np.flatnonzero(kept), unit, tolerance, max_iterations), probabilities)


def capacities(
    probabilities: Float[np.ndarray, "run sample class"],
    chosen: Int[np.ndarray, " chosen"],
    unit: Literal["bits", "nats"] = "bits",
    tolerance: float = 1e-9,
    max_iterations: int = 2000,
) -> Float[np.ndarray, " sample"]:
    """Returns the capacities of checked probabilities over two or more chosen runs."""
    _, samples, classes = probabilities.shape
    scale = np.log(2.0) if unit == "bits" else 1.0
    values, gaps = np.zeros(samples), np.zeros(samples)
    step = max(1, _BLOCK // (len(chosen) * classes))
    for start in range(0, samples, step):
        at = slice(start, start + step)
        values[at], gaps[at] = _solve(probabilities[chosen, at], float(tolerance * scale), max_iterations)
    late = gaps > tolerance * scale
    if late.any():
        warnings.warn(
            f"the capacity of {np.count_nonzero(late)} of {samples} samples did not converge in {max_iterations} "
            f"iterations; they are too small by at most {gaps.max() / scale:.3g} {unit}: raise max_iterations or "
            "tolerance.",
            RuntimeWarning,
            stacklevel=3,
        )
    return np.asarray(values / scale)


def _solve(
    runs: Float[np.ndarray, "run sample class"], tolerance: float, iterations: int
) -> tuple[Float[np.ndarray, " sample"], Float[np.ndarray, " sample"]]:
    """Returns capacities and duality gaps in nats."""
    values, gaps = np.zeros(runs.shape[1]), np.zeros(runs.shape[1])
    differ = np.flatnonzero((runs != runs[0]).any(axis=(0, 2)))
    p = np.ascontiguousarray(runs[:, differ].transpose(1, 0, 2), dtype=np.float64)
    p /= p.sum(axis=2, keepdims=True)  # rows may miss one by rounding, and divergences must not see it
    state = _State(p)
    left = differ
    for iteration in range(iterations):
        value, gap = state.measured()
        values[left], gaps[left] = value, gap
        going = gap > tolerance
        if not going.any():
            break
        if not going.all():
            state, left = state.some(going), left[going]
        if iteration < _NEWTON_STEPS:
            state.newton()
        else:
            state.blahut_arimoto()
    else:
        values[left], gaps[left] = state.measured()
    return np.maximum(values, 0.0), gaps


class _State:
    """The iterates of a block: weights w, multipliers s of w >= 0, and the multiplier c of sum w = 1.

    At the optimum D + s = c and w s = 0, with D_m = KL(p_m || q) and q = sum_m w_m p_m.
    """

    def __init__(self, p: Float[np.ndarray, "sample run class"]) -> None:
        self.p = p
        self.negative_entropy = xlogy(p, p).sum(axis=2)
        self.w = np.full(p.shape[:2], 1.0 / p.shape[1])
        self.divergence = self._divergence()
        highest = self.divergence.max(axis=1, keepdims=True)
        # Any c above all D starts with positive s; at this distance w s is of the size of the gap to close.
        self.c = 1.1 * highest + 1e-12
        self.s = self.c - self.divergence

    def some(self, which: Bool[np.ndarray, " sample"]) -> "_State":
        """Returns the state of some samples."""
        part = object.__new__(_State)
        for name, value in vars(self).items():
            setattr(part, name, value[which])
        return part

    def measured(self) -> tuple[Float[np.ndarray, " sample"], Float[np.ndarray, " sample"]]:
        """Returns the value of the weights and its duality gap."""
        value = (self.w * self.divergence).sum(axis=1)
        return value, self.divergence.max(axis=1) - value

    def newton(self) -> None:
        """Takes a primal-dual step."""
        w, s, p = self.w, self.s, self.p
        q = self._mixture()
        # The Hessian is -U U^T; a class that no model ever gives has q = 0 and no part in it.
        u = p / np.sqrt(np.where(q > 0, q, 1.0))[:, None]
        target = _CENTRING * (w * s).mean(axis=1, keepdims=True)
        # With ds eliminated: (U U^T + s/w) dw + dc = right, sum dw = 0.
        right = self.divergence - self.c + target / w
        diagonal = s / w
        a, b = _solve_two(u, diagonal, right)
        dc = a.sum(axis=1, keepdims=True) / b.sum(axis=1, keepdims=True)
        dw = a - dc * b
        ds = target / w - s - diagonal * dw
        length = np.minimum(_to_boundary(w, dw), _to_boundary(s, ds))
        self.w = w + length * dw
        self.w /= self.w.sum(axis=1, keepdims=True)
        self.s = s + length * ds
        self.c = self.c + length * dc
        self.divergence = self._divergence()

    def blahut_arimoto(self) -> None:
        """Multiplies weights by exp(D), in log space so that small ones neither vanish nor divide by zero."""
        with np.errstate(divide="ignore"):
            logs = np.log(self.w) + self.divergence
        self.w = np.exp(logs - logs.max(axis=1, keepdims=True))
        self.w /= self.w.sum(axis=1, keepdims=True)
        self.divergence = self._divergence()

    def _mixture(self) -> Float[np.ndarray, "sample class"]:
        return np.asarray((self.w[:, None] @ self.p)[:, 0])

    def _divergence(self) -> Float[np.ndarray, "sample run"]:
        q = self._mixture()
        logs = np.log(np.where(q > 0, q, 1.0))  # where q is 0 so is p, and 0 ln 0 = 0
        return np.asarray(self.negative_entropy - (self.p @ logs[:, :, None])[:, :, 0])


def _solve_two(
    u: Float[np.ndarray, "sample run class"],
    diagonal: Float[np.ndarray, "sample run"],
    right: Float[np.ndarray, "sample run"],
) -> tuple[Float[np.ndarray, "sample run"], Float[np.ndarray, "sample run"]]:
    """Solves (U U^T + diagonal) x = right, and = 1, through the smaller of the two sides of U."""
    sides = np.stack([right, np.ones_like(right)], axis=2)
    _, runs, classes = u.shape
    if runs <= classes:
        matrix = u @ u.transpose(0, 2, 1)
        matrix[:, np.arange(runs), np.arange(runs)] += diagonal
        found = np.linalg.solve(matrix, sides)
    else:  # Woodbury's identity
        scaled = u / diagonal[:, :, None]
        matrix = u.transpose(0, 2, 1) @ scaled
        matrix[:, np.arange(classes), np.arange(classes)] += 1.0
        start = sides / diagonal[:, :, None]
        found = start - scaled @ np.linalg.solve(matrix, u.transpose(0, 2, 1) @ start)
    return found[:, :, 0], found[:, :, 1]


def _to_boundary(
    value: Float[np.ndarray, "sample run"], change: Float[np.ndarray, "sample run"]
) -> Float[np.ndarray, "sample 1"]:
    """Returns how much of a change keeps values positive, at most 1."""
    ratio = np.where(change < 0, -change / value, 0.0).max(axis=1, keepdims=True)
    return np.asarray(np.minimum(1.0, _BOUNDARY / np.maximum(ratio, _BOUNDARY)))
