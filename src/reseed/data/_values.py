"""What is in a column, whatever type it has in the file."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reseed._errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


def is_text(kind: Any) -> bool:
    """Whether a column holds text, also where each distinct one is stored once."""
    import pyarrow as pa

    kind = _value_type(kind)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_number(kind: Any) -> bool:
    """Whether a column holds numbers, also where each distinct one is stored once."""
    import pyarrow as pa

    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    return any(check(_value_type(kind)) for check in checks)


def _value_type(kind: Any) -> Any:
    import pyarrow as pa

    return kind.value_type if pa.types.is_dictionary(kind) else kind


def distinct(column: pa.ChunkedArray) -> tuple[list[Any], NDArray[np.int64]]:
    """The values that occur, and for each row the place of its value among them, -1 where it is missing.

    A value may stand there more than once.
    """
    import pyarrow as pa

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


def column_texts(table: pa.Table, name: str, where: str) -> list[str | None]:
    """The values of a column of any type as text; whole numbers without a decimal point, None where missing.

    Args:
        table: any table.
        name: the column, as the table calls it.
        where: what messages call the table.

    Raises:
        DataError: values of its type have no text.

    Example:
        >>> import pyarrow as pa
        >>> column_texts(pa.table({"id": [1.0, 2.5, None]}), "id", "this table")
        ['1', '2.5', None]
    """
    import pyarrow as pa

    column = table.column(name)
    kind = _value_type(column.type)
    is_time = pa.types.is_temporal(kind)
    try:
        if pa.types.is_nested(kind):
            return [None if value is None else str(value) for value in column.to_pylist()]
        if is_time or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            column = column.cast(pa.string())  # Python has no dates before the year 1, and no nanoseconds
        values, places = distinct(column)
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise DataError(f"{where}: column {name!r} of type {kind} cannot be read as text: {error}.") from error
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
