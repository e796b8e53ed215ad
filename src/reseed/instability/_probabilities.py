"""From class probabilities to labels, and what is read off a probability over runs."""

from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np
import torch
from jaxtyping import Float

from reseed._arrays import (
    ArrayLike,
    Result,
    brief,
    float_array,
    give_back,
    undefined,
)
from reseed._errors import InputError
from reseed._numbers import is_whole
from reseed._simplex import TOLERANCE, check_simplex
from reseed.instability._rounding import unit_roundoff


def predicted_labels(probabilities: ArrayLike) -> Result:
    """Returns the class of the largest probability; the lowest such class where several tie.

    Libraries break ties differently, and differently on different devices, which would count as instability
    where there is none; here the lowest index wins everywhere. Any scores will do, logits as well, and infinite ones:
    -inf rules a class out. NaN, and a row that rules out every class, are no answer and are refused.

    Args:
        probabilities: scores [..., class].

    Returns:
        Classes [...], int64.

    Raises:
        InputError: NaN, a row of nothing but -inf, no classes, or an argument that does not hold numbers.

    Example:
        >>> predicted_labels([[0.1, 0.9, 0.0], [0.4, 0.4, 0.2]])
        array([1, 0])
    """
    if isinstance(probabilities, torch.Tensor):
        return _predicted_on_device(probabilities)
    array = float_array(probabilities, "probabilities")
    _need_classes(array.shape)
    labels = np.asarray(array.argmax(axis=-1))  # numpy documents the first maximum
    none = np.isneginf(np.take_along_axis(array, labels[..., None], axis=-1)[..., 0])
    if none.any():
        _refuse_no_answer(np.argwhere(none)[0])
    return labels[()]


def _predicted_on_device(scores: torch.Tensor) -> torch.Tensor:
    if scores.ndim == 0:
        raise InputError(
            f"probabilities must be an array, got the single value {scores.item()}; pass at least one axis."
        )
    _need_classes(tuple(scores.shape))
    bad = scores.isnan()
    if bad.any():
        place = tuple(bad.nonzero()[0].tolist())
        raise InputError(f"probabilities holds NaN at position {place}; find the run that diverged and leave it out.")
    classes = torch.arange(scores.shape[-1], device=scores.device)
    highest = scores.detach().amax(dim=-1, keepdim=True)
    none = highest.squeeze(-1).isneginf()
    if none.any():
        _refuse_no_answer(none.nonzero()[0])
    leads = scores.detach() == highest
    return torch.where(leads, classes, len(classes)).amin(dim=-1)


def _refuse_no_answer(place: Iterable[Any]) -> NoReturn:
    raise InputError(
        f"probabilities holds nothing but -inf at position {tuple(map(int, place))}; "
        "find the run that diverged and leave it out."
    )


def _need_classes(shape: tuple[int, ...]) -> None:
    if shape[-1] == 0:
        raise InputError(f"probabilities has no classes, its shape is {list(shape)}; pass [..., class].")


def check_probabilities(probabilities: ArrayLike, name: str = "probabilities") -> None:
    """Raises unless every row is a distribution: not negative, no NaN, and summing to one within 1e-4.

    Half precision may miss one by more, by what it rounds.

    Args:
        probabilities: distributions [..., class].
        name: what error messages call the argument.

    Raises:
        InputError: naming the first row that is no distribution.

    Example:
        >>> check_probabilities([[0.5, 0.4]])  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        reseed._errors.InputError: probabilities sums to 0.9 at position (0,), not to 1; pass softmax outputs...
    """
    distributions(probabilities, name)


def distributions(probabilities: ArrayLike, name: str = "probabilities") -> Float[np.ndarray, "... class"]:
    """Returns checked distributions as an array."""
    array = float_array(probabilities, name)
    check_simplex(array, name, unit=unit_roundoff(probabilities))
    return array


def probability_runs(probabilities: ArrayLike) -> Float[np.ndarray, "run sample class"]:
    """Checks class probabilities of several runs."""
    array = float_array(probabilities, "probabilities")
    if array.ndim != 3 or not len(array) or not array.shape[2]:
        raise InputError(
            f"probabilities must be [run, sample, class], got {brief(array)}; of two classes pass both, for example "
            "`numpy.stack([1 - p, p], axis=-1)`."
        )
    check_simplex(array, "probabilities", unit=unit_roundoff(probabilities))
    return array


def class_runs(probabilities: ArrayLike, class_index: int | None) -> Float[np.ndarray, "run sample ..."]:
    """Checks class probabilities and picks one class of them if asked to."""
    array = probability_runs(probabilities)
    if class_index is None:
        return array
    classes = array.shape[2]
    if not is_whole(class_index) or not 0 <= class_index < classes:
        raise InputError(f"class_index={class_index!r} is not one of the {classes} classes; pass 0..{classes - 1}.")
    return array[..., class_index]


def confidence_mean_std(probability: ArrayLike, ddof: int = 0) -> tuple[Result, Result]:
    """Returns mean and standard deviation over runs of one class's probability for each sample.

    Given the probability of the gold label (or of the label a run predicts), this is how far apart the runs
    are before any label is decided. A large spread need not flip a label, and a flip needs no large spread.

    Args:
        probability: probabilities [run, sample], between 0 and 1; or [checkpoint, sample] of one run.
        ddof: the standard deviation divides by runs - ddof; 0 as in dataset cartography.

    Returns:
        Mean and standard deviation, each [sample], float64; NaN deviations, with a warning, where runs <=
        ddof.

    Raises:
        InputError: no runs, NaN, or values outside [0, 1].

    Example:
        >>> mean, std = confidence_mean_std([[0.9, 0.2], [0.9, 0.4]])
        >>> mean.round(3), std.round(3)
        (array([0.9, 0.3]), array([0. , 0.1]))

    References:
        Swayamdipta et al., "Dataset Cartography", EMNLP 2020 (the same over the checkpoints of one run).
    """
    array = float_array(probability, "probability")
    if not len(array):
        raise InputError(f"probability has no runs, got {brief(array)}; pass [run, sample].")
    outside = (array < -TOLERANCE) | (array > 1 + TOLERANCE)
    if outside.any():
        place = tuple(int(i) for i in np.argwhere(outside)[0])
        raise InputError(
            f"probability holds {array[place]:.6g} at position {place}, outside [0, 1]; pass probabilities, not logits."
        )
    mean = np.asarray(array.mean(axis=0, dtype=np.float64))
    if len(array) <= ddof:
        undefined(f"{len(array)} runs with ddof={ddof} leave no degrees of freedom; the standard deviation is NaN.")
        std = np.full(mean.shape, np.nan)
    else:
        std = np.asarray(array.std(axis=0, dtype=np.float64, ddof=ddof))
    return give_back(mean, probability), give_back(std, probability)
