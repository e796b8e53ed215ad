"""Per-sample values summed up by group: where in the data is the instability?"""

from dataclasses import dataclass

import numpy as np

from reseed._arrays import ArrayLike, Result, give_back
from reseed.statistics import values_and_groups


@dataclass(frozen=True)
class GroupMeans:
    """Means by group, groups in ascending order.

    Attributes:
        group: the groups' names, numpy [group].
        count: samples in each, [group].
        mean: mean value of each, [group].
    """

    group: np.ndarray
    count: Result
    mean: Result


def by_group(values: ArrayLike, groups: ArrayLike) -> GroupMeans:
    """Returns the mean of a per-sample measure within each group of samples.

    Args:
        values: a measure [sample]; NaN makes the mean of its group NaN.
        groups: the group of each sample [sample], strings or integers: true classes, sources, languages.

    Returns:
        Group names, counts and means. The means weighted by the counts give the overall mean.

    Raises:
        InputError: values that are not numbers, or arrays that are not one-dimensional and of one length.

    Example:
        >>> by_group([0.0, 0.5, 1.0], ["cat", "dog", "dog"])
        GroupMeans(group=array(['cat', 'dog'], dtype='<U3'), count=array([1, 2]), mean=array([0.  , 0.75]))

    References:
        Datta et al., "Measuring and Mitigating Local Instability in Deep Neural Networks", Findings of ACL
        2023, on instability that clusters in the data.
    """
    numbers, keys = values_and_groups(values, groups)
    names, place = np.unique(keys, return_inverse=True)
    count = np.bincount(place, minlength=len(names))
    total = np.bincount(place, weights=numbers.astype(np.float64), minlength=len(names))
    return GroupMeans(names, give_back(count, values), give_back(total / count, values))
