"""Labels of tables: text as it is written, and one spelling for what several files write differently."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reseed._errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_WHOLE = re.compile(r"0|-?[1-9][0-9]*")
_WHOLE_WITH_POINT = re.compile(r"(-?[0-9]+)\.0+")


def as_written(column: pa.ChunkedArray, where: str, *, may_be_empty: bool = False) -> NDArray[Any]:
    """Return a column's values as text: that of delimited files as it stands there, whole numbers without a point.

    Args:
        column: The values.
        where: What messages call it.
        may_be_empty: Whether empty text is a value.

    Returns:
        Objects, [sample].

    Raises:
        DataError: It holds neither text nor numbers, or a value is missing.
    """
    import pyarrow as pa

    kind = column.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise DataError(f"{where} is of type {kind}; it must hold text or numbers.")
    values: list[Any] = column.to_pylist()
    texts = np.array([_text(value) for value in values], dtype=object)
    is_missing = np.array(
        [
            value is None or value != value or (value == "" and not may_be_empty)  # NaN is not itself
            for value in values
        ],
        bool,
    )
    if is_missing.any():
        row = int(np.flatnonzero(is_missing)[0])
        raise DataError(f"{where} has no value in row {row} (counting from 0).")
    return texts


def _text(value: Any) -> str:
    is_whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if is_whole else value)


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
