"""What the measures along a training share: taking trajectories [..., checkpoint, sample] in and checking them."""

import numpy as np
from jaxtyping import Bool, Float, Shaped

from reseed._arrays import ArrayLike, brief, check_in_unit, float_array, to_numpy
from reseed._errors import InputError
from reseed._labels import label_array, same_shape
from reseed._numbers import is_whole


def need_checkpoints(array: Shaped[np.ndarray, "..."], name: str) -> None:
    """Raises unless an array has a checkpoint axis, next to last, that is not empty."""
    if array.ndim < 2:
        raise InputError(f"{name} must be a trajectory, got {brief(array)}; pass [checkpoint, sample].")
    if not array.shape[-2]:
        raise InputError(f"{name} has no checkpoints, got {brief(array)}; pass [checkpoint, sample].")


def correct_array(correct: ArrayLike) -> Bool[np.ndarray, "... checkpoint sample"]:
    """Checks a trajectory of right (True or 1) and wrong (False or 0), and returns it as booleans."""
    array = to_numpy(correct, "correct")
    need_checkpoints(array, "correct")
    if array.dtype != np.bool_:
        if array.dtype.kind not in "iuf" or not ((array == 0) | (array == 1)).all():
            raise InputError(
                f"correct must hold True and False (or 1 and 0), got {brief(array)}; pass `labels == targets`."
            )
        array = array.astype(np.bool_)
    return array


def probability_array(values: ArrayLike, name: str) -> Shaped[np.ndarray, "... checkpoint sample"]:
    """Checks a trajectory of probabilities, between 0 and 1."""
    array = float_array(values, name)
    need_checkpoints(array, name)
    check_in_unit(array, name)
    return array


def check_burn_in(burn_in: object, checkpoints: int | None = None) -> None:
    """Raises unless a burn-in is a whole number that leaves a checkpoint."""
    if not is_whole(burn_in) or burn_in < 0:
        raise InputError(f"burn_in must be a whole number of checkpoints, 0 or more, got {burn_in!r}; 0 keeps all.")
    if checkpoints is not None and burn_in >= checkpoints:
        raise InputError(f"burn_in={burn_in} leaves none of {checkpoints} checkpoints; pass a smaller number.")


def is_correct(labels: ArrayLike, targets: ArrayLike) -> Shaped[np.ndarray, "... checkpoint sample"]:
    """Compares predicted labels [..., checkpoint, sample] with true labels [sample]."""
    predicted, gold = label_array(labels), label_array(targets, "targets")
    need_checkpoints(predicted, "labels")
    if gold.shape != predicted.shape[-1:]:
        raise InputError(
            f"targets is {brief(gold)} but labels are {brief(predicted)}; pass one true label for each sample."
        )
    same_shape(predicted[(0,) * (predicted.ndim - 1)], gold, ("labels", "targets"))
    return np.asarray(predicted == gold)


def mean_and_variance(
    values: Shaped[np.ndarray, "... checkpoint sample"],
) -> tuple[Float[np.ndarray, "... sample"], Float[np.ndarray, "... sample"]]:
    """Returns mean and variance (ddof 0) over checkpoints in double precision, without a copy of the values."""
    checkpoints = values.shape[-2]
    mean = values.mean(axis=-2, dtype=np.float64)
    squares = np.zeros(mean.shape)
    for checkpoint in range(checkpoints):
        squares += (values[..., checkpoint, :] - mean) ** 2
    return mean, squares / checkpoints
