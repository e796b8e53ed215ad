"""The row index that pandas writes along."""

import json

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from reseed.data import find_column, read_table, without_index

FRAME = pd.DataFrame({"a": [1, 2, 3], "label": ["x", "y", "x"]}, index=[5, 3, 1])


def test_an_index_in_csv_is_taken_out(tmp_path):
    """The unnamed column of `to_csv`, and what pandas makes of it on the way through a second file, are no columns."""
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    FRAME.to_csv(first)
    pd.read_csv(first).to_csv(second)
    table, left_out = without_index(read_table(first, None), ())
    assert (table.column_names, left_out) == (["a", "label"], ("the unnamed first column",))
    table, left_out = without_index(read_table(second, None), ())
    assert (table.column_names, left_out) == (["a", "label"], ("the unnamed first column", "Unnamed: 0"))


def test_an_index_in_parquet_is_taken_out(tmp_path):
    """What pandas itself notes as the index of a Parquet file is taken out, whatever it is called."""
    path = tmp_path / "data.parquet"
    for frame, gone in (
        (FRAME, ("__index_level_0__",)),
        (FRAME.rename_axis("level_0"), ("level_0",)),
        (FRAME.set_index("a", append=True), ("__index_level_0__", "a")),
        (FRAME.reset_index(drop=True), ()),  # a range is described, and is no column
    ):
        frame.to_parquet(path)
        table, left_out = without_index(parquet.read_table(path), ())
        assert left_out == gone
        assert not set(table.column_names) & set(gone)
        assert table.num_rows == 3


def test_columns_that_are_wanted_stay(tmp_path):
    """An index that somebody asks for is a column like any other."""
    path = tmp_path / "data.parquet"
    FRAME.rename_axis("id").to_parquet(path)
    table, left_out = without_index(parquet.read_table(path), ("id",))
    assert ("id" in table.column_names, left_out) == (True, ())


@pytest.mark.parametrize("name", ["level_0", "index", "id", "Unnamed: 1", "__index_level__"])
def test_other_columns_stay(name):
    """A column is not an index because of a name that people use themselves."""
    table = pa.table({name: [0, 1], "": [1, 2], "label": ["x", "y"]})
    assert without_index(table, ()) == (table, ())


@pytest.mark.parametrize("said", [b"", b"[]", b"3", b"{", b'{"index_columns": 3}', b"[" * 100_000, b"\xff"])
def test_any_note_of_pandas_is_survived(said):
    """A file's own metadata is not trusted to be what pandas writes."""
    table = pa.table({"a": [1]}).replace_schema_metadata({b"pandas": said})
    assert without_index(table, ())[1] == ()
    listed = {b"pandas": json.dumps({"index_columns": [["a"], {"kind": "range"}, 4]}).encode()}
    assert without_index(table.replace_schema_metadata(listed), ())[1] == ()


def test_columns_are_found_regardless_of_case():
    """A name written just so comes first; several that differ by case only are none."""
    assert find_column(["Label", "label"], "label") == "label"
    assert find_column(["ID", "x"], "id") == "ID"
    assert find_column([" Text ", "x"], "text") == " Text "
    assert find_column(["Label", "LABEL"], "label") is None
    assert find_column([], "label") is None
