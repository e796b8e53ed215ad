"""What is in a column, whatever type it has in the file."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def is_text(kind: Any) -> bool:
    """Whether a column holds text, also where each distinct one is stored once."""
    kind = _value_type(kind)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_number(kind: Any) -> bool:
    """Whether a column holds numbers, also where each distinct one is stored once."""
    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    return any(check(_value_type(kind)) for check in checks)


def _value_type(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def distinct(column: pa.ChunkedArray) -> tuple[list[Any], NDArray[np.int64]]:
    """The values that occur, and for each row the place of its value among them, -1 where it is missing.

    A value may stand there more than once.
    """
    values: list[Any] = []
    places = [np.empty(0, dtype=np.int64)]
    for chunk in column.chunks:
        encoded = chunk
        if not pa.types.is_dictionary(chunk.type):
            plain = {pa.string_view(): pa.string(), pa.float16(): pa.float32()}
            encoded = chunk.cast(plain.get(chunk.type, chunk.type)).dictionary_encode()
        found = encoded.indices.cast(pa.int64()).fill_null(-1).to_numpy()
        places.append(np.where(found < 0, -1, found + len(values)))
        values += encoded.dictionary.to_pylist()
    return values, np.concatenate(places)


def written(value: Any) -> str | None:
    """A value as text: whole numbers without a decimal point, None for what is missing.

    Example:
        >>> written(2.0), written(Decimal("2.50")), written(True), written("07"), written(float("nan"))
        ('2', '2.50', 'True', '07', None)
    """
    if value is None or value != value:
        return None
    if isinstance(value, float | Decimal) and is_whole(value):
        return str(int(value))
    return str(value)


def is_whole(value: float | Decimal) -> bool:
    """Whether a number is finite and has no fraction."""
    return math.isfinite(value) and value == int(value)


def text_values(column: pa.ChunkedArray) -> list[str | None]:
    """The values of a column of any type as text, None where missing; see `written`.

    Raises:
        pyarrow.ArrowException: values of this type have no text.
    """
    kind = _value_type(column.type)
    if pa.types.is_nested(kind):
        return [None if value is None else str(value) for value in column.to_pylist()]
    is_time = pa.types.is_temporal(kind)
    if is_time or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        column = column.cast(pa.string())  # Python has no dates before the year 1, and no nanoseconds
    values, places = distinct(column)
    texts = [*map(written, values), None]
    if is_time:
        texts = [text and _short_time(text) for text in texts]
    return [texts[place] for place in places.tolist()]


def _short_time(text: str) -> str:
    """A time without the zeros of the fraction of its seconds."""
    whole, point, fraction = text.partition(".")
    digits = fraction.rstrip("Z")
    kept = digits.rstrip("0")
    return f"{whole}{point if kept else ''}{kept}{fraction[len(digits) :]}"
