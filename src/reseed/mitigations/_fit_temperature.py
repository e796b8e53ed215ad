"""The temperature that calibrates probabilities best."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, Integer

from reseed._arrays import ArrayLike, brief, float_array, to_numpy
from reseed._errors import InputError

LEAST_TEMPERATURE, LARGEST_TEMPERATURE = 0.1, 10.0
"""Between these a temperature is sought."""


def fit_temperature(logits: ArrayLike, targets: ArrayLike) -> float:
    """Return the temperature at which the mean negative log-likelihood of the targets is least.

        T = argmin over T of -mean log softmax(z / T)[y]

    The likelihood is concave in 1 / T, so that there is one such temperature; it is sought in [0.1, 10]. Where it lies
    beyond an end, that end is returned: 0.1 where every sample is right, which any sharper probabilities fit better,
    and 10 where the logits say less than nothing of the targets. Where the logits of each sample are all the same,
    every temperature fits as well, and it is 1. Dividing logits by a temperature changes no answer.

    Args:
        logits: z of samples that the network was not trained on, [sample, class]; logarithms of probabilities are
            logits as well.
        targets: The true class of each, [sample]; samples whose target is unknown, -1, are left out.

    Returns:
        The temperature; see `tempered`, which applies it to probabilities.

    Raises:
        InputError: Shapes do not go together, a logit is not finite, a target is no class, or none is known.

    References:
        Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.

    Examples:
        Two of three confident answers are right, so that the odds of each should be two to one, not e^3 to one:

        >>> temperature = fit_temperature([[3.0, 0.0], [3.0, 0.0], [3.0, 0.0]], [0, 0, 1])
        >>> round(temperature, 4) == round(3 / math.log(2), 4)
        True
    """
    found, classes = float_array(logits, "logits"), to_numpy(targets, "targets")
    if found.ndim != 2 or classes.shape != found.shape[:1] or classes.dtype.kind not in "iu":
        raise InputError(
            f"logits is {brief(found)} and targets is {brief(classes)}; pass logits [sample, class] and a whole number "
            "[sample] for each."
        )
    if not np.isfinite(found).all():
        raise InputError("logits holds values that are not finite; leave out the run that diverged.")
    if (classes < -1).any() or (classes >= found.shape[1]).any():
        raise InputError(
            f"targets reach from {classes.min()} to {classes.max()}, but logits has {found.shape[1]} classes; pass "
            "positions of classes, and -1 where the target is unknown."
        )
    known = classes >= 0
    if not known.any():
        raise InputError(
            "targets holds no known target, so that no temperature can be fitted; pass some samples with one."
        )
    return _least(found[known].astype(np.float64), classes[known])


def _least(logits: Float[np.ndarray, "sample class"], targets: Integer[np.ndarray, " sample"]) -> float:
    from scipy.optimize import brentq

    logits = logits - logits.max(1, keepdims=True)
    own = logits[np.arange(len(logits)), targets].mean()
    if not np.ptp(logits, axis=1).any():
        return 1.0

    def slope(log_temperature: float) -> float:
        """Return the derivative of the mean negative log-likelihood in 1 / T."""
        weights = np.exp(logits / math.exp(log_temperature))
        return float(((weights * logits).sum(1) / weights.sum(1)).mean() - own)

    least, largest = math.log(LEAST_TEMPERATURE), math.log(LARGEST_TEMPERATURE)
    if slope(least) <= 0:
        return LEAST_TEMPERATURE
    if slope(largest) >= 0:
        return LARGEST_TEMPERATURE
    return math.exp(brentq(slope, least, largest, xtol=1e-12))
