"""What networks answer, taken in: logits or probabilities, labels, and what is read off them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Integer, Shaped

from reseed._arrays import ArrayLike, brief, to_numpy
from reseed._errors import InputError, InputTypeError
from reseed._labels import check_range, encode_together, label_array
from reseed._simplex import check_simplex

_BLOCK = 1 << 17  # numbers at a time, which stay in a processor's cache


def output_array(outputs: ArrayLike, name: str, ndim: int | None = None) -> Float[np.ndarray, "... sample class"]:
    """Return logits or probabilities as floats of two axes or more, the last of them classes."""
    array = to_numpy(outputs, name)
    if array.dtype.kind not in "iufb":
        raise InputTypeError(f"{name} must hold numbers, got {brief(array)}; pass logits or probabilities.")
    wrong = array.ndim < 2 if ndim is None else array.ndim != ndim
    if wrong or not array.shape[-1]:
        axes = "[run, sample, class]" if ndim == 3 else "[sample, class]"
        raise InputError(f"{name} must be {axes}, got {brief(array)}; pass one number for each class.")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def check_from_logits(from_logits: object) -> None:
    """Raise unless it was said what outputs are."""
    if not isinstance(from_logits, bool | np.bool_):
        raise InputTypeError(
            f"from_logits={from_logits!r} does not say what the outputs are; pass True for logits, False for "
            "probabilities."
        )


def rounding_of(outputs: ArrayLike) -> float:
    """Return by which share of itself a number of a type that numpy does not know may have been rounded."""
    if isinstance(outputs, torch.Tensor) and outputs.is_floating_point():
        return torch.finfo(outputs.dtype).eps / 2
    return 0.0


def by_class(
    rows: Float[np.ndarray, "row class"], from_logits: bool, name: str, unit: float = 0.0
) -> Float[np.ndarray, "class row"]:
    """Return probabilities in double precision, classes first, where operations over classes are fast.

    Raises:
        InputError: NaN, plus infinity or a row of nothing but minus infinity among logits, or rows that are no
            distribution among probabilities.
    """
    if not from_logits:
        check_simplex(rows, name, unit=unit)
        return np.array(rows.T, np.float64, order="C")
    scores = np.array(rows.T, np.float64, order="C")
    highest = scores.max(axis=0)
    bad = ~np.isfinite(highest)
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"{name} holds {highest[row]} as the highest logit of row {row}; find the run that diverged and leave it "
            "out."
        )
    scores -= highest
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=0)
    return scores


def blocks_by_class(
    outputs: Float[np.ndarray, "... sample class"], from_logits: bool, name: str, unit: float = 0.0
) -> Iterator[tuple[slice, Float[np.ndarray, "class row"]]]:
    """Yield ranges of rows, all axes but the last one flattened, and their probabilities, a few at a time."""
    rows = outputs.reshape(-1, outputs.shape[-1])
    step = max(1, _BLOCK // rows.shape[1])
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        yield part, by_class(rows[part], from_logits, name, unit)


def predicted_classes(outputs: Float[np.ndarray, "... sample class"], name: str) -> Integer[np.ndarray, "... sample"]:
    """Return the class of the highest output, the lowest of several; raise where there is none."""
    labels = np.asarray(outputs.argmax(axis=-1))
    highest = np.take_along_axis(outputs, labels[..., None], axis=-1)[..., 0]
    bad = ~np.isfinite(highest)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            f"{name} holds {highest[place]} as the highest output at position {place}; find the run that diverged and "
            "leave it out."
        )
    return labels


def true_classes(
    targets: ArrayLike, samples: int, classes: int, name: str = "targets"
) -> Integer[np.ndarray, " sample"]:
    """Return true labels as classes, checked to be one for each sample and among the classes."""
    array = label_array(targets, name)
    if array.dtype.kind not in "iu" or array.shape != (samples,):
        raise InputError(
            f"{name} is {brief(array)}, but there are {samples} samples; pass one class number for each of them."
        )
    check_range(array, classes, name)
    return array.astype(np.int64)


def answered_labels(answers: ArrayLike, name: str, ndim: int) -> Shaped[np.ndarray, "... sample"]:
    """Return what was answered as labels of `ndim` axes; with one more axis, of classes, it is taken from outputs."""
    array = to_numpy(answers, name)
    if array.ndim == ndim + 1:
        return predicted_classes(output_array(answers, name), name)
    labels = label_array(answers, name)
    if labels.ndim != ndim:
        axes = "[run, sample]" if ndim == 2 else "[sample]"
        raise InputError(
            f"{name} is {brief(labels)}; pass labels {axes}, or outputs with an axis of classes after them."
        )
    return labels


def coded(
    labels: Shaped[np.ndarray, "run sample"], targets: ArrayLike, name: str = "predicted"
) -> tuple[Integer[np.ndarray, "run sample"], Integer[np.ndarray, " sample"]]:
    """Return labels and the true ones as integers of one meaning."""
    gold = label_array(targets, "targets")
    if gold.shape != labels.shape[-1:]:
        raise InputError(
            f"targets is {brief(gold)} but {name} is {brief(labels)}; pass one true label for each sample."
        )
    if (gold.dtype.kind in "UT") != (labels.dtype.kind in "UT"):
        raise InputError(
            f"targets is {brief(gold)} but {name} is {brief(labels)}; pass integers in both or strings in both."
        )
    return encode_together(labels, gold)
