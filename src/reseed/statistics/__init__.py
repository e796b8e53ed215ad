"""Intervals and tests for the numbers of every lens: what other runs, other samples or chance would give.

An `Estimate` holds a value and its interval. Its variance comes from leaving runs out (`jackknife_variance`), other
samples (`mean_variance`) or from both (`two_way`), and `interval` makes the estimate of it. One number a run has a
`t_interval`, one of each run and sample `mean_of_cells`. Whether values differ between groups of samples more than
chance would have it, `clustering_test` says.

Shares that are near 0 have a `share_interval`, paired ones a `balance_interval`; `mcnemar_p_value` tests the latter
exactly, and `least_detectable` says what either would have missed. A variance has `variance_ends`.
"""

from reseed.statistics._cells import mean_of_cells
from reseed.statistics._clustered import ClusteringTest, clustering_test
from reseed.statistics._estimate import METHODS, Estimate, Method, check_level, check_method, interval, no_estimate
from reseed.statistics._groups import values_and_groups
from reseed.statistics._json_ready import estimate_numbers, json_ready, mean_numbers
from reseed.statistics._mcnemar import mcnemar_p_value
from reseed.statistics._shares import balance_interval, least_detectable, pooled_degrees, share_interval
from reseed.statistics._t_interval import t_interval
from reseed.statistics._two_way import two_way
from reseed.statistics._variance_ends import variance_ends
from reseed.statistics._variances import counted_once, jackknife_variance, mean_variance

__all__ = [
    "METHODS",
    "ClusteringTest",
    "Estimate",
    "Method",
    "balance_interval",
    "check_level",
    "check_method",
    "clustering_test",
    "counted_once",
    "estimate_numbers",
    "interval",
    "jackknife_variance",
    "json_ready",
    "least_detectable",
    "mcnemar_p_value",
    "mean_numbers",
    "mean_of_cells",
    "mean_variance",
    "no_estimate",
    "pooled_degrees",
    "share_interval",
    "t_interval",
    "two_way",
    "values_and_groups",
    "variance_ends",
]
