"""`measure_nested`: which studies are trained, what is compared, and what is refused."""

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

import reseed
from reseed._errors import InputError, StudyError
from reseed.instability import nested_estimates
from reseed.models import ModelConfig
from reseed.training import Recipe, SeedPlan

RECIPE = Recipe(model=ModelConfig("mlp", hidden=(8,)), epochs=1, batch_size=64)


def _measure(out, recipe=RECIPE, **options):
    """Measures with few runs, in this process, and gives the result with the lines that were announced."""
    lines = []
    options = {"training_sets": 3, "runs": 3, "engine": "serial", "threads": 1, "probe": False} | options
    return reseed.measure_nested(recipe=recipe, out=out, announce=lines.append, **options), lines


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A nested measurement of a small network on digits; tests only read it."""
    return _measure(tmp_path_factory.mktemp("nested") / "digits")[0]


def test_runs_differ_in_seeds_within_a_study_and_in_data_between(found):
    """Run r has the same seeds on every resample; the data word is one in each study and another in the next."""
    assert [study.path.name for study in found.studies] == ["sample-0", "sample-1", "sample-2"]
    for number, study in enumerate(found.studies):
        for manifest in study.manifests:
            expected = SeedPlan(0).seeds(manifest.run)
            assert manifest.seeds["init"] == expected.init
            assert manifest.seeds["order"] == expected.order
            assert manifest.seeds["data"] == SeedPlan(0, frozenset({"data"})).seeds(number).data


def test_numbers_are_those_of_the_recorded_probabilities(found):
    """The file holds what the pure functions make of the studies' probabilities, and the table a row a sample."""
    told = json.loads((found.path / "nested.json").read_text())
    studies = [reseed.Study.open(found.path / name) for name in told["studies"]]
    expected = nested_estimates(np.stack([study.final("probabilities") for study in studies]))
    for name in ("inconsistency", "instability", "divergence", "seed_variance", "data_variance", "seed_churn", "churn"):
        estimate = getattr(expected, name)
        assert told[name] == pytest.approx(estimate.value)
        assert told[f"{name}_ci95"] == pytest.approx([estimate.low, estimate.high])
    assert told["divergence"] == pytest.approx(told["inconsistency"] + told["instability"])
    assert (told["training_sets"], told["runs"], told["samples"]) == (3, 3, 360)
    assert told["ci_covers"] == "training sets, runs, samples"
    assert told["vary"] == ["init", "order", "dropout", "augment"]
    assert told == json.loads(json.dumps(found.summary))
    table = pq.read_table(found.path / "nested.parquet")
    assert table["sample_id"].to_pylist() == list(studies[0].samples.ids)
    assert np.mean(table["inconsistency"]) == pytest.approx(told["inconsistency"])
    assert np.mean(table["data_variance"]) == pytest.approx(told["data_variance"])


def test_what_is_finished_is_kept_and_extended(tmp_path):
    """After an interruption the lost run and study are made again, equal bit for bit; more of both extend."""
    before, _ = _measure(tmp_path / "grown", training_sets=2, runs=2)
    assert any("intervals do not cover other training samples or other seeds" in note for note in before.notes)
    probabilities = [study.final("probabilities") for study in before.studies]
    kept = before.studies[0].manifests[0]
    shutil.rmtree(tmp_path / "grown" / "sample-1")
    manifests = sorted((tmp_path / "grown" / "sample-0" / "runs").glob("*/manifest.json"))
    manifests[1].unlink()
    (tmp_path / "grown" / "nested.json").unlink()
    after, lines = _measure(tmp_path / "grown")
    assert "3 training samples, 3 runs on each: 9 trainings" in lines
    assert after.studies[0].manifests[0] == kept
    for study, expected in zip(after.studies, probabilities, strict=False):
        np.testing.assert_array_equal(study.final("probabilities")[:2], expected)


@pytest.mark.parametrize("engine", ["processes", "stacked"])
def test_other_engines_agree(found, tmp_path, engine):
    """Worker processes give the same numbers; runs as one program the same up to rounding."""
    other, _ = _measure(tmp_path / "other", engine=engine, jobs=2 if engine == "processes" else None)
    assert other.estimates.divergence.value == pytest.approx(found.estimates.divergence.value, rel=1e-2)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"training_sets": 1}, r"training_sets must be 2 or more, got 1"),
        ({"runs": 1}, "runs must be 2 or more, got 1"),
        ({"epsilon": 0.0}, "epsilon must be strictly between 0 and 1, got 0.0"),
        ({"vary": ("data", "init")}, "vary names data, which differs between the training samples in any case"),
    ],
)
def test_bad_options_are_refused_before_work(tmp_path, options, text):
    """Each error names the argument, and nothing is trained."""
    with pytest.raises(InputError, match=text):
        _measure(tmp_path / "none", **options)
    assert not (tmp_path / "none").exists()


def test_another_folder_is_refused(tmp_path):
    """Files that are no nested measurement are never mixed with one."""
    (tmp_path / "notes.txt").touch()
    with pytest.raises(StudyError, match="exists and holds no nested measurement; choose another out"):
        _measure(tmp_path)
