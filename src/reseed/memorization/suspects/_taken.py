"""What the functions of this room take in: recorded answers of runs, which samples they saw, and given labels."""

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from reseed._arrays import ArrayLike, brief, check_in_unit, float_array, to_numpy
from reseed._errors import InputError


def taken_inside(trained_on: ArrayLike) -> Bool[np.ndarray, "run sample"]:
    """Returns which samples each run was trained on; raises unless it is a mask of runs and samples."""
    inside = to_numpy(trained_on, "trained_on")
    if inside.dtype != np.bool_ and not np.isin(inside, (0, 1)).all():
        raise InputError(f"trained_on must hold True and False, got {brief(inside)}; see reseed.Study.trained_on.")
    if inside.ndim != 2 or 0 in inside.shape:
        raise InputError(f"trained_on must be [run, sample], got {brief(inside)}; pass a row for each run.")
    return inside.astype(np.bool_)


def taken_probabilities(probabilities: ArrayLike) -> Float[np.ndarray, "run checkpoint sample class"]:
    """Returns recorded probabilities; raises unless they are probabilities of runs, checkpoints, samples, classes."""
    array = float_array(probabilities, "probabilities")
    if array.ndim != 4 or 0 in array.shape or array.shape[-1] < 2:
        raise InputError(
            f"probabilities must be [run, checkpoint, sample, class], got {brief(array)}; of a single checkpoint pass "
            "probabilities[:, None]."
        )
    check_in_unit(array, "probabilities")
    return array


def taken_labels(labels: ArrayLike, classes: int, samples: int) -> Int[np.ndarray, " sample"]:
    """Returns given labels; raises unless each is the place of a class."""
    array = to_numpy(labels, "labels")
    if array.dtype.kind not in "iu" or array.shape != (samples,):
        raise InputError(
            f"labels must be {samples} whole numbers [sample], got {brief(array)}; pass places of classes."
        )
    if ((array < 0) | (array >= classes)).any():
        wrong = int(np.flatnonzero((array < 0) | (array >= classes))[0])
        raise InputError(
            f"labels holds {array[wrong]} at position {wrong}; labels are places of {classes} classes, from 0."
        )
    return array.astype(np.int64)


def check_same_runs(inside: Bool[np.ndarray, "run sample"], other: Shaped[np.ndarray, "..."], name: str) -> None:
    """Raises unless answers are of the runs and samples that `trained_on` speaks of."""
    runs, samples = other.shape[0], other.shape[1] if other.ndim == 2 else other.shape[2]
    if inside.shape != (runs, samples):
        raise InputError(
            f"trained_on is {brief(inside)}, but {name} is {brief(other)}; both must have the same runs and samples."
        )
