"""The user's own files: what is refused, and in which words."""

import gzip
import re

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from reseed._errors import DataError
from reseed.data import DataConfig, load

GOOD = "text,label\na,x\nb,y\nc,x\nd,y\n"


def refuses(config, message):
    """Checks the text of the error."""
    with pytest.raises(DataError, match=re.escape(message)):
        load(config)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (
            GOOD,
            {"text": "texts"},
            "data.csv has no column 'texts' (text). Did you mean 'text'? It has text, label.",
        ),
        (GOOD, {"label": "zzz"}, "data.csv has no column 'zzz' (label). It has text, label."),
        (GOOD, {"id": "key"}, "has no column 'key' (id)"),
        (GOOD, {"split": "part"}, "has no column 'part' (split)"),
        (GOOD, {"features": ("x1",)}, "has no column 'x1' (features)"),
        (
            "text,klass\na,x\nb,y\n",
            {},
            "data.csv: no column is called label, target, intent; set label to one of text, klass.",
        ),
        (
            "text,label,intent\na,x,p\nb,y,q\n",
            {},
            "several columns could be the label: label, intent; set label to one of",
        ),
        ("text,sentence,label\na,b,x\n", {}, "several columns could be the text: text, sentence; set text to one"),
        (
            "words,label\na,x\nb,y\n",
            {},
            "neither a text column nor numeric columns beside the label 'label'; set text or features to some of "
            "words, label",
        ),
        (
            "size;weight;label\n1,5;;x\n2,5;3,5;y\n2,5;x;y\n",
            {},
            "label. Numbers need a decimal point, not a comma: size.",
        ),
        ("text,label\na,x\nb,x\n", {}, "data.csv: only one class, 'x'"),
        (
            "text,label\na,x\nb,x\nc,y\n",
            {},
            "data.csv: a class with a single sample cannot be in both training and evaluation: 'y'",
        ),
        (
            "text,label,part\na,x,train\nb,y,train\nc,z,test\n",
            {"split": "part"},
            "evaluation has classes that training never sees: 'z'",
        ),
        ("text,label\na,x\nb,\nc,x\n", {}, "data.csv: missing value in column 'label', row 1 (from 0)"),
        ("text,label\na,x\n ,y\nc,x\n", {}, "data.csv: empty text in column 'text', row 1 (from 0)"),
        ("n,label\n1,x\n,y\nnan,x\n", {}, "data.csv: missing value in column 'n', row 1, 2 (from 0)"),
        ("n,label\n1,x\ninf,y\n", {}, "infinite or too large value in column 'n', row 1 (from 0)"),
        ("n,label\n1,x\n1e300,y\n", {}, "infinite or too large value in column 'n', row 1 (from 0)"),
        (
            "n,label\n1,x\n2,y\n3;5,x\n",
            {},
            "column 'n' looks numeric, but row 2 (from 0) holds '3;5'; correct it, or list the features",
        ),
        (
            "n,label\n1,x\ntwo,y\n",
            {"features": ("n",)},
            "column 'n' is not numeric: row 1 (from 0) holds 'two'",
        ),
        (
            "key,text,label\np,a,x\np,b,y\nq,c,x\nr,d,y\n",
            {"id": "key", "eval_fraction": 0.5},
            "sample ids must be unique; given more than once: 'p'",
        ),
        ("text,label\na,x\nb\n", {}, "data.csv cannot be read as csv: CSV parse error: Row #3: Expected 2 columns"),
        ("text,label\n", {}, "data.csv has no rows."),
        ("", {}, "data.csv is empty (0 bytes)."),
        ("text,label,label\na,x,y\n", {}, "column names must be unique; given more than once: 'label'"),
        (
            b"text,label\n\xff\xfe,x\nb,y\n",
            {},
            "data.csv: line 2 holds the byte 0xff, which is no UTF-8; it may be '\u00ff' in the encoding cp1252 of "
            "Windows. Save it as UTF-8, such as with iconv -f cp1252 -t utf-8.",
        ),
        (b"text,label\na,x\nb\x81,y\n", {}, "data.csv: line 3 holds the byte 0x81, which is no UTF-8. Save it as"),
        (GOOD.encode("utf-16"), {}, "data.csv is encoded as UTF-16; save it as UTF-8."),
        (GOOD.encode("utf-16-le"), {}, "data.csv is encoded as UTF-16; save it as UTF-8."),
        (GOOD, {"eval_split": "test"}, "eval_split='test' chooses among the values of a split column"),
        (GOOD, {"split": "label"}, "column 'label' says 'x', 'y'; it must say train for some rows"),
        ("text,label,part\na,x,train\n", {"split": "part"}, "column 'part' says 'train'; it must say train for"),
        (
            "text,label,part\na,x,train\nb,y,val\nc,y,dev\n",
            {"split": "part"},
            "column 'part' has several evaluation splits; set eval_split to one of dev, val.",
        ),
        (
            "text,label,part\na,x,train\nb,y,dev\n",
            {"split": "part", "eval_split": "test"},
            "column 'part' has no rows of eval_split='test'; set eval_split to one of dev.",
        ),
        (GOOD, {"split": "label", "eval_file": "other.csv"}, "are both given; choose one"),
        (GOOD, {"limit": 1}, "data.csv: limit=1 is fewer than the 2 classes"),
    ],
)
def test_csv_errors(write, content, options, message):
    """Each mistake in a table is answered with the file, the place and what to do."""
    options = {"eval_fraction": 0.5, **options}
    refuses(DataConfig(write("data.csv", content), **options), message)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("data.jsonl", '{"text": "a", "label": "x"}\n{"text": ', "data.jsonl: line 2 is no JSON: Expecting value"),
        (
            "data.jsonl",
            '{"text": "a", "label": "x"}\n{"text": 3, "label": "y"}\n',
            "data.jsonl: column 'text' holds text, but numbers in row 1 (from 0); write all of its values alike",
        ),
        ("data.jsonl", '{"text": null, "label": "x"}\n{"text": "b", "label": "y"}\n', "missing value in column 'text'"),
        ("data.jsonl", '{"text": "a"}\n{"text": "b", "label": "y"}\n', "missing value in column 'label', row 0"),
        ("data.jsonl", '{"x": [1, 2], "label": "x"}\n', "neither a text column nor numeric columns"),
        ("data.jsonl", '{"text": "a", "label": {"b": 1}}\n', "column 'label' is of type struct<>"),
        ("data.jsonl", '{"text": "a", "label": 0.5}\n', "numbers with a fraction, such as 0.5; reseed measures"),
        ("data.parquet", b"not parquet at all", "data.parquet cannot be read as parquet:"),
        ("data.csv.gz", b"not gzip at all", "data.csv.gz cannot be read as csv:"),
        ("data.csv.gz", gzip.compress(b"text,label\na,x\n" * 100, mtime=0)[:40], "data.csv.gz cannot be read as csv:"),
        ("data.tsv", bytes(range(256)), "data.tsv"),
        ("data.xlsx", "x", "data.xlsx has extension '.xlsx'; files that can be read end in .csv, .tsv, .jsonl"),
        ("data.pkl", b"cos\nsystem\n", "data.pkl has extension '.pkl'"),
        ("data.parquet.gz", "x", "has extension '.gz'"),
        ("data", "x", "data has no extension; files that can be read end in"),
    ],
)
def test_other_file_errors(write, name, content, message):
    """Damaged and unknown files are named, with what the reader found."""
    refuses(DataConfig(write(name, content)), message)


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({"text": ["a", None], "label": ["x", "y"]}, {}, "missing value in column 'text', row 1 (from 0)"),
        ({"text": [1, 2], "label": ["x", "y"]}, {"text": "text"}, "column 'text' is of type int64, not text"),
        ({"n": [1.0, float("nan")], "label": ["x", "y"]}, {}, "missing value in column 'n', row 1 (from 0)"),
        ({"n": [1, None], "label": ["x", "y"]}, {}, "missing value in column 'n', row 1 (from 0)"),
        ({"n": [1, 2], "label": [1.0, None]}, {}, "missing value in column 'label', row 1 (from 0)"),
        ({"n": [1, 2], "label": [1.0, float("nan")]}, {}, "missing value in column 'label', row 1 (from 0)"),
        ({"n": [1, 2], "label": [1.0, float("inf")]}, {}, "numbers with a fraction, such as inf"),
        ({"n": [[1], [2]], "label": [1, 2]}, {"features": ("n",)}, "column 'n' is of type list<"),
        ({"n": [1, 2], "label": [b"x", b"y"]}, {}, "column 'label' is of type binary; labels and ids are words"),
    ],
)
def test_parquet_errors(tmp_path, columns, options, message):
    """Missing values and columns of other kinds are named."""
    path = tmp_path / "data.parquet"
    parquet.write_table(pa.table(columns), path)
    refuses(DataConfig(str(path), **options), message)


