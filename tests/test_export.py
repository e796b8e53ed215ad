"""Studies in forms that other tools open."""

import builtins
import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import reseed
from reseed import InputError, MissingExtraError, RecordConfig, StorageError


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
    with pytest.raises(InputError, match=r"choose a name that ends in one of \.parquet, \.csv, \.jsonl, \.zarr, \.hf"):
        reseed.export(study, tmp_path / "a.xlsx")


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
