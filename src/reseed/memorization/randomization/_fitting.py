"""When a training set is fitted, and how much longer that takes than with true labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.special import stdtrit

from reseed._arrays import to_numpy
from reseed._errors import InputError


def steps_to_fit(
    accuracy: Any, steps: Sequence[int] | NDArray[np.integer], *, level: float = 1.0
) -> Float[np.ndarray, " run"]:
    """Return the step at which the accuracy on the training set first is ``level``, [run]; NaN where it never is.

    Steps between checkpoints are not seen, so the true one lies between the one returned and the checkpoint before.

    Args:
        accuracy: On the training set with the labels that were learned from, [run, checkpoint], in [0, 1].
        steps: After how many steps each checkpoint was, [checkpoint], ascending.
        level: What counts as fitted, in (0, 1]: 1 is interpolation.

    Raises:
        InputError: The shapes do not fit, an accuracy is outside [0, 1], or the level is out of its range.

    Examples:
        >>> steps_to_fit([[0.5, 1.0, 1.0], [0.4, 0.6, 0.9]], [10, 20, 30]).tolist()
        [20.0, nan]
        >>> steps_to_fit([[0.5, 1.0, 1.0], [0.4, 0.6, 0.9]], [10, 20, 30], level=0.9).tolist()
        [20.0, 30.0]
    """
    found, after = _checked(accuracy, steps)
    if not 0 < level <= 1:
        raise InputError(f"level must be in (0, 1], got {level!r}; 1 asks for every training sample to be right.")
    is_fitted = found >= level - 1e-12
    first = np.where(is_fitted.any(1), after[is_fitted.argmax(1)], math.nan)
    return np.asarray(first, np.float64)


@final
@dataclass(frozen=True)
class SlowDown:
    """How many times as long one thing takes as another.

    Attributes:
        ratio: The geometric mean over pairs of runs; NaN where fewer than one pair was fitted both ways.
        low: The lower end of its 95 % interval over other seeds, of Student's on logarithms; NaN of a single pair.
        high: The upper end.
        pairs: How many runs were fitted both ways.
    """

    ratio: float
    low: float
    high: float
    pairs: int


def slow_down(steps: Any, true_steps: Any) -> SlowDown:
    """Return how many times as many steps something takes to fit as true labels do.

        exp(mean over runs of log(steps_r / true_steps_r))

    Runs are paired: a run's two trainings share their seed. Those that were not fitted both ways are left out, so the
    ratio is that of the runs which did fit; ``pairs`` says how many.

    Args:
        steps: To fit, [run]; NaN where a run never did. See `steps_to_fit`.
        true_steps: Of the same seeds with true labels, [run].

    Raises:
        InputError: The lengths differ, or a number of steps is not above 0.

    Examples:
        >>> found = slow_down([30, 40, float("nan")], [10, 10, 10])
        >>> f"{found.ratio:.3f} {found.pairs}"
        '3.464 2'
    """
    slow, fast = (
        to_numpy(each, name).astype(np.float64) for each, name in ((steps, "steps"), (true_steps, "true_steps"))
    )
    if slow.ndim != 1 or slow.shape != fast.shape:
        raise InputError(
            f"steps {list(slow.shape)} and true_steps {list(fast.shape)} must both be [run], of equal length."
        )
    if (slow <= 0).any() or (fast <= 0).any():
        raise InputError("steps and true_steps must be above 0; NaN says that a run was never fitted.")
    both = ~(np.isnan(slow) | np.isnan(fast))
    logs = np.log(slow[both] / fast[both])
    pairs = len(logs)
    if not pairs:
        return SlowDown(math.nan, math.nan, math.nan, 0)
    mean = float(logs.mean())
    reach = float(stdtrit(pairs - 1, 0.975) * logs.std(ddof=1) / math.sqrt(pairs)) if pairs > 1 else math.nan
    return SlowDown(math.exp(mean), math.exp(mean - reach), math.exp(mean + reach), pairs)


def _checked(accuracy: Any, steps: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    found, after = to_numpy(accuracy, "accuracy").astype(np.float64), to_numpy(steps, "steps").astype(np.float64)
    if found.ndim != 2 or after.shape != found.shape[1:] or not len(after):
        raise InputError(
            f"accuracy must be [run, checkpoint] and steps [checkpoint], got {list(found.shape)} and "
            f"{list(after.shape)}."
        )
    if (np.diff(after) <= 0).any():
        raise InputError(f"steps must ascend, got {after.tolist()}.")
    if not ((found >= 0) & (found <= 1)).all():
        raise InputError("accuracy must lie in [0, 1]; it has a value outside, or one that is none.")
    return found, after
