"""The user's own files: what is read, and how it is understood."""

import gzip
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from pyarrow import csv, parquet

from reseed.data import DataConfig, load

TEXTS = ("hello there", "good bye", "hi", "see you", "good day", "so long", "morning", "farewell")
LABELS = ("in", "out") * 4


def table(**columns):
    """A table of eight greetings, with more columns."""
    return pa.table({"text": TEXTS, "label": LABELS, **columns})


def write_table(data, path):
    """Writes a table in the format that the file's extension says."""
    suffix = path.suffixes[0]
    if suffix == ".parquet":
        parquet.write_table(data, path)
        return
    sink = pa.BufferOutputStream()
    if suffix in (".csv", ".tsv"):
        csv.write_csv(data, sink, csv.WriteOptions(delimiter="\t" if suffix == ".tsv" else ","))
        content = sink.getvalue().to_pybytes()
    else:
        content = "".join(json.dumps(row) + "\n" for row in data.to_pylist()).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


FORMATS = (".csv", ".tsv", ".jsonl", ".ndjson", ".csv.gz", ".tsv.gz", ".jsonl.gz", ".ndjson.gz", ".parquet")


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_texts(tmp_path, suffix):
    """Texts, labels, ids and the split are the same whatever the format."""
    path = tmp_path / f"greetings{suffix}"
    write_table(table(), path)
    splits = load(DataConfig(str(path), eval_fraction=0.25))
    assert splits.train.class_names == ("in", "out")
    assert splits.train.name == path.name
    assert (splits.train.split, splits.evaluation.split) == ("train", "test")
    assert (len(splits.train), len(splits.evaluation)) == (6, 2)
    for part in (splits.train, splits.evaluation):
        for row, text, label in zip(part.sample_ids, part.inputs, part.labels, strict=True):
            assert (text, part.class_names[label]) == (TEXTS[int(row)], LABELS[int(row)])


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_numbers(tmp_path, suffix):
    """Without a text column all numeric columns are features; the label and a column called id are not."""
    path = tmp_path / f"numbers{suffix}"
    write_table(
        pa.table({"id": range(8), "x": np.arange(8) / 4, "n": range(8), "word": TEXTS, "target": [3, 10] * 4}), path
    )
    train = load(DataConfig(str(path))).train
    assert train.inputs.dtype == torch.float32
    assert train.class_names == ("3", "10")
    rows = [int(name) for name in train.sample_ids]
    assert train.inputs.tolist() == [[row / 4, row] for row in rows]
    assert train.labels.tolist() == [row % 2 for row in rows]


STRANGE = (
    'a "quoted" word, with a comma',
    "<script>alert(1)</script>",
    "two\nlines",
    "NUL \0 inside",
    "emoji \U0001f600 and \u00e9",
    "NA",
    "null",
    "007",
    "2020-01-01",
    " spaces ",
    "'=1+1",
    "None",
)


@pytest.mark.parametrize("suffix", FORMATS)
def test_texts_keep_whatever_they_contain(tmp_path, suffix):
    """Quotes, tags, line ends, NUL, emoji and what looks like a number, a date or nothing come back as written."""
    path = tmp_path / f"strange{suffix}"
    write_table(pa.table({"text": STRANGE, "label": ["a", "b"] * 6}), path)
    splits = load(DataConfig(str(path)))
    for part in (splits.train, splits.evaluation):
        assert part.inputs == tuple(STRANGE[int(row)] for row in part.sample_ids)


def test_texts_that_all_look_like_dates_stay_texts(tmp_path):
    """Neither CSV nor JSON lines turns texts into dates or numbers."""
    dates = [f"2020-01-{day:02d}" for day in range(1, 9)]
    for suffix in (".csv", ".jsonl"):
        path = tmp_path / f"dates{suffix}"
        write_table(pa.table({"text": dates, "label": LABELS}), path)
        assert set(load(DataConfig(str(path))).train.inputs) <= set(dates)


def test_columns_can_be_chosen(tmp_path):
    """Named columns are used in the order given, and ids come from their column as they are written."""
    path = tmp_path / "data.csv"
    ids = [f"{row:03d}" for row in range(8)]
    write_table(table(key=ids, a=range(8), b=range(10, 18), kind=["1", "2"] * 4), path)
    features = load(DataConfig(str(path), features=("b", "a"), label="kind", id="key")).train
    assert features.class_names == ("1", "2")
    assert features.inputs.tolist() == [[10 + int(name), int(name)] for name in features.sample_ids]
    assert set(features.sample_ids) < set(ids)
    texts = load(DataConfig(str(path), text="key", label="label")).train
    assert set(texts.inputs) < set(ids)


