"""Gold labels that come from outside, some of which may say that the label is not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from reseed._errors import InputError
from reseed.studies._labels import LabelReading, as_array, label_array, one_each

AUTO = "auto"
_MARKS = (-1, -100)  # the usual ones: scikit-learn's, and what torch's losses ignore


@final
@dataclass(frozen=True, eq=False)
class Targets:
    """Gold labels, of which some may not be known.

    Attributes:
        values: The labels as they were given, [sample].
        is_known: Which of them are labels, [sample].
        notes: What was taken as unknown, in words.
    """

    values: NDArray[Any]
    is_known: NDArray[np.bool_]
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        targets: Any,
        unknown: Any = AUTO,
        *,
        class_names: Sequence[Any] | None = None,
        labels: Any = None,
        are_answers: bool = False,
    ) -> Targets:
        """Take gold labels from a sequence, an array, a column [sample, 1] or a frame of one column.

        Masked values are not known. With ``auto`` neither is -1 or -100 beside targets of zero and above, unless it is
        the name of a class, or among ``labels``. Where no class is named, -1 stays a class beside 1 alone, and, as
        long as no answers are known, beside 0 and 1.

        Args:
            targets: Gold labels, [sample].
            unknown: ``auto``; None: every value is a label; or the value that says "not known".
            class_names: Names of the classes, if they are given.
            labels: Other labels of the study: the answers of its runs, or training targets.
            are_answers: Whether ``labels`` are what all runs answer.

        Raises:
            InputError: There are several for one sample, or some are neither names nor whole numbers.
        """
        column = one_each(targets, "targets")
        is_known = ~np.ma.getmaskarray(column) if np.ma.isMaskedArray(column) else np.ones(len(column), bool)
        if np.ma.isMaskedArray(column):
            column = column.data
        if not is_known.any():
            raise InputError("targets are all masked; pass None where no gold label is known.")
        values = as_array(column, "targets")
        values = _without(values, is_known)
        notes = []
        if not is_known.all():
            notes.append(_note(int((~is_known).sum()), len(values), "masked"))
        if unknown is AUTO or (isinstance(unknown, str) and unknown == AUTO):
            marks = _usual_marks(values[is_known], class_names, labels, are_answers)
        else:
            marks = () if unknown is None else (unknown,)
        for mark in marks:
            is_mark = is_known & np.array([_is_same(item, mark) for item in values.tolist()], bool)
            if is_mark.any():
                is_known = is_known & ~is_mark
                notes.append(_note(int(is_mark.sum()), len(values), repr(mark)) + _otherwise(mark, unknown))
        if not is_known.any():
            raise InputError(f"targets are all {marks[-1]!r}, which says that no gold label is known; pass None.")
        return cls(_without(values, is_known), is_known, tuple(notes))

    def __len__(self) -> int:
        return len(self.values)

    @property
    def known(self) -> NDArray[Any]:
        """The labels that are known, [sample]; fewer than there are samples."""
        return self.values[self.is_known]

    def indices(self, labels: LabelReading) -> NDArray[np.int64]:
        """Return positions among the classes, [sample]; -1 where unknown.

        Raises:
            InputError: A label is no class.
        """
        found = np.full(len(self), -1, np.int64)
        found[self.is_known] = labels.indices(self.values, "targets")[self.is_known]
        return found


def _without(values: NDArray[Any], is_known: NDArray[np.bool_]) -> NDArray[Any]:
    """Return values with a known one in place of all that are not: positions in messages stay those of samples."""
    if is_known.all() or not is_known.any():
        return values
    filled = values.copy()
    filled[~is_known] = values[is_known][0]
    return filled


def _usual_marks(
    known: NDArray[Any], class_names: Sequence[Any] | None, labels: Any, are_answers: bool
) -> tuple[int, ...]:
    distinct = set(label_array(known, "targets").ravel().tolist())
    if not all(isinstance(item, int) and not isinstance(item, bool) for item in distinct):
        return ()
    taken = set() if class_names is None else set(map(str, class_names))
    others = distinct - set(_MARKS)
    if labels is not None:
        taken |= {str(item) for item in label_array(labels, "labels").ravel().tolist()}
    if not others or min(others) < 0:
        return ()
    marks = [mark for mark in _MARKS if mark in distinct and str(mark) not in taken]
    # Two classes are often called -1 and 1, three -1, 0 and 1.
    usual: set[int] = {1} if are_answers else {0, 1}
    if class_names is None and others <= usual and 1 in others:
        marks = [mark for mark in marks if mark != -1]
    return tuple(marks)


def _is_same(item: Any, mark: Any) -> bool:
    if isinstance(item, str) or isinstance(mark, str):
        return str(item) == str(mark)
    return bool(item == mark)


def _note(count: int, total: int, what: str) -> str:
    are = "is" if count == 1 else "are"
    return f"{count:,} of {total:,} gold labels {are} {what} and {are} taken as unknown."


def _otherwise(mark: Any, unknown: Any) -> str:
    if unknown != AUTO:
        return ""
    return f" If {mark} is a class, say so: --unknown-target none, in Python unknown_target=None."
