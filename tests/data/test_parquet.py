"""Parquet files: what they hold is read as it is, and never more than may be."""

import datetime
import decimal

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import reseed
from reseed._errors import DataError
from reseed.data import DataConfig, column_texts, load, read_table
from reseed.data._parquet import _written_out

WORDS = ["a", "b", None, "a"]
TABLE = pa.table(
    {
        "text": WORDS,
        "large": pa.array(WORDS, pa.large_string()),
        "category": pa.array(WORDS).dictionary_encode(),
        "bytes": pa.array([b"a", None, b"\xff", b"a"]),
        "n": [1, 2, None, 4],
        "big": pa.array([2**63, 1, 2, 3], pa.uint64()),
        "money": pa.array([decimal.Decimal("1.50"), None, decimal.Decimal(2), decimal.Decimal(3)]),
        "lists": [["a"], [], None, ["b", "c"]],
        "things": [{"k": "a", "n": 1}, {"k": None, "n": 2}, None, {"k": "b", "n": 3}],
        "none": pa.nulls(4),
    }
)


@pytest.mark.parametrize(
    "options", [{}, {"use_dictionary": False}, {"row_group_size": 1}, {"data_page_version": "2.0"}]
)
def test_types_and_values_are_kept(tmp_path, options):
    """Whatever way a file repeats its texts, the table is what was written."""
    path = tmp_path / "data.parquet"
    parquet.write_table(TABLE, path, **options)
    found = read_table(path, None)
    assert found.schema.remove_metadata() == TABLE.schema
    assert found.to_pylist() == TABLE.to_pylist()


def test_texts_that_repeat_their_beginning_are_kept(tmp_path):
    """So are texts of which each is written as a difference to the one before."""
    path = tmp_path / "data.parquet"
    table = pa.table({"text": [f"the same beginning {row}" for row in range(100)]})
    parquet.write_table(table, path, use_dictionary=False, column_encoding={"text": "DELTA_BYTE_ARRAY"})
    assert read_table(path, None).to_pydict() == table.to_pydict()
    path = tmp_path / "bomb.parquet"
    parquet.write_table(
        pa.table({"text": ["x" * 100_000] * 200}),
        path,
        use_dictionary=False,
        column_encoding={"text": "DELTA_BYTE_ARRAY"},
    )
    with reseed.max_bytes(1 << 20), pytest.raises(DataError, match=r"^bomb\.parquet takes 1.* MiB or more to read"):
        read_table(path, None)


@pytest.mark.parametrize(
    "columns",
    [
        {"text": ["x" * 100_000] * 200},
        {"text": pa.array(["x" * 100_000] * 200).dictionary_encode()},
        {"lists": [["x" * 100_000] * 2] * 100},
        {"things": [{"k": "x" * 100_000}] * 200},
        {"n": np.zeros(1_000_000)},
        {"flags": np.zeros(2_000_000, bool)},
        {"lists": [[0] * 1_000] * 1_000},
    ],
)
def test_small_files_that_unpack_to_much_are_refused(tmp_path, columns):
    """What a repeated text or number would take is known before it is written out."""
    path = tmp_path / "bomb.parquet"
    parquet.write_table(pa.table(columns), path, dictionary_pagesize_limit=1 << 24, write_page_index=True)
    assert path.stat().st_size < 1 << 20
    with reseed.max_bytes(1 << 20), pytest.raises(DataError, match=r"^bomb\.parquet takes .* MiB or more to read"):
        read_table(path, None)
    assert read_table(path, None).num_rows == len(next(iter(columns.values())))


def test_repeated_texts_are_counted_in_full():
    """The size of a table is that of its texts written out."""
    array = pa.array(["abc", "d", None, "abc"]).dictionary_encode()
    assert _written_out(array) == 7
    assert _written_out(pa.array([["abc"]]).cast(pa.list_(array.type))) == 3


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_texts_that_are_none_are_refused(tmp_path, kind):
    """A text column that is no UTF-8 is the file's fault, said as such."""
    path = tmp_path / "data.parquet"
    raw = pa.binary() if kind == pa.string() else pa.large_binary()
    column = pa.Array.from_buffers(kind, 4, pa.array([b"ok", b"\xff\xfe", b"ok", b"no"], raw).buffers())
    parquet.write_table(pa.table({"text": column, "label": ["x", "y"] * 2}), path)
    with pytest.raises(DataError, match=r"data\.parquet cannot be read as parquet: .*[Uu][Tt][Ff]-?8"):
        load(DataConfig(str(path)))


def test_numbers_of_any_kind_are_labels_and_features(tmp_path):
    """Decimals, unsigned and dictionary numbers are numbers; a label is a whole one of them."""
    labels = {
        "decimal": pa.array([decimal.Decimal("1.000"), decimal.Decimal("2.000")] * 8),
        "unsigned": pa.array([2**63 + 1, 2**63 + 2] * 8, pa.uint64()),
        "float": pa.array([1e19, 2.0] * 8),
        "half": pa.array(np.array([1, 2] * 8, np.float16)),
        "dictionary": pa.array([3, 4] * 8).dictionary_encode(),
    }
    expected = {
        "decimal": ("1", "2"),
        "unsigned": (str(2**63 + 1), str(2**63 + 2)),
        "float": ("2", str(10**19)),
        "half": ("1", "2"),
        "dictionary": ("3", "4"),
    }
    path = tmp_path / "data.parquet"
    parquet.write_table(pa.table(labels), path)
    for name, classes in expected.items():
        train = load(DataConfig(str(path), label=name)).train
        assert train.class_names == classes
        assert train.feature_names == tuple(other for other in labels if other != name)


def test_any_column_is_text_for_those_who_ask():
    """Times without their empty fractions, bytes that are text, whole numbers without a point; the rest is refused."""
    stamp = datetime.datetime(2024, 1, 2, 3, 4, 5)
    table = pa.table(
        {
            "date": [datetime.date(2024, 1, 2), None],
            "ns": pa.array([stamp, None], pa.timestamp("ns")),
            "time": pa.array([1, 2], pa.time64("ns")),
            "bytes": [b"a", b"b"],
            "float": [1.0, float("nan")],
            "lists": [["a"], None],
            "wrong": [b"\xff", b"b"],
        }
    )
    expected = {
        "date": ["2024-01-02", None],
        "ns": ["2024-01-02 03:04:05", None],
        "time": ["00:00:00.000000001", "00:00:00.000000002"],
        "bytes": ["a", "b"],
        "float": ["1", None],
        "lists": ["['a']", None],
    }
    assert {name: column_texts(table, name, "it") for name in expected} == expected
    with pytest.raises(DataError, match=r"it: column 'wrong' of type binary cannot be read as text: "):
        column_texts(table, "wrong", "it")
