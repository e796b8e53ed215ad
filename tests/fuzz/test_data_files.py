"""Whatever bytes a user's data file holds: it is read, or refused in reseed's own words."""

import gzip
import io
import json
import zipfile
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from reseed import ReseedError
from reseed.data import DataConfig, Splits, column_texts, load, read_table, table_notes, without_index

ROWS = [{"id": f"0{row}", "n": row / 4, "text": f"text {row % 3}, of", "label": "xy"[row % 2]} for row in range(12)]


def delimited(mark):
    """A table whose texts are in quotes."""
    lines = [f'{row["id"]}{mark}{row["n"]}{mark}"{row["text"]} ""{row["id"]}"""{mark}{row["label"]}' for row in ROWS]
    return "\n".join([mark.join(ROWS[0]), *lines]).encode()


def json_lines():
    """A table with a column of lists."""
    return "\n".join(json.dumps({**row, "list": [row["id"]]}) for row in ROWS).encode()


def parquet_file():
    """A table with the columns that readers treat in ways of their own."""
    table = pa.Table.from_pylist(ROWS)
    more = {
        "kind": table["label"].dictionary_encode(),
        "list": [[1]] * 12,
        "time": pa.array(range(12), pa.time64("ns")),
    }
    for name, column in more.items():
        table = table.append_column(name, [column] if isinstance(column, list) else column)
    sink = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata({"pandas": '{"index_columns": ["id"]}'}), sink)
    return sink.getvalue()


def array(values):
    """One array as it is in an archive."""
    sink = io.BytesIO()
    np.save(sink, values)
    return sink.getvalue()


def archive(x, y):
    """An archive of these files."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as file:
        file.writestr("x.npy", x)
        file.writestr("y.npy", y)
    return sink.getvalue()


X, Y = array(np.arange(24.0).reshape(12, 2)), array(np.array(["no", "yes"] * 6))
FILES = {
    "data.csv": (delimited(","), bytes),
    "data.tsv": (delimited("\t"), bytes),
    "data.jsonl": (json_lines(), bytes),
    "data.csv.gz": (delimited(","), gzip.compress),
    "data.ndjson.gz": (gzip.compress(json_lines()), bytes),
    "data.parquet": (parquet_file(), bytes),
    "x.npz": (X, lambda content: archive(content, Y)),
    "y.npz": (Y, lambda content: archive(X, content)),
    "whole.npz": (archive(X, Y), bytes),
}
PIECES = st.one_of(
    st.binary(max_size=4),
    st.sampled_from(
        [b'"', b'""', b"\n", b"\r", b",", b"\t", b";", b"\0", b"\xff", b"[", b"{", b"}", b"1e999", b"nan", b"#"]
    ),
)
CHANGES = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), PIECES, st.integers(1, 3)), max_size=4)


def changed(content, changes):
    """Content in whose places some bytes are replaced by others, a number of times over."""
    for share, length, piece, times in changes:
        place = int(share * len(content))
        content = content[:place] + piece * times + content[place + length :]
    return content


def check(path, config):
    """Reads a file by every door."""
    for read in (lambda: load(DataConfig(str(path), **config)), lambda: texts(path)):
        with suppress(ReseedError):
            assert isinstance(read(), Splits | list)


def texts(path):
    """Everything in a table as text."""
    table, _ = without_index(read_table(path, None), ("id",))
    return [*table_notes(table), *(column_texts(table, name, path.name) for name in table.column_names)]


CONFIGS = st.sampled_from(
    [{}, {"id": "id"}, {"features": ("n",)}, {"split": "label"}, {"text": "TEXT", "eval_fraction": 0.5}]
)


@pytest.mark.parametrize("kinds", [(".csv", ".tsv", ".gz"), (".jsonl",), (".parquet",), (".npz",)])
@settings(deadline=None)
@given(data=st.data(), changes=CHANGES, config=CONFIGS)
def test_damaged_files_are_read_or_refused(tmp_path_factory, kinds, data, changes, config):
    """A valid file of which some bytes are others gives a data set or an error of reseed's, and nothing else."""
    name = data.draw(st.sampled_from([name for name in FILES if name.endswith(kinds)]))
    content, wrap = FILES[name]
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(wrap(changed(content, changes)))
    check(path, {} if name.endswith(".npz") else config)


@settings(deadline=None)
@given(name=st.sampled_from(list(FILES)), content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory, name, content):
    """So do bytes that nobody meant as a file."""
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(content)
    check(path, {})


@pytest.mark.parametrize("name", FILES)
def test_the_files_themselves_are_read(tmp_path, name):
    """Unchanged, each of these files is read: else nothing above would be tested."""
    content, wrap = FILES[name]
    path = tmp_path / name
    path.write_bytes(wrap(content))
    splits = load(DataConfig(str(path)))
    assert len(splits.train) + len(splits.evaluation) == 12


CELLS = st.text(st.characters(exclude_characters="\t\r\n", exclude_categories=["Cs"]), min_size=1, max_size=6)


@settings(deadline=None)
@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6))
def test_unquoted_tsv_is_read_as_it_is_written(tmp_path_factory, rows):
    """Where one cell shows that quotes enclose none, a TSV file has as many rows as lines, each as it is written."""
    rows = [('"a stray', "b"), *rows]
    path = tmp_path_factory.getbasetemp() / "rows.tsv"
    path.write_text("one\ttwo\n" + "".join(f"{one}\t{two}\n" for one, two in rows), encoding="utf-8", newline="")
    found = read_table(path, None).to_pylist()
    assert [tuple(row.values()) for row in found] == rows
