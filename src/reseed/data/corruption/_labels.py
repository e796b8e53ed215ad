"""Wrong labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, final, get_args

import numpy as np
from numpy.typing import NDArray

from reseed._arrays import ArrayLike, Result, brief, to_numpy
from reseed._errors import DataError
from reseed._numbers import is_whole
from reseed.data.corruption._choose import (
    VALUE,
    as_given,
    check_rate,
    check_seed,
    chosen,
    mask_as_given,
    numbered,
    uniform,
)

LabelMode = Literal["other", "any", "permute", "pair", "matrix"]
MODES: tuple[LabelMode, ...] = get_args(LabelMode)
_TOLERANCE = 1e-6  # of the sum of a row, which may have been computed in single precision


@final
@dataclass(frozen=True, eq=False)
class CorruptedLabels:
    """Labels of which some were replaced.

    Attributes:
        labels: all labels as they are now, `[sample]`.
        selected: which ones were replaced, `[sample]`.
        changed: which ones are not what they were, `[sample]`; a label may be replaced by itself.
    """

    labels: Any
    selected: Any
    changed: Any


def corrupt_labels(
    labels: ArrayLike,
    rate: float,
    *,
    num_classes: int,
    mode: LabelMode = "other",
    exact: bool = False,
    matrix: ArrayLike | None = None,
    seed: int = 0,
    items: ArrayLike | None = None,
) -> CorruptedLabels:
    """Replaces some labels, and says which.

    Each is replaced with probability p, the `rate`, by

    - `other`: another class, each of the K - 1 equally likely; P(change) = p;
    - `any`: one of all K classes, its own included; P(change) = p (K - 1) / K;
    - `permute`: the label of a replaced sample, all of them in another order, so that no class gets more or fewer;
    - `pair`: the next class, and the first one after the last; P(change) = p;
    - `matrix`: class j with probability `matrix[i, j]`, i being its own; P(change) = p (1 - matrix[i, i]).

    Args:
        labels: whole numbers from 0 to K - 1, `[sample]`; never changed.
        rate: share of the labels to replace, from 0 to 1.
        num_classes: K, two or more.
        mode: by what.
        exact: whether `rate` of the labels, rounded to a whole number, are replaced, instead of each with that
            probability.
        matrix: for `matrix`: probabilities `[class, class]`; each row sums to one.
        seed: of all draws, from 0 to 2**32 - 1.
        items: a number for each sample, from 0 to below 2**31, that its draws follow; default: its place. With the
            same numbers a subset is corrupted as the whole is, but for `exact` and `permute`, which depend on all.

    Returns:
        New labels, of the type and kind of those given, and two masks.

    Raises:
        DataError: `rate` is no share, `matrix` no matrix of probabilities, or a label none of the classes.

    Example:
        >>> found = corrupt_labels([0, 1, 2, 0, 1, 2], 0.5, num_classes=3, exact=True, seed=1)
        >>> int(found.selected.sum()), bool((found.selected == found.changed).all())
        (3, True)
    """
    rate = check_rate(rate)
    check_seed(seed)
    if mode not in MODES:
        raise DataError(f"mode is {mode!r}; choose one of {', '.join(MODES)}.")
    if not is_whole(num_classes) or num_classes < 2:
        raise DataError(f"num_classes is {num_classes!r}; give the number of classes, 2 or more.")
    known = _checked(labels, num_classes)
    if (matrix is None) == (mode == "matrix"):
        told = "is not given" if matrix is None else "is given"
        raise DataError(f"matrix {told} and mode is {mode!r}; give a matrix [class, class] with mode='matrix' alone.")
    rows = None if matrix is None else _probabilities(matrix, num_classes)
    numbers = numbered(len(known), items)
    selected = chosen(numbers, rate, seed, exact=exact)
    drawn = uniform(numbers[selected], seed, VALUE)
    own = known[selected].astype(np.int64)
    if mode == "other":
        new = (own + 1 + np.floor(drawn * (num_classes - 1)).astype(np.int64)) % num_classes
    elif mode == "any":
        new = np.floor(drawn * num_classes).astype(np.int64)
    elif mode == "pair":
        new = (own + 1) % num_classes
    elif rows is not None:
        new = _by_row(own, rows, drawn)
    else:
        new = own[np.argsort(drawn, kind="stable")]
    result = known.copy()
    result[selected] = new.astype(known.dtype)
    return CorruptedLabels(
        as_given(result, labels), mask_as_given(selected, labels), mask_as_given(result != known, labels)
    )


def _checked(labels: ArrayLike, num_classes: int) -> NDArray[Any]:
    found: Result = to_numpy(labels, "labels")
    if found.dtype.kind not in "iu" or found.ndim != 1:
        raise DataError(f"labels is {brief(found)}; give whole numbers [sample].")
    if not len(found):
        raise DataError("labels is empty; give at least one.")
    outside = np.flatnonzero((found < 0) | (found >= num_classes))
    if len(outside):
        place = int(outside[0])
        raise DataError(
            f"labels holds {int(found[place])} at position {place}, which is none of the {num_classes} classes; labels "
            f"are 0 to {num_classes - 1}."
        )
    return np.asarray(found)


def _probabilities(matrix: ArrayLike, num_classes: int) -> NDArray[np.float64]:
    found = to_numpy(matrix, "matrix")
    if found.dtype.kind not in "iufb" or found.shape != (num_classes, num_classes):
        raise DataError(f"matrix is {brief(found)}; give probabilities [class, class] of {num_classes} classes.")
    rows = found.astype(np.float64)
    if not np.isfinite(rows).all() or (rows < 0).any():
        place = tuple(int(axis) for axis in np.argwhere(~(np.isfinite(rows) & (rows >= 0)))[0])
        raise DataError(f"matrix holds {rows[place]:g} at position {place}; give probabilities.")
    wrong = np.flatnonzero(np.abs(rows.sum(1) - 1) > _TOLERANCE)
    if len(wrong):
        row = int(wrong[0])
        raise DataError(
            f"row {row} of matrix sums to {rows[row].sum():.6g}, not to 1; row i holds the probabilities of what is "
            "given where the class is i: divide each row by its sum."
        )
    return rows


def _by_row(own: NDArray[np.int64], rows: NDArray[np.float64], drawn: NDArray[np.float64]) -> NDArray[np.int64]:
    """A class for each sample, drawn from the row of its own."""
    bounds = rows.cumsum(1)
    bounds /= bounds[:, -1:]  # so that the last class that is possible ends at one, which no draw reaches
    new = np.empty_like(own)
    for label in np.unique(own):
        are_of_it = own == label
        new[are_of_it] = np.searchsorted(bounds[label], drawn[are_of_it], side="right")
    return new
