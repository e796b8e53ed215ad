"""Scores that any lens keeps join the profile and are exported, by nothing but being there."""

import json
import re

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import xarray as xr

import reseed
from reseed import InputError, RecordConfig, Study, StudyError
from reseed.instability import GIVEN
from reseed.scores import Column, Scores, keep_scores, mean_over_runs
from reseed.workflows import profile_summary

NORM = Column("norm of the gradient", "higher_is_worse", "[0, inf]", "nats", "somebody")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Three short trainings on digits; not to be changed."""
    recipe = reseed.recipe_for("digits", changes={"epochs": 3})
    root = tmp_path_factory.mktemp("lenses") / "study"
    return reseed.measure(recipe=recipe, runs=3, out=root, record=RecordConfig(level="full"), probe=False).study


@pytest.fixture
def study(trained, tmp_path):
    """A copy."""
    import shutil

    return Study.open(shutil.copytree(trained.path, tmp_path / "study"))


def scores_of(study, **changed):
    """Scores of a lens that nobody knows."""
    runs, samples = (0, 2), len(study.samples)
    parts = {
        "lens": "gradients",
        "ids": study.samples.ids,
        "columns": {"norm": NORM, "sharpness": NORM, "progress": NORM},
        "by_run": {"norm": np.random.default_rng(0).random((2, samples))},
        "of_runs": {"sharpness": np.array([1.0, 3.0])},
        "series": {"progress": np.array([[1.0, 2.0], [3.0, 4.0]])},
        "runs": runs,
        "steps": (10, 20),
        "summary": {"norm_mean": 0.5, "norm_ci95": [0.4, 0.6]},
        "notes": ("Runs 0 and 2 only.",),
    }
    return Scores(**parts | changed)


def test_a_lens_is_in_the_profile(study, tmp_path):
    """With its description and its notes, in every form of the table."""
    before = reseed.profile(study)
    scores = scores_of(study)
    keep_scores(study, scores)
    table = reseed.profile(study.path)
    assert table.column_names == [*before.column_names, "norm"]
    np.testing.assert_allclose(table["norm"].to_numpy(), np.asarray(scores.by_run["norm"]).mean(0))
    assert table.field("norm").metadata[b"unit"] == b"nats"
    assert table.schema.metadata[b"notes"].decode().endswith("Runs 0 and 2 only.")
    reseed.export(study, tmp_path / "a.csv")
    assert pd.read_csv(tmp_path / "a.csv")["norm"].to_numpy() == pytest.approx(table["norm"].to_numpy())
    described = json.loads((tmp_path / "a.csv.columns.json").read_text())
    assert described["norm"] == NORM.metadata | {"description": f"{NORM.about}, averaged over runs"}
    assert described["jitter"]["unit"] == "share of pairs"
    field = pq.read_schema(reseed.export(study, tmp_path / "a.parquet")).field("norm")
    assert field.metadata[b"source"] == b"somebody"
    assert profile_summary(study)["gradients.norm_mean"] == 0.5


def test_a_lens_is_among_the_arrays(study, tmp_path):
    """By run, and missing where it skips one."""
    scores = scores_of(study)
    keep_scores(study, scores)
    found = xr.open_zarr(reseed.export(study, tmp_path / "a.zarr"), chunks=None)
    np.testing.assert_array_equal(found["norm"].sel(run=[0, 2]).to_numpy(), scores.by_run["norm"])
    assert np.isnan(found["norm"].sel(run=1)).all()
    np.testing.assert_array_equal(found["sharpness"].to_numpy(), [1, np.nan, 3])
    assert found["progress"].sel(run=2, gradients_step=20) == 4
    assert found["norm"].attrs["long_name"] == NORM.about


def test_training_samples_have_a_table_of_their_own(study, tmp_path):
    """A row for each that any lens speaks of; the evaluation's table does not change."""
    before = reseed.profile(study).column_names
    with pytest.raises(StudyError, match=r"no lens keeps scores of its training samples; record them with train=True"):
        reseed.profile(study, split="train")
    columns = {"norm": NORM, "other": NORM}
    one = {"lens": "one", "ids": ("a", "b"), "samples": {"norm": np.array([1.0, 2.0])}}
    two = {"lens": "two", "ids": ("c", "b"), "samples": {"other": np.array([3.0, 4.0])}}
    for given in (one, two):
        keep_scores(study, Scores(columns=columns, split="train", **given))
    assert reseed.profile(study, split="train").to_pydict() == {
        "sample_id": ["a", "b", "c"],
        "norm": [1, 2, None],
        "other": [None, 4, 3],
    }
    assert reseed.profile(study).column_names == before
    assert pd.read_csv(reseed.export(study, tmp_path / "a.csv", split="train"))["other"].to_list()[1:] == [4, 3]
    with pytest.raises(InputError, match=r"split is for tables of samples; for '.*zarr' leave it out"):
        reseed.export(study, tmp_path / "a.zarr", split="train")
    with pytest.raises(InputError, match="split must be 'evaluation' or 'train', got 'test'"):
        reseed.profile(study, split="test")


def test_a_column_that_is_taken_is_left_out_with_a_note(study):
    """What instability says stands; the others' columns do too."""
    keep_scores(
        study,
        scores_of(
            study,
            lens="rival",
            columns={"jitter": NORM},
            by_run={},
            of_runs={},
            series={},
            runs=(),
            steps=(),
            samples={"jitter": np.ones(len(study.samples))},
        ),
    )
    keep_scores(study, scores_of(study))
    table = reseed.profile(study)
    assert "norm" in table.column_names
    assert table["jitter"].to_pylist() == reseed.evaluate(study).samples["jitter"].to_pylist()
    told = "The scores of rival are missing: the lenses 'rival' and 'evaluation' both have a column 'jitter'; call"
    assert told in table.schema.metadata[b"notes"].decode()


def test_damaged_scores_cost_themselves_alone(study):
    """The note says whose they are and what to do."""
    keep_scores(study, scores_of(study))
    (study.path / "scores" / "gradients" / "evaluation.json").write_text("{")
    table = reseed.profile(study)
    assert "norm" not in table.column_names
    told = table.schema.metadata[b"notes"].decode()
    assert re.search("The scores of gradients are missing: the scores '.*' are damaged: .* Delete", told)


@pytest.mark.parametrize("given", GIVEN, ids=lambda given: given.about)
def test_what_instability_gives_keeps_the_contract(given, study):
    """It can be kept as any lens's scores can, and comes back the same."""
    scores = given.make(study)
    for name, rows in scores.by_run.items():
        values = np.stack([np.asarray(rows[run]) for run in range(3)])
        if name in scores.samples and np.isfinite(values).all():
            np.testing.assert_allclose(mean_over_runs(rows), scores.samples[name], rtol=1e-6, atol=1e-12)
    assert set(scores.table.column_names) >= set(scores.samples)
    keep_scores(study, scores)
    again = reseed.scores.kept_scores(study, scores.lens)
    assert again.table.equals(scores.table)
    assert json.dumps(again.summary) == json.dumps(json.loads(json.dumps(scores.summary).replace("NaN", "null")))
