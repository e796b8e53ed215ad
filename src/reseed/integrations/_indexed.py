"""Sample ids that survive a shuffling loader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

from torch.utils.data import Dataset

from reseed._errors import InputError


@final
class IndexedDataset(Dataset[Any]):
    """A data set whose items say which sample they are, however a loader orders them.

    An item that is a mapping gets one more key; any other item becomes the pair ``(id, item)``. The loader's default
    collation makes a tensor of row numbers, or a list of ids that are strings. Around a ``Subset`` rows are counted
    within it; a ``Subset`` of this keeps the rows of the whole.

    Args:
        dataset: Anything with a length that is indexed by row.
        ids: Ids of the samples, [sample], unique; default: the row number.
        key: The key added to mappings.

    Raises:
        InputError: The number of ids is another one, ids repeat, or the data set has no length.

    Examples:
        >>> from torch.utils.data import DataLoader
        >>> [(rows.tolist(), items.tolist()) for rows, items in DataLoader(IndexedDataset([7, 8, 9]), batch_size=2)]
        [([0, 1], [7, 8]), ([2], [9])]
        >>> IndexedDataset([{"x": 7}], ids=["a"])[0]
        {'x': 7, 'sample_id': 'a'}
    """

    def __init__(self, dataset: Any, ids: Sequence[Any] | None = None, key: str = "sample_id") -> None:
        if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
            raise InputError(f"dataset must have a length and be indexed by row, got {type(dataset).__name__}.")
        if ids is not None and len(ids) != len(dataset):
            raise InputError(f"ids has {len(ids)} entries for {len(dataset)} samples; pass one for each.")
        listed = None if ids is None else [item.item() if hasattr(item, "item") else item for item in ids]
        if listed is not None and len(set(listed)) != len(listed):
            raise InputError("ids are not unique; pass one of its own for each sample.")
        self.dataset, self.ids, self.key = dataset, listed, key

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.dataset)

    def __getitem__(self, row: int) -> Any:
        """Return an item with its id.

        Raises:
            IndexError: There is no such row.
            InputError: The item has the key already.
        """
        position = int(row) + (len(self) if row < 0 else 0)
        if not 0 <= position < len(self):
            raise IndexError(f"row {row} of a data set of {len(self)} samples")
        item = self.dataset[position]
        name = position if self.ids is None else self.ids[position]
        if not isinstance(item, Mapping):
            return name, item
        if self.key in item:
            raise InputError(f"items have the key {self.key!r} already; pass another key.")
        return {**item, self.key: name}
