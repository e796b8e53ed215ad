"""McNemar's exact test: are there more changes for the better than for the worse than a coin would give?"""

from scipy.stats import binom

from reseed._errors import InputError
from reseed._numbers import is_whole


def mcnemar_p_value(wins: int, losses: int) -> float:
    """Returns the two-sided p-value of McNemar's exact test.

    Of m = wins + losses samples that only one of two models gets right, each is a win with probability 1/2 if both are
    right equally often. The binomial is symmetric then, so

        p = min(1, 2 P(X <= min(wins, losses))),  X ~ Binomial(m, 1/2)

    Args:
        wins: samples that only the second model gets right.
        losses: samples that only the first one gets right.

    Returns:
        The p-value in (0, 1]; 1 without any such sample.

    Raises:
        InputError: a count is no whole number of at least 0.

    Example:
        >>> round(mcnemar_p_value(1, 9), 6)
        0.021484

    References:
        McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
        Psychometrika 1947. Dietterich, "Approximate statistical tests for comparing supervised classification learning
        algorithms", Neural Computation 1998.
    """
    for name, count in (("wins", wins), ("losses", losses)):
        if not is_whole(count) or count < 0:
            raise InputError(f"{name} must be a whole number of at least 0, got {count!r}; pass a count of samples.")
    return min(1.0, 2 * float(binom.cdf(min(wins, losses), wins + losses, 0.5)))