def test_integer_labels_sort_numerically_and_words_alphabetically(tmp_path):
    """Class 10 follows class 9; one word among them makes all of them words."""
    for labels, expected in (
        ([10, 9, 2, -1] * 2, ("-1", "2", "9", "10")),
        (["10", "9", "2", "x"] * 2, ("10", "2", "9", "x")),
        ([1.0, 0.0] * 4, ("0", "1")),
        ([True, False] * 4, ("False", "True")),
    ):
        path = tmp_path / "labels.parquet"
        parquet.write_table(pa.table({"text": TEXTS, "label": labels}), path)
        assert load(DataConfig(str(path), eval_fraction=0.5)).train.class_names == expected


def test_category_columns_of_parquet_are_text(tmp_path):
    """Dictionary-encoded words, as pandas writes categories, are read as the words."""
    path = tmp_path / "categories.parquet"
    parquet.write_table(
        pa.table({"text": pa.array(TEXTS).dictionary_encode(), "label": pa.array(LABELS).dictionary_encode()}), path
    )
    assert load(DataConfig(str(path))).train.class_names == ("in", "out")


def test_byte_order_mark_is_not_part_of_the_first_column(write):
    """A CSV file as spreadsheets save it is understood."""
    path = write("bom.csv", "\ufefftext,label\r\n" + "a,x\r\nb,y\r\nc,x\r\nd,y\r\n")
    assert load(DataConfig(path, eval_fraction=0.5)).train.class_names == ("x", "y")


def test_split_column_says_which_rows_are_which(write):
    """Rows marked train are trained on; the only other value names the evaluation split."""
    path = write("split.csv", "text,label,part\na,x,train\nb,y,Train \nc,x,dev\nd,y,dev\n")
    splits = load(DataConfig(path, split="part"))
    assert (splits.train.inputs, splits.evaluation.inputs) == (("a", "b"), ("c", "d"))
    assert splits.evaluation.split == "dev"
    assert splits.train.sample_ids + splits.evaluation.sample_ids == ("0", "1", "2", "3")


def test_test_is_preferred_among_several_evaluation_splits(write):
    """With validation and test rows, test is used unless another is asked for."""
    path = write("split.csv", "text,label,part\na,x,train\nb,y,train\nc,x,validation\nd,y,test\n")
    assert load(DataConfig(path, split="part")).evaluation.inputs == ("d",)
    assert load(DataConfig(path, split="part", eval_split="validation")).evaluation.inputs == ("c",)


def test_second_file_is_the_evaluation_split(write):
    """Row numbers of two files collide, so both get the name of their part in front."""
    first = write("train.csv", "utterance,intent\na,x\nb,y\n")
    second = write("eval.jsonl", '{"intent": "y", "utterance": "c", "more": 1}\n')
    splits = load(DataConfig(first, eval_file=second))
    assert splits.train.sample_ids == ("train-0", "train-1")
    assert splits.evaluation.sample_ids == ("test-0",)
    assert splits.evaluation.inputs == ("c",)
    assert splits.evaluation.labels.tolist() == [1]


def test_columns_are_found_regardless_of_case_in_both_files(write):
    """The second file may write the names of its columns otherwise; features keep the names of the first."""
    first = write("train.csv", "ID,A,Label\n01,0.5,x\n1,1.5,y\n")
    second = write("eval.csv", "label,a,id\nx,2.5,001\n")
    splits = load(DataConfig(first, eval_file=second, id="Id", features=("a",), label="label"))
    assert splits.train.sample_ids + splits.evaluation.sample_ids == ("01", "1", "001")
    assert splits.evaluation.feature_names == splits.train.feature_names == ("A",)
    assert splits.evaluation.inputs.tolist() == [[2.5]]
    second = write("eval.csv", "SENTENCE,label\n007,x\n")
    splits = load(DataConfig(write("train.csv", "Sentence,label\na,x\nb,y\n"), eval_file=second))
    assert splits.evaluation.inputs == ("007",)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_an_index_of_pandas_is_no_feature(tmp_path, suffix):
    """Files with and without the row index of pandas are the same data, and a note says what was left out."""
    frame = pd.DataFrame(
        {"a": np.arange(8) / 4, "b": range(8), "label": list("xyxyxyxy")}, index=[7, 3, 0, 1, 2, 6, 5, 4]
    )
    plain, indexed = tmp_path / f"plain{suffix}", tmp_path / f"indexed{suffix}"
    if suffix == ".csv":
        frame.to_csv(plain, index=False)
        frame.to_csv(indexed)
        name = "the unnamed first column"
    elif suffix == ".parquet":
        frame.to_parquet(plain, index=False)
        frame.rename_axis("level_0").to_parquet(indexed)
        name = "level_0"
    else:
        frame.to_json(plain, orient="records", lines=True)
        frame.rename_axis("Unnamed: 0").reset_index().to_json(indexed, orient="records", lines=True)
        name = "Unnamed: 0"
    first, second = load(DataConfig(str(plain))), load(DataConfig(str(indexed)))
    assert torch.equal(first.train.inputs, second.train.inputs)
    assert first.train.digest == second.train.digest
    assert first.notes == ("The features are a, b.",)
    left_out = f"indexed{suffix}: left out as the row index that pandas writes along: {name}."
    assert second.notes == (left_out, *first.notes)


