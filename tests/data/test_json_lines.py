"""JSON lines: numbers exact, texts as written, anything else refused with the line."""

import re

import pyarrow as pa
import pytest

import reseed
from reseed._errors import DataError
from reseed.data import DataConfig, load, read_table
from reseed.data import _json_lines as module


@pytest.fixture
def read(tmp_path):
    """Reads a file of this content."""

    def read(content):
        path = tmp_path / "data.jsonl"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(path, None)

    return read


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ('"01" "1" "NA" "2024-01-01" null', pa.string(), ["01", "1", "NA", "2024-01-01", None]),
        ("1 -2 9223372036854775807", pa.int64(), [1, -2, 2**63 - 1]),
        ("1 2.5 null", pa.float64(), [1.0, 2.5, None]),
        ("true false", pa.bool_(), [True, False]),
        ("null null", pa.null(), [None, None]),
        ('{"b":1} {"c":2}', pa.struct([]), [{}, {}]),
        ('["b"] ["c","d"] null', pa.list_(pa.string()), [["b"], ["c", "d"], None]),
        ('[1] ["c"]', pa.list_(pa.null()), [[], []]),
    ],
)
def test_every_kind_of_value_has_its_type(read, values, kind, expected):
    """A column's type says what all of its values are."""
    table = read("".join(f'{{"a":{value}}}\n' for value in values.split(" ")))
    assert (table["a"].type, table["a"].to_pylist()) == (kind, expected)


def test_whole_numbers_of_any_length_stay_distinct(read, tmp_path):
    """Ids beyond 64 bits are told apart: as decimals, and as text where no decimal is that long."""
    for digits in (20, 60, 100):
        ids = [10**digits + row for row in range(8)]
        table = read("".join(f'{{"id":{row},"text":"t{row}","label":"{"ab"[row % 2]}"}}\n' for row in ids))
        assert [str(value) for value in table["id"].to_pylist()] == [str(row) for row in ids]
        splits = load(DataConfig(str(tmp_path / "data.jsonl"), id="id"))
        assert set(splits.train.sample_ids + splits.evaluation.sample_ids) == {str(row) for row in ids}


@pytest.mark.parametrize("content", ['{\n "a": 1,\n "b": "x"\n}\n{\n "a": 2\n}\n', '{"a":1,"b":"x"} {"a":2}\r\n'])
def test_objects_may_be_laid_out_as_one_likes(read, content):
    """Objects over several lines, or several in one, are read, and what one lacks is missing."""
    assert read(content).to_pylist() == [{"a": 1, "b": "x"}, {"a": 2, "b": None}]


def test_blocks_are_joined(read, monkeypatch):
    """What is read in many blocks is what is read in one, whatever types they found and columns they lack."""
    lines = ['{"a":1}', f'{{"a":{2**70},"b":null}}', '{"b":"x"}', f'{{"a":{10**50},"b":"y","c":[1]}}', '{"a":null}']
    whole = read("\n".join(lines))
    monkeypatch.setattr(module, "_BLOCK", 1)
    assert read("\n".join(lines)).to_pylist() == whole.to_pylist()
    assert read("\n".join(lines)).schema == whole.schema
    assert read('{"a":1}\n{"a":0.5}\n')["a"].to_pylist() == [1.0, 0.5]
    with pytest.raises(DataError, match="column 'a' holds text, but numbers in later rows; write all of its values al"):
        read('{"a":"x"}\n{"a":0.5}\n')


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            '[{"a":1},\n{"a":2}]',
            "data.jsonl: in line 1 begins a JSON array; write one object a line, as pandas does with to_json(orient=",
        ),
        ('{"a":1}\n3\n', "data.jsonl: in line 2 begins no JSON object; write one object a line"),
        ('{"a":1}\n{"a":2,}\n', "data.jsonl: line 2 is no JSON: "),
        ('{"a":1}\n\n{"a":\n', "data.jsonl: line 4 is no JSON: Expecting value"),
        ('{"a":1,"a":2}\n', "data.jsonl: line 1 is no JSON: an object has the key 'a' twice."),
        ('{"a":1}\n{"a":' + "[" * 20_000, "data.jsonl: line 2 is no JSON: it is nested too deeply."),
        ('{"a":' * 20_000, "data.jsonl: line 1 is no JSON: it is nested too deeply."),
        ('{"a":1}\n{"a":"1"}\n', "data.jsonl: column 'a' holds numbers, but text in row 1 (from 0); write all of its"),
        ('{"a":null}\n{"a":true}\n{"a":1}', "column 'a' holds true or false, but numbers in row 2 (from 0)"),
        ('{"a":"\\ud800"}\n', "data.jsonl: column 'a' holds half a surrogate pair, which is no text."),
        ('{"\\ud800":1}\n', "data.jsonl cannot be read as jsonl: 'utf-8' codec can't encode character"),
        ('{"a":' + "9" * 5_000 + "}", "data.jsonl: line 1 is no JSON: Exceeds the limit (4300 digits)"),
        (b'{"a":"caf\xe9"}\n', "data.jsonl: line 1 holds the byte 0xe9, which is no UTF-8; it may be 'é' in the enc"),
        ("\n\n", "data.jsonl has no rows."),
    ],
)
def test_what_is_no_table_is_refused(read, content, message):
    """Each mistake is answered with the line or the row, and with what to do."""
    with pytest.raises(DataError, match=re.escape(message)):
        read(content)


def test_numbers_that_are_none_are_read(read):
    """NaN and infinities stand for themselves, as other tools write them."""
    assert str(read('{"a":NaN}\n{"a":-Infinity}\n')["a"].to_pylist()) == "[nan, -inf]"
    assert read('{"a":1' + "0" * 400 + '}\n{"a":0.5}')["a"].to_pylist() == [float("inf"), 0.5]


def test_objects_without_end_are_refused(read, monkeypatch):
    """One object may not be so long that taking it apart would need memory without limit."""
    monkeypatch.setattr(module, "_BLOCK", 1 << 10)
    monkeypatch.setattr(module, "_LONGEST", 2 << 10)
    assert read('{"a":1}\n' * 1_000).num_rows == 1_000
    with pytest.raises(
        DataError, match=r"^data\.jsonl: an object or a line from line 2 on is longer than 0 MiB; write"
    ):
        read('{"a":1}\n{"a":[' + "[]," * 1_000 + "1]}\n")


def test_ever_new_columns_are_refused(read):
    """A file whose every line has a key of its own would be as wide as it is long."""
    with reseed.max_bytes(1 << 20), pytest.raises(DataError, match=r"^data\.jsonl takes .* or more to read"):
        read("".join(f'{{"k{row}":1}}\n' for row in range(1_000)))
