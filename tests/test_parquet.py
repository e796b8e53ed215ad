"""What a Parquet file takes to read is known from its pages, whatever its end says."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reseed
from reseed import DataError
from reseed._parquet import _Compact, check_parquet

TABLE = pa.table(
    {
        "number": np.arange(20_000),
        "text": [f"number {row % 50}" for row in range(20_000)],
        "list": [[row, None] for row in range(20_000)],
    }
)


@pytest.fixture
def write(tmp_path):
    """A function that writes a table and gives the path and what its end says."""

    def run(table=TABLE, **options):
        path = tmp_path / "a.parquet"
        pq.write_table(table, path, **options)
        return path, pq.read_metadata(path)

    return run


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zstd"},
        {"compression": "none", "use_dictionary": False},
        {"compression": "gzip", "data_page_version": "2.0"},
        {"row_group_size": 999, "write_page_checksum": True},
        {"data_page_size": 1000, "write_statistics": False},
        {"use_byte_stream_split": ["number"], "use_dictionary": False},
    ],
    ids=str,
)
def test_the_pages_of_every_writer_are_understood(write, options):
    """Whatever way a table is written, what it takes is found to be no less than its numbers, and not much more."""
    path, metadata = write(**options)
    numbers = TABLE.nbytes
    with reseed.max_bytes(numbers // 4), pytest.raises(DataError, match=r"a\.parquet' takes .* or more to read"):
        check_parquet(path, metadata, TABLE.column_names)
    with reseed.max_bytes(8 * numbers):
        check_parquet(path, metadata, TABLE.column_names)
    with reseed.max_bytes(1):
        check_parquet(path, metadata, ["another"])


def test_a_column_of_one_value_counts_all_its_rows(write):
    """A number that is stored once takes as much as its rows do."""
    path, metadata = write(pa.table({"a": np.zeros(10_000_000)}), compression="zstd")
    assert path.stat().st_size < 100_000
    with reseed.max_bytes(1 << 26), pytest.raises(DataError, match="takes"):
        check_parquet(path, metadata, ["a"])


def test_damaged_pages_are_refused(write):
    """Bytes of the pages that are others give no error but ValueError, and no end without one."""
    path, metadata = write(compression="none", data_page_size=2000)
    content, draw = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        place = int(draw.integers(4, 600))
        path.write_bytes(content[:place] + draw.bytes(int(draw.integers(1, 5))) + content[place + 4 :])
        try:
            check_parquet(path, metadata, TABLE.column_names)
        except ValueError:
            refused += 1
    assert refused > 30
    path.write_bytes(content[:5000])
    with pytest.raises(ValueError, match="lies outside the file"):
        check_parquet(path, metadata, TABLE.column_names)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x1c" * 40, "nested too deeply"),
        (b"\x15" + b"\xff" * 12, "a number that is too long"),
        (b"\x19\x00", "what no page has"),
    ],
)
def test_headers_that_are_none(data, message):
    """A header that nests or counts without end, or holds what none holds, is refused."""
    with pytest.raises(ValueError, match=message):
        _Compact(data).structure()
