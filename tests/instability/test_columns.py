"""What every column, recorded array and single number of a study is."""

import json
import math
from itertools import chain

import numpy as np
import pyarrow.parquet as pq
import pytest
import xarray as xr

import reseed
import reseed.instability
from reseed import RecordConfig, Study
from reseed.instability import COLUMNS, NUMBERS, ONE_RUN, RECORDED, column_of
from reseed.workflows._profile import profile_summary

RUNS, CLASSES, EPOCHS = 3, 10, 4
TABLE = {**COLUMNS, **ONE_RUN}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Three short trainings on digits, with full probabilities."""
    recipe = reseed.recipe_for("digits", changes={"epochs": EPOCHS})
    root = tmp_path_factory.mktemp("columns") / "study"
    record = RecordConfig(level="full", temperature=True)
    return reseed.measure(recipe=recipe, runs=RUNS, out=root, record=record, probe=False, engine="serial").study


@pytest.fixture(scope="module")
def tables(study, tmp_path_factory):
    """The profiles of trainings on images and of imported labels of texts."""
    texts = [f"{'play music' if i % 2 else 'set alarm'} number {i}" for i in range(60)]
    labels = np.random.default_rng(0).integers(0, 2, (RUNS, 60))
    imported = Study.from_predictions(
        labels, tmp_path_factory.mktemp("texts") / "study", targets=[0, 1] * 30, class_names=("0", "1"), texts=texts
    )
    one = reseed.measure(recipe=study.recipe, runs=1, out=tmp_path_factory.mktemp("one") / "study", probe=False)
    return [reseed.profile(study), reseed.profile(imported), reseed.profile(one.study)]


@pytest.fixture(scope="module")
def silent(tmp_path_factory):
    """Runs that may abstain."""
    recipe = reseed.recipe_for("digits", changes={"epochs": 1}, mitigations="self-consistency-ensemble:members=2")
    return reseed.measure(recipe=recipe, runs=2, out=tmp_path_factory.mktemp("silent") / "study", probe=False).study


def ends(text):
    """The numbers of an interval, computed from its text."""
    known = {"ln": math.log, "log2": math.log2, "min": min, "inf": math.inf}
    sizes = {"R": RUNS, "K": CLASSES, "T": EPOCHS + 1}
    return eval(text, {"__builtins__": {}}, known | sizes)  # noqa: S307 (our own list, which reads as one of Python)


def test_every_column_has_an_entry(tables, study, silent):
    """No column, array or number is without a description; and all that are described exist."""
    seen = set(chain.from_iterable(table.column_names for table in tables))
    assert seen == set(TABLE) - {"dropout_label_entropy", "dropout_margin"}  # which need passes with dropout
    assert set(study.recordings().data_vars) | set(silent.recordings().data_vars) == set(RECORDED)
    numbers = {name for name in profile_summary(study) if "_ci95" not in name}
    assert [name for name in numbers if column_of(name) is None] == []
    assert set(NUMBERS) <= {name.partition("@")[0] for name in numbers}


@pytest.mark.parametrize("name", [*TABLE, *RECORDED, *NUMBERS])
def test_entries_are_whole(name):
    """A quantity has a unit and a range, what is no quantity has neither, and each source is there."""
    for found in (listed[name] for listed in (TABLE, RECORDED, NUMBERS) if name in listed):
        assert bool(found.unit) == bool(found.range)
        assert found.direction == "none" or found.range
        assert found.source in {"data", "recorded", "groups", *reseed.instability.__all__}
        assert found.about == found.about.strip(".")


def test_values_lie_in_their_ranges(tables, study):
    """Every number of a study is within the range that is told."""
    for table in tables:
        for name, column in TABLE.items():
            if column.range and name in table.column_names:
                values = table[name].to_numpy().astype(float)
                low, high = ends(column.range)
                known = values[~np.isnan(values)]
                assert ((known >= low - 1e-6) & (known <= high + 1e-6)).all(), name
    for name, number in profile_summary(study).items():
        if number is not None and number == number and "_ci95" not in name:
            low, high = ends(column_of(name).range)
            assert low - 1e-9 <= number <= high + 1e-9, name


def test_directions_are_those_of_instability(study):
    """Samples that flip are worse than the others by every column, in the direction that is told, ties allowed."""
    table = reseed.profile(study).to_pandas()
    flips = table["jitter"] > 0
    assert flips.any()
    for name, column in TABLE.items():
        if column.direction == "none" or name not in table or name in ("first_learned", "forgotten_for_good"):
            continue
        values = table[name].astype(float)
        apart = values[flips].mean() - values[~flips].mean()
        assert apart >= 0 if column.direction == "higher_is_worse" else apart <= 0, name


def test_parquet_says_what_it_holds(study, tmp_path):
    """Fields of samples.parquet and of an export carry direction, range, unit, description and source."""
    for path in (study.path / "samples.parquet", reseed.export(study, tmp_path / "a.parquet")):
        schema = pq.read_schema(path)
        for field in schema:
            kept = {key.decode(): value.decode() for key, value in field.metadata.items() if key != b"PARQUET:field_id"}
            averaged = ", averaged over runs" if field.name in ONE_RUN else ""
            expected = TABLE[field.name].metadata
            assert kept == expected | {"description": expected["description"] + averaged}
    assert schema.field("jitter").metadata[b"direction"] == b"higher_is_worse"
    assert schema.field("capacity").metadata[b"unit"] == b"bits"


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_text_files_have_a_description_beside_them(study, tmp_path, name):
    """What the columns of a text file are is in a JSON file beside it."""
    import pandas as pd

    path = reseed.export(study, tmp_path / name)
    columns = pd.read_csv(path).columns if name.endswith(".csv") else json.loads(path.read_text().splitlines()[0])
    described = json.loads((tmp_path / f"{name}.columns.json").read_text())
    assert set(described) == set(columns)
    assert described["mode_share"] == {
        "description": "share of runs that give the most frequent label",
        "direction": "lower_is_worse",
        "range": "[1 / min(K, R), 1]",
        "source": "mode_share",
        "unit": "share of runs",
    }


def test_arrays_of_xarray_have_attributes(study, tmp_path):
    """Units and directions are attributes of each array, under the names that plots look for too."""
    found = xr.open_zarr(reseed.export(study, tmp_path / "a.zarr"), chunks=None)
    for name, array in found.data_vars.items():
        expected = RECORDED[name]
        assert array.attrs == {"long_name": expected.about, "units": expected.unit, **expected.metadata}
    assert found["entropy"].attrs["units"] == "nats"


def test_the_terminal_shows_units_and_directions(study, capsys):
    """`reseed inspect --profile` has a column that says which way is worse."""
    from reseed.cli import main

    with pytest.raises(SystemExit):
        main(["inspect", str(study.path), "--profile"])
    lines = capsys.readouterr().out.splitlines()
    shown = {
        line.split("│")[1].strip(): [cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line
    }
    assert shown["capacity"][-2:] == ["bits", "higher"]
    assert shown["label_stability"][-1] == "lower"
    assert shown["runs"][-1] == ""
