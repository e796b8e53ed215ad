"""The variance of a number over other runs and other samples, with its degrees of freedom."""

from collections.abc import Sequence

from reseed.statistics._shares import pooled_degrees
from reseed.statistics._variances import counted_once


def two_way(parts: Sequence[tuple[float, int]], over_samples: float, own: float, samples: int) -> tuple[float, float]:
    """Returns the variance over runs and samples, what both hold counted once, and its degrees of freedom.

    With A the jackknife's variance over runs, B that over samples, C what both hold, x_ir the value of sample i without
    run r, and x_i that with all R runs, for a mean over n samples

        A = (R - 1) / R sum_r (mean_i x_ir - mean_ir x_ir)^2
        B = sum_i (x_i - mean_i x_i)^2 / n^2
        C = (R - 1) / R sum_i sum_r (x_ir - mean_r x_ir)^2 / n^2
        V = A + B - C,   at least A and B

    Any function of a run's and a sample's effects is a part of the run, one of the sample, and one of both together. A
    holds the first and the last, B the last two, and C, the jackknife of every sample by itself, the last one as A sees
    it, but for an n-th of the first. So V has each once, for statistics that are not linear too: what the jackknife of
    few runs says too much of the last part is in A and in C alike.

    Degrees are those of Satterthwaite: V is a sum of A, which R runs tell, and of the rest, which n samples tell. Where
    most of it is the samples', Student's t with R - 1 degrees would make intervals of five runs cover 99 %, not 95.

    Args:
        parts: A of each batch of runs, with its degrees of freedom, one less than runs.
        over_samples: B; 0 where samples are held.
        own: C, of all batches.
        samples: n.

    Examples:
        >>> variance, degrees = two_way([(1.0, 4)], 3.0, 0.5, 200)
        >>> variance, round(degrees, 1)
        (3.5, 43.5)

    References:
        Cameron, Gelbach and Miller, "Robust inference with multiway clustering", Journal of Business & Economic
        Statistics 2011. Efron and Stein, "The jackknife estimate of variance", Annals of Statistics 1981.
        Satterthwaite, "An approximate distribution of estimates of variance components", Biometrics Bulletin 1946.
    """
    variance = float(counted_once(sum(part for part, _ in parts), over_samples, own))
    return variance, pooled_degrees(parts, variance, samples)
