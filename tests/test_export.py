"""Studies in forms that other tools open."""

import builtins
import json
import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc
import pytest
import xarray as xr

import reseed
from reseed import InputError, MissingExtraError, RecordConfig, StorageError
from reseed.workflows._formulas import without_formulas


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Three short trainings on digits, with full probabilities."""
    recipe = reseed.recipe_for("digits", changes={"epochs": 2})
    root = tmp_path_factory.mktemp("export") / "study"
    return reseed.measure(recipe=recipe, runs=3, out=root, record=RecordConfig(level="full"), probe=False).study


def read_json_lines(path):
    """Read one JSON object a line; JSON has no infinity."""
    return pd.DataFrame([json.loads(line) for line in path.read_text().splitlines()])


def read_hugging_face(path):
    """Read a saved data set."""
    return pytest.importorskip("datasets").load_from_disk(path).to_pandas()


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("a.parquet", pd.read_parquet),
        ("a.csv", lambda path: pd.read_csv(path, dtype={"sample_id": str})),
        ("a.jsonl", read_json_lines),
        ("a.hf", read_hugging_face),
    ],
)
def test_the_profile_opens_elsewhere(study, tmp_path, name, read):
    """Every row and every plain column is what `profile` says."""
    expected = reseed.profile(study).to_pandas()
    found = read(reseed.export(study, tmp_path / name))
    plain = [column for column in expected.columns if column != "answers"]
    assert set(plain) <= set(found.columns)
    assert len(found) == len(expected) == 360
    for column in plain:
        values = found[column].astype(expected[column].dtype)
        if name.endswith(".jsonl") and expected[column].dtype.kind == "f":
            expected[column] = expected[column].replace(np.inf, np.nan)
        pd.testing.assert_series_equal(values, expected[column], check_names=False)


def test_recordings_open_in_xarray(study, tmp_path):
    """All arrays of all runs are there, with their coordinates."""
    found = xr.open_zarr(reseed.export(study.path, tmp_path / "a.zarr"), chunks=None)
    assert dict(found.sizes) == {"run": 3, "checkpoint": 2, "sample": 360, "class": 10}
    assert set(found.data_vars) == {*study.recorded_names(), "target"}
    for name in study.recorded_names():
        assert np.array_equal(found[name].to_numpy(), study.recorded(name).to_numpy())
    assert found["sample"].to_numpy().tolist() == list(study.samples.ids)
    assert np.array_equal(found["target"].to_numpy(), study.targets)
    assert found.attrs == {"dataset": "digits", "model": "mlp"}


def test_a_file_is_replaced_and_a_folder_is_not(study, tmp_path):
    """Writing twice replaces a file; a folder that is there is refused, and nothing half-written stays."""
    for name in ("a.csv", "a.csv", "a.zarr"):
        reseed.export(study, tmp_path / name)
    with pytest.raises(InputError, match=r"out is '.*a\.zarr', which is there already; choose another name"):
        reseed.export(study, tmp_path / "a.zarr")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.csv.columns.json", "a.zarr"]


def test_other_names_are_refused(study, tmp_path):
    """A name that says nothing of the form is refused with those that do."""
    with pytest.raises(InputError, match=r"choose a name that ends in one of \.parquet, \.csv, \.jsonl, \.hf, \.zarr"):
        reseed.export(study, tmp_path / "a.xlsx")


FORMULAS = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "\0=1", "=cmd|'/c calc'!A1", "-")
FORMULAS += tuple(f"{sign}1" for sign in "\uff1d\uff0b\uff0d\uff20")  # the same in full width
HARMLESS = ("'=1", "1-1", " =1", "a@b", "", "é=")


@pytest.fixture
def formulas(tmp_path):
    """A study whose ids, classes and texts look like formulas, each in its own way."""
    names = (*FORMULAS, *HARMLESS)
    labels = [list(names), list(names), list(names[::-1])]
    texts = [f"{name} word{row % 4} word{row % 3}" for row, name in enumerate(names)]
    return names, reseed.Study.from_predictions(labels, tmp_path / "s", sample_ids=names, targets=names, texts=texts)


def test_texts_in_csv_are_no_formulas(formulas, tmp_path):
    """A text that a spreadsheet would run gets an apostrophe; other texts, and negative numbers, stay what they are."""
    _, study = formulas
    rows = pc.read_csv(reseed.export(study, tmp_path / "a.csv"), parse_options=pc.ParseOptions(newlines_in_values=True))
    found = rows["sample_id"].to_pylist()
    assert found == [f"'{name}" for name in FORMULAS] + list(HARMLESS)
    texts = [column for column in rows.schema.names if str(rows.schema.field(column).type) == "string"]
    cells = [cell for column in texts for cell in rows[column].to_pylist() if cell]
    assert not [cell for cell in cells if cell[0] in "=+-@\t\r\n\0"]
    assert rows["target"].to_pylist() == reseed.profile(study)["target"].to_pylist()


def test_formulas_are_kept_where_they_are_wanted(formulas, tmp_path):
    """With keep_formulas the file is what the profile says; where nothing is changed the option is refused."""
    names, study = formulas
    path = reseed.export(study, tmp_path / "a.csv", keep_formulas=True)
    rows = pc.read_csv(path, parse_options=pc.ParseOptions(newlines_in_values=True))
    assert rows["sample_id"].to_pylist() == list(names)
    with pytest.raises(InputError, match=r"keep_formulas is for \.csv, where texts are changed; leave it out"):
        reseed.export(study, tmp_path / "a.parquet", keep_formulas=True)


def test_names_of_columns_are_no_formulas():
    """A column's name is a cell like any other, and a negative number is no text."""
    table = pa.table({"=1": [-1], "b": ["-1"]})
    assert without_formulas(table).to_pydict() == {"'=1": [-1], "b": ["'-1"]}


