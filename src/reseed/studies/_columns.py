"""Evaluation and training data that come as columns, as inputs and targets of trainings of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reseed._errors import InputError
from reseed.data import is_table


def in_columns(data: Any, argument: str, text: str | None, label: str | None) -> Any:
    """Return ``(inputs, targets)`` of a frame or a data set with columns; anything else as it is.

    Args:
        data: A frame of pandas or polars, a data set of `datasets`, or something else.
        argument: What the caller calls it.
        text: The column with the texts, which are the inputs; None: the frame without its labels.
        label: The column with the targets.

    Raises:
        InputError: A column is not named, not there, or named of what has none.
    """
    is_frame, kind = is_table(data), type(data).__name__
    names = list(map(str, data.columns)) if is_frame else getattr(data, "column_names", None)
    if not isinstance(names, list):
        if (text or label) and data is not None:
            raise InputError(f"text and label name columns, which {argument}, a {kind}, has not; leave them out.")
        return data
    if label is None:
        raise InputError(
            f"{argument} is a {kind}; pass label=, the column with the targets: one of {', '.join(names)}."
        )
    for name in (label, text):
        if name is not None and name not in names:
            raise InputError(f"{argument} has no column {name!r}; it has {', '.join(names)}.")
    if text is not None:
        return list(data[text]), list(data[label])
    if not is_frame:
        raise InputError(f"{argument} is a {kind}; pass text=, the column with the inputs.")
    inputs = data.drop(columns=[label]) if hasattr(data, "iloc") else data.drop(label)
    return inputs, list(data[label])


def texts_among(data: Any) -> Sequence[str] | None:
    """Return the inputs of ``(inputs, targets)`` where they are texts, one for each sample; else None."""
    if not isinstance(data, tuple | list) or len(data) != 2 or getattr(data[0], "ndim", 1) != 1:
        return None
    inputs = data[0]
    if isinstance(inputs, str) or not hasattr(inputs, "__len__") or not len(inputs):
        return None
    texts = list(inputs)
    return texts if all(isinstance(one, str) for one in texts) else None
