"""Studies that record every step."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from tests.studies.conftest import RECIPE

import reseed
from reseed._errors import StudyError
from reseed.studies import Study
from reseed.studies._header import write_header
from reseed.training import OptimizerConfig, RecordConfig


@pytest.fixture
def monitored(train):
    """A study of three runs that recorded every step."""
    return train("monitored", record=RecordConfig("final", monitor=True))


def test_every_step_is_recorded_and_nothing_changes(monitored, train):
    """Signals are there for all runs and steps, read again from the folder, and predictions are as without them."""
    found = Study.open(monitored.path).monitored()
    total = monitored.manifests[0].steps[-1]
    assert dict(found.sizes) == {"run": 3, "step": total}
    assert found.step.values.tolist() == list(range(1, total + 1))
    assert set(found) == {"loss", "gradient_norm", "entropy"}
    assert all(np.isfinite(found[name].values).all() for name in found)
    assert found.loss.isel(step=slice(0, 5)).mean() > found.loss.isel(step=slice(-5, None)).mean()
    plain = train("plain", record=RecordConfig("final"))
    np.testing.assert_array_equal(plain.final("confidence"), monitored.final("confidence"))


def test_engines_record_the_same(monitored, train):
    """Runs of one program record what they record one by one, up to rounding."""
    stacked = train("stacked", record=RecordConfig("final", monitor=True), engine="stacked")
    one, other = monitored.monitored(), stacked.monitored()
    for name in one:
        np.testing.assert_allclose(one[name].values, other[name].values, rtol=1e-2, atol=1e-3)


def test_a_study_goes_on_recording(train):
    """Later runs of a study record as the first did."""
    train("more", runs=2, record=RecordConfig("final", monitor=True))
    assert train("more", runs=3, record=RecordConfig("final", monitor=True)).monitored().sizes["run"] == 3


def test_other_studies_have_the_header_that_they_had(study, monitored):
    """The header names the option only where it is on, so that earlier studies and new ones look alike."""
    header = json.loads((monitored.path / "study.json").read_text())
    assert header["record"]["monitor"] is True
    write_header(study.path, study.header)
    assert "monitor" not in json.loads((study.path / "study.json").read_text())["record"]
    assert Study.open(study.path).header == study.header


def test_a_study_without_steps_says_so(study):
    """Asking for signals that were not recorded names what would record them."""
    with pytest.raises(StudyError, match=r"has no recorded steps; train it with monitor=True"):
        study.monitored()


@pytest.mark.parametrize("engine", ["serial", "stacked"])
def test_runs_that_diverge_do_not_hinder(train, engine):
    """A monitored study whose runs all diverge ends as any other does, and says that no run is complete."""
    recipe = replace(RECIPE, optimizer=OptimizerConfig("sgd", lr=1e30))
    found = train("wild", recipe, runs=2, record=RecordConfig("final", monitor=True), engine=engine, probe=False)
    assert len(found.diverged) == 2
    with pytest.raises(StudyError, match="has no complete run yet"):
        found.monitored()


def test_damaged_signals_are_noticed(monitored, tmp_path):
    """Signals of another length than the training are refused."""
    import zarr

    copy = Study.open(shutil.copytree(monitored.path, tmp_path / "copy"))
    folder = next((copy.path / "runs").glob("*/predictions-*")) / "steps"
    group = zarr.open_group(folder, mode="a")
    del group["loss"]
    group.create_array("loss", data=np.zeros(3, dtype=np.float32))
    with pytest.raises(StudyError, match=r"is corrupt: it has shape \(3,\)"):
        copy.monitored()


def test_an_export_holds_the_steps(monitored, tmp_path):
    """A zarr export has the signals of all runs beside the predictions."""
    import xarray as xr

    found = xr.open_zarr(reseed.export(monitored, tmp_path / "all.zarr"), chunks=None)
    signals = monitored.monitored()
    for name in signals:
        np.testing.assert_array_equal(found[f"step_{name}"].values, signals[name].values)
    np.testing.assert_array_equal(found.entropy.values, monitored.recorded("entropy").values)
