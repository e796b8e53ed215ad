"""What was measured along trainings where `reseed measure` speaks: terminal, page, summary and error."""

import json

import numpy as np
import pytest

import reseed
from reseed import RecordConfig, TrainingError
from reseed.cli import main
from reseed.curvature import stability_threshold

DIGITS = ["measure", "digits", "--epochs", "1", "--runs", "2", "--curvature", "every=10:samples=60"]


def recipe(**changes):
    """A small network on digits."""
    return reseed.recipe_for("digits", changes={"model.hidden": [6], "epochs": 1, **changes})


def said_by(words, capsys):
    """What a command prints."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    return capsys.readouterr().out


def measured(folder, runs=3, **changes):
    """What `reseed.measure` finds with curvature tracked."""
    record = RecordConfig(track="curvature:every=10:samples=60")
    return reseed.measure(recipe=recipe(**changes), runs=runs, engine="serial", out=folder, record=record)


def test_measure_says_why_trainings_diverged(tmp_path, capsys):
    """In terminal, page, summary.json and with --json, before the lens is asked; then in its scores, and once."""
    folder = str(tmp_path / "study")
    options = ["--lr", "40", "--optimizer", "sgd", "--out", folder]
    said = " ".join(said_by([*DIGITS, *options], capsys).split())
    assert "note: Trainings measured: 2 diverged" in said
    for run in range(2):
        assert f"note: Run {run}: Diverged at step 10, where the loss was" in said
    summary = json.loads((tmp_path / "study" / "summary.json").read_text())
    assert [note[:15] for note in summary["tracked_notes"]] == ["Trainings measu", "Run 0: Diverged", "Run 1: Diverged"]
    found = said_by([*DIGITS, *options, "--json"], capsys)
    assert json.loads(found)["tracked_notes"] == summary["tracked_notes"]
    page = (tmp_path / "study" / "report.html").read_text()
    assert page.count('id="scores-curvature"') == 1
    for title in ("Sharpness and threshold", "Training loss", "Learning rate", summary["tracked_notes"][1][:40]):
        assert title in page
    assert "Of all 2 complete runs." in page
    said_by(["curvature", folder, "--samples", "50", "--probes", "2", "--steps", "10"], capsys)
    page = (tmp_path / "study" / "report.html").read_text()
    assert page.count('id="scores-curvature"') == 1
    assert page.count(summary["tracked_notes"][1]) == 1


def test_no_run_ended(tmp_path):
    """The error says why: between two measurements the loss was no longer finite."""
    with pytest.raises(TrainingError) as error:
        measured(tmp_path / "study", **{"optimizer.lr": 1e20})
    first, *told = str(error.value).split("\n")
    assert "has 0 complete runs (3 diverged, 0 missing)" in first
    assert told[1].startswith("Run 0: Diverged at step 2, where the loss was not finite; the sharpness had crossed")
    with pytest.raises(reseed.StudyError, match=r"no run of the study .* ended\. Run 0: Diverged at step 2"):
        reseed.curvature.evaluate(tmp_path / "study", samples=50)


def test_nothing_is_said_where_nothing_was_measured(tmp_path):
    """No section, and no notes."""
    found = reseed.measure(recipe=recipe(), runs=2, engine="serial", out=tmp_path / "study")
    assert found.tracked is None
    assert "tracked_notes" not in found.summary
    assert "scores-curvature" not in (tmp_path / "study" / "report.html").read_text()


def test_adam_is_judged_by_its_own_sharpness(tmp_path):
    """Sharpness over threshold is that of the preconditioned one, and unknown before the first step."""
    changes = {"optimizer.name": "adam", "optimizer.lr": 0.01}
    found = measured(tmp_path / "study", **changes)
    tracked = found.study.tracked()
    bound = stability_threshold(recipe(**changes))
    assert bound.preconditioned
    np.testing.assert_allclose(
        found.tracked.series["tracked_ratio"], tracked["preconditioned_sharpness"].values / bound.value, rtol=1e-6
    )
    assert np.isnan(found.tracked.series["tracked_ratio"][:, 0]).all()
    assert found.tracked.charts[0].title == "Preconditioned sharpness and threshold"


def test_measurements_that_cannot_be_read(tmp_path):
    """A study that is corrupt is refused, and the file is named."""
    study = measured(tmp_path / "study").study
    for each in (study.path / "runs").rglob("tracked/*/zarr.json"):
        each.write_text("damaged")
    with pytest.raises(reseed.StudyError, match=r"tracked/.*are corrupt"):
        reseed.inspect(study.path).write()