@pytest.mark.parametrize("name", ["x::y.zarr", "x::y.hf", "x::y.csv", "a::b/x.zarr", "file:x.zarr"])
def test_names_in_which_other_tools_see_protocols(study, tmp_path, name):
    """A colon in a name is a colon."""
    (tmp_path / "a::b").mkdir()
    assert reseed.export(study, tmp_path / name).exists()


def test_a_url_is_no_place_for_an_export(study):
    """A folder called s3: is not what is meant."""
    with pytest.raises(InputError, match="is a URL; give a folder"):
        reseed.export(study, "s3://bucket/a.zarr")


def test_a_full_disk_and_another_reason_are_told_apart(study, tmp_path, monkeypatch):
    """Only where there is no room is anybody told to make some."""
    for number, expected in (
        (28, "make room, or choose a folder"),
        (13, "kept: choose a folder"),
        (36, "kept: choose"),
    ):

        def refuse(*_, number=number, **__):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr("os.fsync", refuse)
        with pytest.raises(StorageError, match=f"{os.strerror(number)}.*{expected}"):
            reseed.export(study, tmp_path / "a.csv")


def test_a_place_that_cannot_be_written(study, tmp_path):
    """What the system refuses is a typed error that names the file."""
    (tmp_path / "taken").write_text("")
    for name in ("a.csv", "a.zarr"):
        with pytest.raises(StorageError, match=rf"cannot write '.*taken/{name}'"):
            reseed.export(study, tmp_path / "taken" / name)


def test_a_missing_extra_is_named(study, tmp_path, monkeypatch):
    """Without the datasets package the error says which extra to install."""
    plain_import = builtins.__import__

    def without(name, *rest, **options):
        if name == "datasets":
            raise ImportError(name)
        return plain_import(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"needs the extra 'text': pip install 'reseed\[text\]'"):
        reseed.export(study, tmp_path / "a.hf")
