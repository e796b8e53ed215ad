"""Labels of tables in one spelling, where several files, or columns, write them differently."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WHOLE = re.compile(r"0|-?[1-9][0-9]*")
_WHOLE_WITH_POINT = re.compile(r"(-?[0-9]+)\.0+")


def same_spelling(columns: Sequence[NDArray[Any]]) -> tuple[list[NDArray[Any]], list[str]]:
    """Return columns of labels in one spelling, and what was changed, in words.

    Blanks around labels are left out. Where all labels are whole numbers, but some are written with a decimal point,
    as pandas does where a value is missing, the point is left out.

    Args:
        columns: Labels as text, [sample] each.

    Examples:
        >>> one, other = np.array(["1", "2"], object), np.array(["1.0", "2.0"], object)
        >>> same_spelling([one, other])
        ([array(['1', '2'], dtype=object), array(['1', '2'], dtype=object)], ['Labels such as 1.0 were read as 1.'])
    """
    notes = []
    distinct = {value for column in columns for value in column.tolist()}
    spelling = {value: value.strip() for value in distinct}
    if blank := next((value for value in sorted(distinct) if spelling[value] != value), None):
        notes.append(f"Blanks around labels were left out, as those of {blank!r}.")
    with_point = {value: found for value in distinct if (found := _WHOLE_WITH_POINT.fullmatch(spelling[value]))}
    if with_point and all(value in with_point or _WHOLE.fullmatch(spelling[value]) for value in distinct):
        spelling |= {value: found[1] for value, found in with_point.items()}
        shown = min(with_point)
        notes.append(f"Labels such as {shown} were read as {spelling[shown]}.")
    return [np.array([spelling[value] for value in column.tolist()], dtype=object) for column in columns], notes


def as_numbers(columns: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Return labels as integers where all of them are written as such (not 007), else as they are."""
    distinct = {value for column in columns for value in column.tolist()}
    if not all(map(_WHOLE.fullmatch, distinct)):
        return list(columns)
    return [np.array([int(value) for value in column.tolist()], dtype=object) for column in columns]
