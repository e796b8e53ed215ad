"""Where the targets of rows are that a `transformers.Trainer` would take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch.utils.data import IterableDataset

from reseed._errors import InputError
from reseed.integrations._failures import described

_KEYS = ("labels", "label")


@dataclass(frozen=True)
class Gold:
    """The targets of a split.

    Attributes:
        values: [sample], as they are in the rows.
        column: Under which name they are there; None where they were given.
        class_names: What the data calls the classes, or None.
    """

    values: Sequence[Any]
    column: str | None = None
    class_names: Sequence[str] | None = None


def gold_labels(data: Any, targets: str | Sequence[Any] | None) -> Gold:
    """Return the targets of rows.

    Args:
        data: Rows that are mappings; with targets of their own, rows of any kind.
        targets: The name of their column, or the targets; None for ``labels`` or ``label``.

    Raises:
        InputError: The data cannot be read by row, or has no such column.
    """
    first = _first(data)
    if targets is not None and not isinstance(targets, str):
        return Gold(targets)
    stored = _column_names(data)
    shown = set(first) if hasattr(first, "keys") else set()
    wanted = _KEYS if targets is None else (targets,)
    found = [key for names in (shown, stored) for key in wanted if key in names]
    if not found:
        asked = "'labels' or 'label'" if targets is None else repr(targets)
        raise InputError(
            f"data must be rows that are mappings with the targets under {asked}, got {type(data).__name__} with the "
            f"first row {str(first)[:60]!r}; targets= takes the name of another column, or the targets themselves."
        )
    column = found[0]
    values = _stored(data, column) if column in stored and not _is_transformed(data) else _shown(data, column)
    return Gold(values, column, _class_names(data, column, values))


def _first(data: Any) -> Any:
    is_stream = isinstance(data, IterableDataset) or not hasattr(data, "__len__") or not hasattr(data, "__getitem__")
    if is_stream:
        raise InputError(
            f"data must have a length and be indexed by row, got {type(data).__name__}; make a list of a stream's rows "
            "first, always the same ones in the same order."
        )
    if not len(data):
        raise InputError(f"data has no rows: {type(data).__name__} of length 0.")
    try:
        return data[0]
    except (TypeError, ValueError, LookupError, NotImplementedError) as error:  # others are of what makes the row
        raise InputError(
            f"data must be indexed by row, but the first row of {type(data).__name__} raised {described(error)}."
        ) from error


def _column_names(data: Any) -> set[str]:
    names = getattr(data, "column_names", None)
    return set(names) if isinstance(names, list) and hasattr(data, "with_format") else set()


def _is_transformed(data: Any) -> bool:
    """Return whether rows are made by a function, which may say otherwise than the column that is stored."""
    return getattr(data, "format", {}).get("type") == "custom"


def _stored(data: Any, column: str) -> list[Any]:
    return [_plain(value) for value in data.with_format(None)[column]]


def _shown(data: Any, column: str) -> list[Any]:
    return [_plain(data[row][column]) for row in range(len(data))]


def _class_names(data: Any, column: str, values: list[Any]) -> Sequence[str] | None:
    """Return the names of the column's classes, or of the stored one that it was made from, if it is the same."""
    features = getattr(data, "features", None) or {}
    for key in (column, *_KEYS):
        names: Sequence[str] | None = getattr(features.get(key), "names", None)
        if names is not None and (not _is_transformed(data) or _stored(data, key) == values):
            return names
        if key == column and key in features:
            return None
    return None


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
