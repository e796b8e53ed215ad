"""Inputs that are no single array, in slices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch.utils.data import DataLoader, IterableDataset

from reseed._errors import InputError


class Rows:
    """Rows of a data set as lists of items, where data sets of `datasets` would give columns."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, chosen: slice) -> list[Any]:
        return [self._data[row] for row in range(*chosen.indices(len(self)))]


class Columns:
    """Several inputs of each sample, by name or by place, sliced together.

    Args:
        parts: Arrays whose first axis is the sample.

    Raises:
        InputError: Their lengths differ, or there is none.
    """

    def __init__(self, parts: Mapping[str, Any] | tuple[Any, ...]) -> None:
        self._parts = parts
        named = parts.items() if isinstance(parts, Mapping) else enumerate(parts)
        lengths = {str(name): len(part) for name, part in named}
        if len(set(lengths.values())) != 1:
            listed = ", ".join(f"{name} has {length}" for name, length in lengths.items()) or "there are none"
            raise InputError(f"the inputs of data must have as many samples each, but {listed}.")

    def __len__(self) -> int:
        return len(next(iter(self._parts.values() if isinstance(self._parts, Mapping) else self._parts)))

    def __getitem__(self, chosen: slice) -> Any:
        if isinstance(self._parts, Mapping):
            return {name: part[chosen] for name, part in self._parts.items()}
        return tuple(part[chosen] for part in self._parts)


def sliceable(data: Any) -> Any:
    """Return evaluation data whose inputs, if they are several, are sliced together.

    Mappings hold several inputs. So do tuples of arrays, unless there is one for each target: those are samples.

    Raises:
        InputError: A loader or stream is given, or several inputs differ in length.
    """
    for given in (data, *(data if isinstance(data, tuple | list) and len(data) == 2 else ())):
        if isinstance(given, DataLoader | IterableDataset):
            raise InputError(
                f"data holds a {type(given).__name__}, whose samples have no fixed order or number; pass (inputs, "
                "targets), each whole and in one order."
            )
    if not isinstance(data, tuple | list) or len(data) != 2:
        return data  # what it has to be, its reader says
    inputs, targets = data
    return (Columns(inputs), targets) if _are_several(inputs, targets) else data


def _are_several(inputs: Any, targets: Any) -> bool:
    if not isinstance(inputs, tuple):
        return isinstance(inputs, Mapping)
    are_arrays = all(getattr(part, "ndim", 0) > 0 for part in inputs)
    return bool(inputs) and are_arrays and (targets is None or len(targets) != len(inputs))