def test_errors_name_the_second_file(write, tmp_path):
    """A mistake in the evaluation file is not blamed on the training file."""
    first = write("train.csv", GOOD)
    refuses(DataConfig(first, eval_file=str(tmp_path / "none.csv")), "no such file")
    refuses(DataConfig(first, eval_file=write("e.csv", "text,class\na,x\n")), "e.csv has no column 'label' (label)")
    refuses(DataConfig(first, eval_file=write("e.csv", "words,label\na,x\n")), "e.csv has no column 'text' (input)")
    refuses(DataConfig(first, eval_file=write("e.csv", "text,label\na,q\n")), "training never sees: 'q'")
    np.savez(tmp_path / "e.npz", x=[1], y=[1])
    refuses(DataConfig(first, eval_file=str(tmp_path / "e.npz")), "e.npz: eval_file must be one of .csv")


def test_paths_that_lead_nowhere(tmp_path):
    """A name that looks like a path is answered as a path."""
    for name in (str(tmp_path / "absent.csv"), "absent.csv", "./absent", "~/absent-reseed-file"):
        refuses(DataConfig(name), "no such file")
    refuses(DataConfig(str(tmp_path)), "is a folder; name a file in it")


def test_unknown_names_are_answered_with_the_known_ones():
    """The nearest name is suggested, and the other kinds of source are mentioned."""
    refuses(DataConfig("digit"), "unknown data set 'digit'. Did you mean 'digits'?")
    refuses(DataConfig("CIFAR10"), "Did you mean 'cifar10'?")
    refuses(
        DataConfig("zzz"),
        "unknown data set 'zzz'. Known names: digits, mnist, cifar10, clinc150, massive, massive-domain. The path of",
    )
