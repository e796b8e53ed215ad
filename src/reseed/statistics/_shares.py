"""Intervals for shares of samples that hold near 0 too, where symmetric ones claim to be certain."""

from collections.abc import Sequence

import numpy as np
from scipy.special import betaincinv, ndtri, stdtrit

from reseed.statistics._estimate import Estimate, check_level


def share_interval(
    value: float,
    variance: float,
    method: str,
    runs: int,
    samples: int,
    *,
    degrees: float = np.inf,
    level: float = 0.95,
) -> Estimate:
    """Puts Korn and Graubard's interval around a share: Clopper and Pearson's, at the effective number of samples.

    A share p of variance V is as certain as one counted over n* = p (1 - p) / V independent samples, which fewer
    degrees of freedom than samples make smaller still. For one run, V = p (1 - p) / n, this is the exact interval of
    the binomial, and with nothing counted its upper end is 1 - (alpha / 2)^(1 / n), not 0.

    Args:
        value: the share, in [0, 1].
        variance: its variance; where it is 0, or the share 0 or 1, n* is the number of samples.
        method: what the interval covers.
        runs: runs it was computed from.
        samples: samples it was computed from, at least 1.
        degrees: degrees of freedom of the variance.
        level: confidence level.

    Example:
        >>> found = share_interval(0.0, 0.0, "samples", 1, 100)
        >>> found.low, round(found.high, 4)
        (0.0, 0.0362)

    References:
        Korn and Graubard, "Confidence intervals for proportions with small expected number of positive counts estimated
        from survey data", Survey Methodology 1998.
    """
    check_level(level)
    size = _effective(value * (1 - value), variance, samples) * _discount(samples, degrees, level)
    tail, count = (1 - level) / 2, value * size
    low = float(betaincinv(count, size - count + 1, tail)) if count > 0 else 0.0
    high = float(betaincinv(count + 1, size - count, 1 - tail)) if count < size else 1.0
    return Estimate(value, low, high, float(np.sqrt(variance)), method, runs, samples)


def balance_interval(
    wins: float,
    losses: float,
    variance: float,
    method: str,
    runs: int,
    samples: int,
    *,
    degrees: float = np.inf,
    level: float = 0.95,
) -> Estimate:
    """Puts Bonett and Price's interval around wins - losses, the difference of two paired shares.

    With w and l the shares of wins and losses among the samples, each raised by one sample of n + 2, it is

        w - l +- z sqrt((w + l - (w - l)^2) / (n + 2))

    and holds where few samples change too. n is the effective number, see `share_interval`: that at which the variance
    of w - l is the one that is given.

    Args:
        wins: share of samples that are a win.
        losses: share of samples that are a loss.
        variance: variance of their difference; where it is 0, n is the number of samples.
        method: what the interval covers.
        runs: runs it was computed from.
        samples: samples it was computed from, at least 1.
        degrees: degrees of freedom of the variance.
        level: confidence level.

    Returns:
        The difference, whose interval is centred a little nearer to 0 than its value, and the standard error of the
        raised shares.

    Example:
        >>> found = balance_interval(0.03, 0.01, 0.0396 / 100, "samples", 1, 100)
        >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
        (0.02, -0.0273, 0.0665)

    References:
        Bonett and Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on paired
        data", Journal of Educational and Behavioral Statistics 2012.
    """
    check_level(level)
    size = _effective(wins + losses - (wins - losses) ** 2, variance, samples)
    raised, lowered = (wins * size + 1) / (size + 2), (losses * size + 1) / (size + 2)
    centre = raised - lowered
    error = float(np.sqrt((raised + lowered - centre**2) / (size + 2)))
    reach = float(stdtrit(degrees, (1 + level) / 2)) * error
    low, high = max(-1.0, centre - reach), min(1.0, centre + reach)
    return Estimate(wins - losses, low, high, error, method, runs, samples)


def least_detectable(error: float, degrees: float = np.inf, *, level: float = 0.95, power: float = 0.8) -> float:
    """Returns the smallest difference that an interval of this standard error excludes 0 for with this probability.

        (t((1 + level) / 2) + t(power)) error

    Args:
        error: standard error of the difference.
        degrees: its degrees of freedom.
        level: confidence level of the interval.
        power: the probability, over 0.5.

    Example:
        >>> round(least_detectable(0.01), 4)
        0.028
    """
    return float((stdtrit(degrees, (1 + level) / 2) + stdtrit(degrees, power)) * error)


def pooled_degrees(parts: Sequence[tuple[float, int]], variance: float, samples: int) -> float:
    """Returns Satterthwaite's degrees of freedom of a variance over runs and samples.

    Args:
        parts: the variance over the runs of each batch, with the degrees of freedom of that.
        variance: the whole variance; what the parts leave of it is over samples.
        samples: number of samples.

    Example:
        >>> pooled_degrees([(1.0, 4)], 1.0, 100), pooled_degrees([], 1.0, 101)
        (4.0, 100.0)

    References:
        Satterthwaite, "An approximate distribution of estimates of variance components", Biometrics Bulletin 1946.
    """
    if not variance > 0:
        return max(1.0, samples - 1.0)
    shares = [(part / variance, degrees) for part, degrees in parts]  # of which squares do not vanish
    rest = max(0.0, 1 - sum(share for share, _ in shares))
    return float(1 / (sum(share**2 / degrees for share, degrees in shares) + rest**2 / max(1, samples - 1)))


def _effective(spread: float, variance: float, samples: int) -> float:
    """Returns how many independent samples give a variance, where one has this spread."""
    return spread / variance if variance > 0 and spread > 0 else float(samples)


def _discount(samples: int, degrees: float, level: float) -> float:
    """Returns by how much fewer degrees of freedom than samples make the effective number smaller."""
    tail = (1 + level) / 2
    usual = stdtrit(samples - 1, tail) if samples > 1 else ndtri(tail)
    found = stdtrit(degrees, tail) if np.isfinite(degrees) else ndtri(tail)
    return min(1.0, float((usual / found) ** 2))
