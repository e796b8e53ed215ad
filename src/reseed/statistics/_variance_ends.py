"""The interval of a variance."""

from scipy.special import gammaincinv


def variance_ends(variance: float, degrees: float, level: float = 0.95) -> tuple[float, float]:
    """Returns the ends of the chi-squared interval around a variance of so many degrees of freedom.

        [f s^2 / chi2(1 - tail, f), f s^2 / chi2(tail, f)],    tail = (1 - level) / 2

    Example:
        >>> low, high = variance_ends(1.0, 9)
        >>> round(low, 4), round(high, 4)
        (0.4731, 3.3329)
    """
    tail = (1 - level) / 2
    largest, smallest = (2 * float(gammaincinv(degrees / 2, share)) for share in (1 - tail, tail))
    return degrees * variance / largest, degrees * variance / smallest if smallest > 0 else float("inf")
