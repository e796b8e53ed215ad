"""`measure_bootstrap`: which models are compared, what is written, and what is refused."""

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

import reseed
from reseed._errors import InputError, StudyError
from reseed.models import ModelConfig
from reseed.training import Recipe, SeedPlan

RECIPE = Recipe(model=ModelConfig("mlp", hidden=(8,)), epochs=1, batch_size=64)


def _measure(out, recipe=RECIPE, **options):
    """Measures with few runs, in this process, and gives the result with the lines that were announced."""
    lines = []
    options = {"bootstraps": 4, "base_runs": 3, "engine": "serial", "threads": 1, "probe": False} | options
    return reseed.measure_bootstrap(recipe=recipe, out=out, announce=lines.append, **options), lines


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A bootstrap measurement of a small network on digits; tests only read it."""
    return _measure(tmp_path_factory.mktemp("bootstrap") / "digits")[0]


def test_resamples_differ_in_data_only(found):
    """Models of resamples have the original's seeds but another sample each, and the original trains on all data."""
    first = SeedPlan(0).seeds(0)
    assert found.original.header.vary == ("augment", "dropout", "init", "order")
    assert found.study.header.vary == ("data",)
    assert found.original.manifests[0].seeds["init"] == first.init
    assert {manifest.seeds["init"] for manifest in found.study.manifests} == {first.init}
    assert len({manifest.seeds["data"] for manifest in found.study.manifests}) == 4


def test_numbers_are_those_of_the_recorded_probabilities(found):
    """The file follows from the studies' probabilities, model by model."""
    told = json.loads((found.path / "bootstrap.json").read_text())
    base, others = found.original.final("probabilities").astype(float), found.study.final("probabilities").astype(float)

    def mape(models):
        return np.mean([np.abs(model - base[0]).mean() for model in models])

    def index(models):
        return np.mean([(model.argmax(-1) != base[0].argmax(-1)).mean() for model in models])

    assert told["mape"] == pytest.approx(mape(others))
    assert told["classification_instability_index"] == pytest.approx(index(others))
    assert told["seed_mape"] == pytest.approx(mape(base[1:]))
    assert told["seed_classification_instability_index"] == pytest.approx(index(base[1:]))
    for name in ("mape", "classification_instability_index", "seed_mape"):
        low, high = told[f"{name}_ci95"]
        assert low <= told[name] <= high
    assert (told["bootstraps"], told["seed_runs"], told["samples"], told["vary"]) == (4, 2, 360, ["data"])
    assert told["ci_covers"] == "resamples, samples"
    assert told == json.loads(json.dumps(found.summary))


def test_tables_hold_samples_and_the_plot(found):
    """One table has a row a sample; the other the plot's data, a row a sample and class."""
    base, others = found.original.final("probabilities")[0], found.study.final("probabilities")
    samples = pq.read_table(found.path / "bootstrap.parquet")
    assert samples["sample_id"].to_pylist() == list(found.study.samples.ids)
    np.testing.assert_array_equal(samples["prediction"], base.argmax(-1))
    np.testing.assert_allclose(samples["mape"], np.abs(others - base).mean(axis=(0, 2)), rtol=1e-5)
    plot = pq.read_table(found.path / "bootstrap-plot.parquet")
    assert plot.num_rows == 3600
    assert plot["class"].to_pylist()[:11] == [*map(str, range(10)), "0"]
    np.testing.assert_allclose(np.reshape(plot["prediction"], (360, 10)), base)
    np.testing.assert_allclose(np.reshape(plot["high"], (360, 10)), np.percentile(others, 97.5, axis=0), rtol=1e-5)


def test_what_is_finished_is_kept_and_extended(tmp_path):
    """After an interruption what was lost is made again, equal bit for bit, and more resamples join the others."""
    before, _ = _measure(tmp_path / "grown", bootstraps=2, base_runs=2)
    kept = before.study.final("probabilities")
    times = before.original.manifests
    shutil.rmtree(next(iter(sorted((before.study.path / "runs").iterdir()))))
    (tmp_path / "grown" / "bootstrap.json").unlink()
    after, lines = _measure(tmp_path / "grown", base_runs=2)
    assert "2 runs on all training data, 4 on resamples: 6 trainings" in lines
    np.testing.assert_array_equal(after.study.final("probabilities")[:2], kept)
    assert after.original.manifests == times
    assert after.instability.bootstraps == 4


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"bootstraps": 1}, "bootstraps must be 2 or more, got 1; pass 200 or more"),
        ({"base_runs": 1}, "runs must be 2 or more, got 1"),
        ({"vary": ("init",)}, "vary is init, without data: all models would train on one sample; add data"),
    ],
)
def test_bad_options_are_refused_before_work(tmp_path, options, text):
    """Each error names the argument, and nothing is trained."""
    with pytest.raises(InputError, match=text):
        _measure(tmp_path / "none", **options)
    assert not (tmp_path / "none").exists()


def test_another_folder_is_refused(tmp_path):
    """Files that are no bootstrap measurement are never mixed with one."""
    (tmp_path / "notes.txt").touch()
    with pytest.raises(StudyError, match="exists and holds no bootstrap measurement; choose another out"):
        _measure(tmp_path)
