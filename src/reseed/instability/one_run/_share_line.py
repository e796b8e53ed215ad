"""The share of samples that flip, from what one run expects of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float
from scipy.special import stdtrit

from reseed._errors import InputError
from reseed.statistics import Estimate, check_level

LEAST_DATA_SETS = 3


@final
@dataclass(frozen=True)
class ShareLine:
    """A line from the mean estimate of one run to the share of samples that flip; see `fit_share_line`.

    Both are taken as log(-log(1 - share)). Samples that change at a rate are ever changed in a share of 1 - exp(-rate),
    so it is the logarithm of a rate: about the logarithm of a small share, and as wide open where nearly all flip.

    Attributes:
        slope: Slope of the line.
        intercept: Its intercept.
        spread: Standard deviation of the shares about it.
        center: Mean of the estimates that it was learnt on, on that scale.
        scatter: Their sum of squares about that mean, each study counted once.
        studies: Number of studies it was learnt on.

    Raises:
        InputError: A number is not finite or out of range.
    """

    slope: float
    intercept: float
    spread: float
    center: float
    scatter: float
    studies: int

    def __post_init__(self) -> None:
        numbers = (self.slope, self.intercept, self.spread, self.center, self.scatter)
        if not all(map(math.isfinite, numbers)) or self.spread < 0 or self.scatter <= 0 or self.studies < 3:
            raise InputError(
                "a line of shares needs finite numbers, a spread of 0 or more, a positive scatter and three studies or "
                f"more, got {self}; calibrate it anew."
            )

    def predict(self, expected: float, samples: int, *, level: float = 0.95) -> Estimate:
        """Return the share of samples that flip on a new data set, with Student's prediction interval.

            log(-log(1 - share)) = intercept + slope x +- t spread sqrt(1 + 1 / S + (x - center)^2 / scatter)

        with x that of the mean estimate, and S - 2 degrees of freedom for S studies.

        Args:
            expected: Mean estimate of one run over samples, in [0, 1].
            samples: Their number.
            level: Confidence level of the interval.

        Returns:
            The share in [0, 1], whose interval is that of another data set; its standard error is in shares.
        """
        check_level(level)
        place = float(_log_rate(expected, samples))
        middle = self.intercept + self.slope * place
        error = self.spread * math.sqrt(1 + 1 / self.studies + (place - self.center) ** 2 / self.scatter)
        reach = float(stdtrit(self.studies - 2, (1 + level) / 2)) * error
        share, low, high = (-math.expm1(-math.exp(middle + way * reach)) for way in (0, -1, 1))
        return Estimate(share, low, high, math.exp(middle) * (1 - share) * error, "another data set", 1, samples)


def fit_share_line(
    expected: Sequence[Float[np.ndarray, " run"]],
    actual: Sequence[Float[np.ndarray, " run"]],
    samples: Sequence[int],
) -> ShareLine:
    """Return the line of least squares through studies, each of which weighs the same.

    A point is a run of a study: the share that it expects, and the share of samples that flip among the other runs. How
    far the runs of a study lie about the line is part of the spread, which is for a single run of a new data set:

        spread^2 = sum over studies of (mean over runs of squared residuals) / (S - 2)

    Args:
        expected: For each study the mean estimate of each run, in [0, 1].
        actual: For each study the share of samples that flip among the others of each run.
        samples: For each study the number of samples; shares of 0 and 1 are moved half a sample inwards.

    Raises:
        InputError: Fewer than three studies, lists of different lengths, or estimates that are all equal.

    Examples:
        Three studies in which more flips than is expected, by the same factor of the rate:

        >>> expected = [np.array([0.01]), np.array([0.05]), np.array([0.2])]
        >>> line = fit_share_line(expected, [1 - (1 - one) ** 2 for one in expected], [1000] * 3)
        >>> round(line.slope, 6), round(line.intercept, 6) == round(math.log(2), 6)
        (1.0, True)
        >>> round(line.predict(0.1, 1000).value, 6)
        0.19
    """
    if len(expected) < 3 or not len(expected) == len(actual) == len(samples):
        raise InputError(
            f"a line of shares needs three studies or more, with the shares of each, got {len(expected)}, "
            f"{len(actual)} and {len(samples)}."
        )
    weights = np.concatenate([np.full(len(one), 1 / len(one)) for one in expected])
    x, y = (
        np.concatenate([_log_rate(one, count) for one, count in zip(shares, samples, strict=True)])
        for shares in (expected, actual)
    )
    studies = len(expected)
    center, level = weights @ x / studies, weights @ y / studies
    scatter = weights @ (x - center) ** 2
    if not scatter > 0:
        raise InputError("the studies expect the same share; a line needs some that flip more and some that flip less.")
    slope = weights @ ((x - center) * (y - level)) / scatter
    intercept = level - slope * center
    spread = np.sqrt(weights @ (y - intercept - slope * x) ** 2 / (studies - 2))
    return ShareLine(float(slope), float(intercept), float(spread), float(center), float(scatter), studies)


def _log_rate(share: float | Float[np.ndarray, " run"], samples: int) -> Float[np.ndarray, " run"]:
    """Return log(-log(1 - share)); a share nearer to 0 or 1 than half a sample is taken as half a sample away."""
    half = 0.5 / samples
    return np.asarray(np.log(-np.log1p(-np.clip(share, half, 1 - half))))
