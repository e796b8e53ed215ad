"""Checking predictions that somebody else made, and turning them into what is recorded."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from reseed._errors import InputError
from reseed._simplex import check_simplex
from reseed.studies import Evaluation
from reseed.training import Level, prediction_arrays, probability_arrays

Outputs = Literal["logits", "probabilities"]

_ROUNDED = 1e-2  # by what the sum of probabilities in bfloat16 may miss 1


def check_shape(found: NDArray[Any], count: int, class_names: tuple[str, ...]) -> None:
    """Accept labels [sample] or scores [sample, class].

    Raises:
        InputError: The predictions have another shape; the message says what such a shape often is.
    """
    if found.ndim not in (1, 2) or len(found) != count:
        often = "; answers for tokens, pixels or sequences must become one for each sample" if found.ndim > 2 else ""
        raise InputError(
            f"predictions must have shape [sample] or [sample, class] with {count} samples, got {found.shape}{often}."
        )
    if found.ndim == 2 and found.shape[1] != len(class_names):
        often = "; give each class a column, also where one score decides between two" if found.shape[1] == 1 else ""
        raise InputError(
            f"predictions have {found.shape[1]} columns for the {len(class_names)} classes {class_names}{often}."
        )


def are_finite(found: NDArray[Any]) -> bool:
    """Return whether no prediction is NaN or infinite, in the single precision in which scores are kept."""
    if found.dtype.kind == "O":
        return all(math.isfinite(item) for item in found.ravel().tolist() if isinstance(item, float))
    if found.dtype.kind != "f":
        return True
    with np.errstate(over="ignore"):
        return bool(np.isfinite(found.astype(np.float32)).all())


def recorded_arrays(found: NDArray[Any], data: Evaluation, level: Level, outputs: Outputs) -> dict[str, NDArray[Any]]:
    """Return what is recorded of finite predictions of the right shape, by name.

    Args:
        found: Labels [sample], or scores [sample, class], of the first of the samples.
        data: Who was predicted, and how labels are read.
        level: See `reseed.training.RecordConfig`.
        outputs: What scores are.

    Raises:
        InputError: They are not what they have to be.
    """
    targets = data.samples.targets[: len(found)]
    if found.ndim == 1:
        if found.dtype.kind == "f" and (found != found.round()).any():
            raise InputError(
                f"predictions of shape [sample] are labels, got {found[found != found.round()][0].item()!r}; scores "
                "have a column for each class."
            )
        labels = data.labels.indices(found, "predictions")
        if level != "labels":
            raise InputError(f"predictions are labels, which have no scores for level {level!r}; pass "
                             "level='labels' to the recorder.")  # fmt: skip
        return {"labels": labels}
    if found.dtype.kind != "f":
        raise InputError(f"predictions of shape [sample, class] must be floats, got {found.dtype}.")
    if outputs == "probabilities":
        check_simplex(found, "predictions")
        return probability_arrays(found, targets, level)
    if (found >= 0).all() and (np.abs(found.sum(1, dtype=np.float64) - 1) <= _ROUNDED).all():
        raise InputError("predictions are probabilities, each row sums to 1; pass outputs='probabilities'.")
    return prediction_arrays(torch.from_numpy(np.ascontiguousarray(found)), targets, level)
