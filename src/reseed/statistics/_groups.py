"""Values of samples beside the samples' groups, checked."""

import numpy as np
from jaxtyping import Shaped

from reseed._arrays import ArrayLike, brief, to_numpy
from reseed._errors import InputError
from reseed._labels import are_whole, as_written


def values_and_groups(
    values: ArrayLike, groups: ArrayLike
) -> tuple[Shaped[np.ndarray, " sample"], Shaped[np.ndarray, " sample"]]:
    """Checks a measure of samples and the samples' groups, and returns both as they are."""
    numbers, keys = to_numpy(values, "values"), as_written(groups, "groups")
    if numbers.dtype.kind not in "iufb":
        raise InputError(f"values must hold numbers, got {brief(numbers)}; pass a per-sample measure.")
    if numbers.ndim != 1 or numbers.shape != keys.shape:
        raise InputError(
            f"values is {brief(numbers)} and groups is {brief(keys)}; pass two one-dimensional arrays over "
            "the same samples."
        )
    if keys.size and keys.dtype.kind not in "iubUT" and not (keys.dtype == object and are_whole(keys)):
        raise InputError(f"groups must hold strings or integers, got {brief(keys)}; pass one name for each sample.")
    return numbers, keys
