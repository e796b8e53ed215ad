"""How much better one run is than another: on these samples, and on the distribution that they are drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Bool, Float

from reseed._arrays import ArrayLike, undefined
from reseed._errors import InputError
from reseed.instability.labels._coded import coded
from reseed.statistics import Estimate, check_level, no_estimate, variance_ends

_LARGEST = 0.25  # variance that a number in [0, 1] can have
_BLOCK = 1 << 22  # numbers of runs and samples that are worked on at a time


@dataclass(frozen=True)
class AccuracySpread:
    """How far the accuracies of runs lie apart, see `accuracy_spread`.

    Attributes:
        accuracy: Mean accuracy of the runs on these samples.
        std: Standard deviation over runs of the accuracy on these samples.
        std_of_distribution: The same of the accuracy on the distribution; its interval covers other runs and samples.
        best_run_optimism: By how much the most accurate run is expected to look better than it is, in accuracy.
        runs: Number of runs.
        samples: Number of samples with a target.
    """

    accuracy: float
    std: float
    std_of_distribution: Estimate
    best_run_optimism: Estimate
    runs: int
    samples: int


def accuracy_spread(labels: ArrayLike, targets: ArrayLike, *, level: float = 0.95) -> AccuracySpread:
    """Returns how much the accuracies of runs differ on these samples, and how much on all samples of their kind.

        s^2 = var_r(a_r),    m = mean_i var_r(h_ri),    d = (n s^2 - m) / (n - 1)

    with `h_ri` 1 where run r is right on sample i, else 0, `a_r` its mean over the n samples, and variances over runs
    (divisor N - 1). d is the mean over pairs of different samples of the covariance over runs of being right, and so an
    unbiased estimate of the variance that accuracy has on the distribution; its root is the spread there, 0 where d is
    negative. The rest of s^2, f = (m - d) / n, is there because samples are finite, and says nothing about which run is
    better. By it the most accurate of N runs looks better than it is on other samples: with k_N the expected largest of
    N standard normals, on average by the optimism

        k_N f / sqrt(d + f)

    which takes accuracies as normal, and d as known: from few runs it can be a tenth too large or too small.

    The interval is that of a variance, chi-squared. Its degrees of freedom are at most N - 1, and fewer where a few
    samples decide about d: Satterthwaite's, from the variance of the U-statistic d over samples and that of N normal
    accuracies over runs. A negative d counts as 0 here as well, so that the upper end never claims certainty. The ends
    of the optimism are those of d.

    Args:
        labels: predicted labels [run, sample], integers or strings.
        targets: true labels [sample], -1 where unknown.
        level: confidence level of the intervals.

    Returns:
        Standard deviations and optimism, in accuracy, that is in [0, 1]. There are no intervals (NaN) for two runs, nor
        where all runs are right on the same samples; everything is NaN, with a warning, where fewer than two targets
        are known.

    Raises:
        InputError: fewer than two runs, or an argument that cannot be used.

    Example:
        >>> labels = [[0, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]
        >>> found = accuracy_spread(labels, [0, 1, 1, 0])
        >>> round(found.std, 4), round(found.std_of_distribution.value, 4), round(found.best_run_optimism.value, 4)
        (0.3819, 0.3333, 0.0769)

    References:
        Jordan, "On the Variance of Neural Network Training with respect to Test Sets and Distributions", arXiv
        2304.01910, has an unbiased estimate of this variance; derivation, interval and optimism are this library's.
    """
    check_level(level)
    codes, gold = coded(labels, targets, least=2)
    known = gold >= 0
    runs, samples = len(codes), int(np.count_nonzero(known))
    if samples < 2:
        undefined(f"targets holds {samples} known labels; the spread of accuracy needs two or more and is NaN.")
    sums = CorrectSums(runs)
    sums.add((codes == gold)[:, known])
    return sums.spread(level)


def calibrated_accuracy_std(accuracy: float, samples: int) -> float:
    """Returns the standard deviation over runs of the accuracy that finite samples alone make, of two classes.

        std = sqrt((1 - accuracy) / (2 n))

    It holds where shares of runs are calibrated (of the samples that a share q of the runs call positive, a share q is)
    and runs err independently from sample to sample. Then a sample's runs are right with a variance of q (1 - q), and
    wrong in a share q (1 - q) + (1 - q) q: the mean variance is half of the error. So a spread of about this size is no
    reason to prefer one run to another, and accuracy alone foretells it.

    Args:
        accuracy: mean accuracy of runs, in [0, 1].
        samples: number of samples.

    Returns:
        The standard deviation, in accuracy.

    Raises:
        InputError: an accuracy out of [0, 1], or no samples.

    Example:
        >>> round(calibrated_accuracy_std(0.98, 10_000), 6)
        0.001

    References:
        Jordan, "On the Variance of Neural Network Training with respect to Test Sets and Distributions", arXiv
        2304.01910, derives test-set variance from calibration; the derivation above is this library's.
    """
    if not 0 <= accuracy <= 1:
        raise InputError(f"accuracy must be in 0 .. 1, got {accuracy!r}; pass a share, not percent.")
    if samples < 1:
        raise InputError(f"samples must be 1 or more, got {samples!r}.")
    return math.sqrt((1 - accuracy) / (2 * samples))


@cache
def expected_maximum(count: int) -> float:
    """Returns the expected largest of independent standard normals.

    Example:
        >>> round(expected_maximum(2), 6), round(expected_maximum(10), 5)
        (0.56419, 1.53875)
    """
    from scipy.integrate import quad
    from scipy.special import log_ndtr

    def density(z: float) -> float:
        return z * count * math.exp(-z * z / 2 + (count - 1) * float(log_ndtr(z))) / math.sqrt(2 * math.pi)

    return float(quad(density, -10.0, 12.0, limit=200, epsabs=1e-12)[0])


class CorrectSums:
    """Adds up over blocks of samples what `accuracy_spread` is made of.

    Args:
        runs: how many there are.
    """

    def __init__(self, runs: int) -> None:
        self._runs, self._samples = runs, 0
        self._right = np.zeros(runs, np.int64)
        self._products = np.zeros((runs, runs))
        self._weighted = np.zeros(runs)
        self._own = self._own_squared = 0.0

    def add(self, right: Bool[np.ndarray, "run sample"]) -> None:
        """Takes samples with a target: whether each run is right on them."""
        totals = np.count_nonzero(right, axis=0)
        self._samples += right.shape[1]
        self._right += np.count_nonzero(right, axis=1)
        questioned = np.flatnonzero((totals > 0) & (totals < self._runs))  # the others have no variance
        for start in range(0, len(questioned), width := max(1, _BLOCK // self._runs)):
            self._add(right[:, questioned[start : start + width]].astype(np.float64))

    def _add(self, differ: Float[np.ndarray, "run sample"]) -> None:
        differ -= differ.mean(0)
        own = np.einsum("ri,ri->i", differ, differ) / (self._runs - 1)
        self._products += differ @ differ.T
        self._weighted += differ @ own
        self._own += float(own.sum())
        self._own_squared += float(own @ own)

    def spread(self, level: float = 0.95) -> AccuracySpread:
        """Returns the spread over all samples that were added."""
        runs, samples, nan = self._runs, self._samples, float("nan")
        if samples < 2:
            nothing = no_estimate("two-way", runs, samples)
            return AccuracySpread(nan, nan, nothing, nothing, runs, samples)
        accuracies = self._right / samples
        own = self._own / samples
        between = float(accuracies.var(ddof=1))
        estimated = (samples * between - own) / (samples - 1)
        variance = max(0.0, estimated)
        error = math.sqrt(self._variance(estimated) + 2 * variance**2 / (runs - 1))
        here = variance + (own - variance) / samples
        low = high = nan
        if runs > 2 and here > 0:
            degrees = min(runs - 1.0, 2 * (here / error) ** 2 if error > 0 else runs - 1.0)
            low, high = (
                min(_LARGEST, max(0.0, (samples * end - own) / (samples - 1)))
                for end in variance_ends(here, degrees, level)
            )

        def optimism(true: float) -> float:
            finite = max(0.0, own - true) / samples
            return expected_maximum(runs) * finite / math.sqrt(true + finite) if true + finite > 0 else 0.0

        root, rise = math.sqrt(variance), optimism(variance)
        of_root = min(math.sqrt(error), error / (2 * root) if root else math.inf)  # a root moves by no more than these
        of_rise = rise * error / (2 * here) if here > 0 else 0.0
        ends = (nan, nan) if math.isnan(low) else (optimism(high), optimism(low))
        return AccuracySpread(
            float(accuracies.mean()),
            math.sqrt(between),
            Estimate(root, math.sqrt(low), math.sqrt(high), of_root, "two-way", runs, samples),
            Estimate(rise, *ends, of_rise, "two-way", runs, samples),
            runs,
            samples,
        )

    def _variance(self, estimated: float) -> float:
        """Returns the variance of the estimate over other samples, given these runs: Hoeffding's of a U-statistic."""
        runs, samples = self._runs, self._samples
        pairs = samples * (samples - 1)
        sums = self._right - self._right.mean()  # of the samples' centred columns
        squares = sums @ self._products @ sums / (runs - 1) ** 2 - 2 * sums @ self._weighted / (runs - 1)
        by_sample = (
            float(squares + self._own_squared) / (samples - 1) ** 2
        )  # sum of squared mean covariances of samples
        first = (by_sample - samples * estimated**2) / (samples - 1)
        second = (float((self._products**2).sum()) / (runs - 1) ** 2 - self._own_squared) / pairs - estimated**2
        return max(0.0, 4 * first / samples - 2 * second / pairs)
