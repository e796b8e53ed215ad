"""How well a learner fits random signs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np

from reseed._arrays import ArrayLike, brief, to_numpy
from reseed._errors import InputError
from reseed._numbers import check_whole
from reseed.statistics import Estimate, check_level, t_interval

Fit: TypeAlias = Callable[[Any, np.ndarray], ArrayLike | Callable[[Any], ArrayLike]]
"""Takes samples and signs [sample] of -1.0 and 1.0; returns scores [sample] at the samples, or what predicts them."""


def empirical_rademacher(
    fit: Fit,
    X: ArrayLike,  # noqa: N803
    draws: int = 20,
    seed: int = 0,
    *,
    output: Literal["sign", "value"] = "sign",
    level: float = 0.95,
) -> Estimate:
    """Estimate the empirical Rademacher complexity of a learner on samples.

        mean over draws of 1/n sum over i of s_i sign(h_s(x_i)),  s_i -1 or 1 with probability 1/2

    where h_s is what the learner makes of signs s as targets. 1 is a learner that fits any signs, 0 one that fits none.
    The definition takes the best h of a class, a learner finds a good one: the value is a lower bound of that of its
    class. A score of zero counts as 0. Each draw costs a training.

    Args:
        fit: Called with the samples as they were given and signs [sample]; returns scores [sample] at the samples, or a
            function from samples to scores.
        X: Samples, the first axis theirs.
        draws: How many times signs are drawn, 2 or more.
        seed: Of the signs.
        output: ``"sign"`` of the scores, or ``"value"`` for a class of functions with values of their own.
        level: Of the interval.

    Returns:
        The mean with its standard error and Student's interval over draws, which are its ``runs``. The interval says
        how far other signs would have changed it, with the same samples.

    Raises:
        InputError: An argument is out of its range, or the learner returns something else.

    Examples:
        >>> estimate = empirical_rademacher(lambda samples, signs: signs, [[0.0], [1.0], [2.0]])
        >>> estimate.value, estimate.standard_error, estimate.runs, estimate.samples
        (1.0, 0.0, 20, 3)
    """
    check_whole("draws", draws, 2)
    check_whole("seed", seed, 0)
    check_level(level)
    if output not in ("sign", "value"):
        raise InputError(f"output must be 'sign' or 'value', got {output!r}.")
    given = to_numpy(X, "X")
    if not given.ndim or not len(given):
        raise InputError(f"X must have at least one sample, got {brief(given)}.")
    random, found = np.random.default_rng(seed), np.empty(draws)
    for draw in range(draws):
        signs = random.integers(0, 2, len(given)) * 2.0 - 1.0
        fitted = fit(X, signs.copy())
        scores = to_numpy(fitted(X) if callable(fitted) else fitted, "scores")
        if scores.shape != signs.shape or scores.dtype.kind not in "iufb":
            raise InputError(f"fit must give one score for each of the {len(signs)} samples, got {brief(scores)}.")
        if not np.isfinite(scores).all():
            raise InputError(f"fit gave scores that are not finite in draw {draw}; see why its training diverged.")
        found[draw] = (signs * (np.sign(scores) if output == "sign" else scores)).mean()
    end = 1.0 if output == "sign" else np.inf
    mean, low, high = t_interval(found, level, bottom=-end, top=end)
    error = float(found.std(ddof=1) / np.sqrt(draws))
    return Estimate(mean, low, high, error, "jackknife", draws, len(given))