def test_an_index_that_is_asked_for_is_used(tmp_path):
    """Ids, labels and features may be the index that pandas notes, or be called as an index is."""
    frame = pd.DataFrame({"a": range(8), "label": list("xyxyxyxy")})
    path = tmp_path / "data.parquet"
    frame.set_index([[101, 100, *range(102, 108)]]).rename_axis("Key").to_parquet(path)
    assert load(DataConfig(str(path), id="key")).train.sample_ids[0] in ("100", "101")
    frame.set_index("label").to_parquet(path)
    assert load(DataConfig(str(path))).train.class_names == ("x", "y")
    frame.to_csv(tmp_path / "data.csv", index_label="Unnamed: 0")
    splits = load(DataConfig(str(tmp_path / "data.csv"), features=("Unnamed: 0", "a")))
    assert splits.train.feature_names == ("Unnamed: 0", "a")
    assert splits.notes == ("The features are Unnamed: 0, a.",)


def test_columns_that_are_not_used_are_told(write):
    """Notes list the features and, with their kind, the columns that are none."""
    rows = [f'{row},{row},"{row},5",2024-01-0{row},,{"xxyyx"[row - 1]},train' for row in range(1, 5)]
    content = "\n".join(["id,n,price,when,empty,label,part", *rows, '5,5,"5,5",2024-01-05,,x,test'])
    path = write("data.csv", content)
    assert load(DataConfig(path, split="part")).notes == (
        "The features are n; not used: id (numbers), price (text: numbers with commas), when (dates), empty (no "
        "values).",
    )
    assert load(DataConfig(path, split="part", holdout=0.5, text="price")).notes == (
        "The text is price; not used: id, n (numbers), when (dates), empty (no values).",
    )
    many = ",".join(f"n{column}" for column in range(12))
    path = write("wide.csv", f"{many},label\n" + "".join(f"{'1,' * 12}{label}\n" for label in "xyxy"))
    assert load(DataConfig(path, eval_fraction=0.5)).notes == (
        "The features are n0, n1, n2, n3, n4, n5, n6, n7, n8, n9 and 2 more.",
    )


def test_own_ids_that_do_not_collide_stay(write):
    """Ids get nothing in front where they tell the samples apart already."""
    first = write("train.csv", "key,text,label\np,a,x\nq,b,y\n")
    second = write("eval.csv", "key,text,label\nr,c,x\n")
    splits = load(DataConfig(first, eval_file=second, id="key"))
    assert splits.train.sample_ids + splits.evaluation.sample_ids == ("p", "q", "r")


def test_classes_are_the_same_numbers_in_both_files(write):
    """A class keeps its number although the second file lacks others."""
    first = write("train.csv", "text,label\na,x\nb,y\nc,z\n")
    second = write("eval.csv", "text,label\nd,z\n")
    splits = load(DataConfig(first, eval_file=second))
    assert splits.evaluation.class_names == ("x", "y", "z")
    assert splits.evaluation.labels.tolist() == [2]


def test_single_samples_of_a_class_are_fine_with_own_evaluation_data(write):
    """Only the stratified split needs two samples of each class."""
    path = write("split.csv", "text,label,part\na,x,train\nb,y,train\nc,x,test\n")
    assert len(load(DataConfig(path, split="part")).train) == 2


def test_home_folder_is_understood(tmp_path, monkeypatch):
    """A path may start with a tilde."""
    monkeypatch.setenv("HOME", str(tmp_path))
    write_table(table(), tmp_path / "greetings.csv")
    assert len(load(DataConfig("~/greetings.csv")).train) == 6


def test_same_file_gives_the_same_digest(tmp_path):
    """Loading is repeatable, and the split seed changes the split."""
    path = tmp_path / "greetings.csv"
    write_table(table(), path)
    digests = [load(DataConfig(str(path), split_seed=seed)).train.digest for seed in (0, 0, 1)]
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]
