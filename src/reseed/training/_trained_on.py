"""Which training samples a run trains on: a function of its seeds."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from reseed.training._seeds import SeedPlan, Seeds


def rows_of(seeds: Seeds, bootstrap: bool, samples: int) -> NDArray[np.int64]:
    """Return the rows that a run trains on, [sample]; those that a resample draws twice are there twice.

    Args:
        seeds: The run's words.
        bootstrap: Whether it trains on a resample with replacement.
        samples: Size of the training set.
    """
    if bootstrap:
        return seeds.generator("data").integers(0, samples, samples)
    if seeds.subset is not None:
        return seeds.subset.rows(seeds.generator("data").permutation(samples))
    return np.arange(samples)


def trained_on(plan: SeedPlan, runs: Iterable[int], samples: int) -> NDArray[np.bool_]:
    """Return which training samples runs train on, [run, sample].

    Args:
        plan: The runs' seeds.
        runs: Their numbers.
        samples: Size of the training set.

    Examples:
        >>> inside = trained_on(SeedPlan(folds=3), range(3), 6)
        >>> inside.sum(0).tolist(), inside.sum(1).tolist()
        ([2, 2, 2, 2, 2, 2], [4, 4, 4])
    """
    numbers = list(runs)
    found = np.zeros((len(numbers), samples), np.bool_)
    for place, run in enumerate(numbers):
        found[place, rows_of(plan.seeds(run), plan.bootstrap, samples)] = True
    return found
