"""Classes that corrupted labels leave over."""

from __future__ import annotations

import torch

from reseed._errors import DataError
from reseed.data._splits import Splits


def check_classes(splits: Splits, labels: torch.Tensor, what: str, remedy: str) -> None:
    """Accept training labels among which each class that is evaluated still occurs.

    Args:
        splits: what is evaluated.
        labels: the new training labels, `[sample]`.
        what: what made them, the beginning of the message.
        remedy: the end of the message.

    Raises:
        DataError: one does not.
    """
    lost = sorted(set(splits.evaluation.labels.tolist()) - {-1} - set(labels.tolist()))
    if lost:
        train = splits.train
        raise DataError(
            f"{what} leaves no training sample of class {train.class_names[lost[0]]!r} of {train.name!r}; {remedy}."
        )
