"""`IndexedDataset`: ids through loaders."""

import pytest
import torch
from torch.utils.data import DataLoader, Subset, TensorDataset

from reseed import InputError
from reseed.integrations import IndexedDataset

VALUES = torch.arange(20.0) * 3


@pytest.mark.parametrize("workers", [0, 2])
def test_rows_follow_items_through_a_shuffling_loader(workers):
    """Every batch names the rows its items come from, in this process and from workers."""
    data = IndexedDataset(TensorDataset(VALUES))
    batches = list(DataLoader(data, batch_size=6, shuffle=True, num_workers=workers))
    rows = torch.cat([rows for rows, _ in batches])
    assert torch.equal(torch.cat([items for _, (items,) in batches]), VALUES[rows])
    assert sorted(rows.tolist()) == list(range(20))


def test_mappings_get_a_key():
    """Items that are mappings stay mappings, with the ids under the key."""
    data = IndexedDataset([{"x": value} for value in VALUES], ids=[f"s{row}" for row in range(20)], key="id")
    batch = next(iter(DataLoader(data, batch_size=20, shuffle=True)))
    assert torch.equal(batch["x"], VALUES[[int(name[1:]) for name in batch["id"]]])


def test_a_subset_keeps_the_rows_of_the_whole():
    """A subset of an indexed data set names rows of the data set, one below it names rows of the subset."""
    above, below = Subset(IndexedDataset(VALUES), [4, 9]), IndexedDataset(Subset(VALUES, [4, 9]))
    assert [row for row, _ in above] == [4, 9]
    assert [row for row, _ in below] == [0, 1]


def test_rows_from_the_end_have_the_same_name():
    """A negative row is the row it stands for, and iteration ends at the last one."""
    data = IndexedDataset(VALUES)
    assert data[-1] == data[19] == (19, VALUES[19])
    assert len(list(data)) == 20


def test_bad_arguments_are_refused():
    """Each message names the argument and says what to pass."""
    with pytest.raises(InputError, match="ids has 3 entries for 20 samples; pass one for each"):
        IndexedDataset(VALUES, ids=[1, 2, 3])
    with pytest.raises(InputError, match="ids are not unique"):
        IndexedDataset([1, 2], ids=["a", "a"])
    with pytest.raises(InputError, match="must have a length and be indexed by row, got generator"):
        IndexedDataset(item for item in VALUES)
    with pytest.raises(InputError, match="key 'sample_id' already; pass another key"):
        IndexedDataset([{"sample_id": 1}])[0]
