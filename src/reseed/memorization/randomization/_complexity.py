"""A lower bound of the empirical Rademacher complexity from networks that were trained on random labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from reseed._arrays import to_numpy
from reseed._errors import InputError
from reseed._numbers import check_whole


def sign_correlation(labels: Any, answers: Any, *, num_classes: int) -> float:
    """Return how well answers of a network fit random signs, (1/n) sum_i sigma_i s(h(x_i)), in [-1, 1].

    The map s puts the first half of the classes on +1 and the second half on -1; sigma_i = s(y_i). Where labels y are
    drawn uniformly, sigma are uniform signs, and the mean over draws of labels is a lower bound of the empirical
    Rademacher complexity of what training can reach, s after h: no training finds the supremum. Of an odd number of
    classes the last one is left out of the labels, and an answer of it counts as 0.

    Args:
        labels: The random labels that were learned, [sample].
        answers: The network's, [sample].
        num_classes: How many classes there are, two or more.

    Raises:
        InputError: The lengths differ, or a label or an answer is no class.

    Examples:
        >>> sign_correlation([0, 1, 2, 3], [1, 0, 3, 2], num_classes=4)
        1.0
        >>> sign_correlation([0, 1, 2, 3], [1, 0, 1, 2], num_classes=4)
        0.5
    """
    check_whole("num_classes", num_classes, 2)
    given, said = to_numpy(labels, "labels"), to_numpy(answers, "answers")
    if given.ndim != 1 or given.shape != said.shape or not len(given):
        raise InputError(
            f"labels {list(given.shape)} and answers {list(said.shape)} must both be [sample], one or more."
        )
    for name, values in (("labels", given), ("answers", said)):
        if values.dtype.kind not in "iu" or values.min() < 0 or values.max() >= num_classes:
            raise InputError(
                f"{name} must be whole numbers from 0 to {num_classes - 1}, got {values.min()} to {values.max()}."
            )
    half = num_classes // 2
    signs = np.repeat([1.0, -1.0, 0.0], [half, half, num_classes % 2])
    counted = signs[given] != 0
    if not counted.any():
        raise InputError(f"labels are all {num_classes - 1}, the class that is left out of an odd number.")
    return float((signs[given] * signs[said])[counted].mean())
