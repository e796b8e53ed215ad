"""The mean of one number a run, with Student's interval."""

import numpy as np
from jaxtyping import Float
from scipy.special import stdtrit


def t_interval(values: Float[np.ndarray, " run"], level: float = 0.95) -> tuple[float, float, float]:
    """Returns the mean of one number a run, and the ends of Student's interval for it; NaN where it has no value."""
    runs, nan = len(values), float("nan")
    if runs < 2:
        return (float(values[0]) if runs else nan), nan, nan
    mean = float(values.mean())
    reach = float(stdtrit(runs - 1, (1 + level) / 2) * values.std(ddof=1) / np.sqrt(runs))
    return mean, mean - reach, mean + reach
