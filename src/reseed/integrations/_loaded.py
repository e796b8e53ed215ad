"""Evaluation data out of loaders and data sets of torch: whole, and in the order of the data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset, default_collate
from torch.utils.data import Dataset as TorchDataset

from reseed._errors import InputError

_ROWS = 256


def whole_split(data: Any) -> Any:
    """Return ``(inputs, targets)`` of a loader's data set, or of a data set of torch; anything else as it is.

    Rows are read in the order of the data set, however the loader draws them, and become batches as the loader makes
    them. All of the split is then in memory.

    Args:
        data: A `DataLoader`, a map-style data set, or evaluation data as `Recorder` takes it.

    Raises:
        InputError: The rows are a stream, or no pairs of inputs and a target.
    """
    if not isinstance(data, DataLoader | TorchDataset):
        return data
    rows = data.dataset if isinstance(data, DataLoader) else data
    collate = data.collate_fn if isinstance(data, DataLoader) else default_collate
    if isinstance(rows, IterableDataset) or not hasattr(rows, "__len__"):
        raise InputError(
            f"data is a stream of rows ({type(rows).__name__}), which has no fixed order or number; pass a map-style "
            "data set, or (inputs, targets)."
        )
    size = len(rows)
    batches = [collate([rows[row] for row in range(at, min(at + _ROWS, size))]) for at in range(0, size, _ROWS)]
    if not batches or not all(isinstance(batch, tuple | list) and len(batch) == 2 for batch in batches):
        got = f"batches of type {type(batches[0]).__name__}" if batches else "no rows"
        raise InputError(f"data must give pairs (inputs, target), got {got}; pass (inputs, targets) yourself.")
    return _joined([inputs for inputs, _ in batches]), _joined([targets for _, targets in batches])


def _joined(parts: list[Any]) -> Any:
    first = parts[0]
    if isinstance(first, torch.Tensor):
        return torch.cat(parts)
    if isinstance(first, Mapping):
        return {name: _joined([part[name] for part in parts]) for name in first}
    if isinstance(first, tuple | list) and first and isinstance(first[0], torch.Tensor):
        return tuple(_joined([part[place] for part in parts]) for place in range(len(first)))
    return [item for part in parts for item in part]
