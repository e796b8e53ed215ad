"""The mean of one number a run, with Student's interval."""

import numpy as np
from jaxtyping import Float
from scipy.special import stdtrit


def t_interval(
    values: Float[np.ndarray, " run"], level: float = 0.95, *, bottom: float = -np.inf, top: float = np.inf
) -> tuple[float, float, float]:
    """Returns the mean of one number a run, and the ends of Student's interval for it, cut off at those of its range.

    NaN where it has no value.
    """
    runs, nan = len(values), float("nan")
    if runs < 2:
        return (float(values[0]) if runs else nan), nan, nan
    mean = float(values.mean())
    reach = float(stdtrit(runs - 1, (1 + level) / 2) * values.std(ddof=1) / np.sqrt(runs))
    low, high = np.clip([mean - reach, mean + reach], bottom, top).tolist()
    return mean, low, high
