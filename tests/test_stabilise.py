"""`reseed.stabilise`: remedies at growing learning rates."""

import json

import numpy as np
import pytest

import reseed
from reseed._errors import InputError, RecipeError, StudyError
from reseed.curvature import stability_threshold

QUICK = {"limit": 200, "epochs": 4, "hidden": [16], "runs": 2, "announce": lambda line: None}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Nothing and clipping, at a rate that trains and at one that is far too large."""
    folder = tmp_path_factory.mktemp("stabilised") / "out"
    return reseed.stabilise("digits", remedies=["gradient-clipping"], rates=[0.1, 50], out=folder, **QUICK)


def test_numbers_are_those_of_the_studies(found):
    """Accuracy from the recorded labels, ratios from what was tracked, thresholds from the recipe's own rate."""
    assert list(found.studies) == [
        "control@0.1",
        "control@50.0",
        "gradient-clipping@0.1",
        "gradient-clipping@50.0",
    ]
    rows = {(row["remedy"], row["lr"]): row for row in found.summary["trials"]}
    for trial in found.test.trials:
        study = found.studies[f"{trial.remedy}@{trial.rate}"]
        assert study.recipe.optimizer.lr == trial.rate
        right = (np.asarray(study.final("labels")) == study.targets).mean(1)
        np.testing.assert_allclose(trial.accuracy[~np.isnan(trial.accuracy)], right)
        tracked = study.tracked()
        expected = tracked["sharpness"].values / tracked["threshold"].values
        np.testing.assert_allclose(trial.ratio, expected)
        assert trial.threshold == stability_threshold(study.recipe).value
        assert rows[trial.remedy, trial.rate]["early_ratio_mean"] == pytest.approx(
            np.nanmax(expected[:, tracked["step"].values <= tracked["step"].values[-1] / 4], 1).mean()
        )
    assert rows["control", 0.1]["runs_trained"] == 2
    assert rows["control", 50]["runs_trained"] == 0
    assert found.test.common_rate == 0.1
    assert found.studies["control@0.1"].recipe.optimizer.clip_norm is None
    assert found.studies["gradient-clipping@0.1"].recipe.optimizer.clip_norm == 1.0


def test_files_and_the_same_call_again(found):
    """JSON, a table that opens elsewhere and a page; nothing is trained again, and other remedies and rates join."""
    import pyarrow.parquet as pq

    numbers = json.loads((found.path / "stabilisation.json").read_text())
    assert numbers == json.loads(json.dumps(found.summary))
    assert pq.read_table(found.path / "stabilisation.parquet").num_rows == 4
    page = (found.path / "stabilisation.html").read_text()
    assert "Runs that train" in page
    before = {path: path.stat().st_mtime_ns for path in found.path.glob("*/*/runs/*/manifest.json")}
    assert len(before) == 8
    more = reseed.stabilise("digits", remedies=["warmup"], rates=[0.1], out=found.path, **QUICK)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert list(more.test.by_remedy) == ["control", "warmup", "gradient-clipping"]
    again = reseed.stabilise("digits", remedies=["gradient-clipping"], rates=[0.1, 50], out=found.path, **QUICK)
    trials = {(row["remedy"], row["lr"]): row for row in again.summary["trials"]}
    assert all(trials[row["remedy"], row["lr"]] == row for row in found.summary["trials"])


def test_without_rates_each_remedy_goes_up_until_no_run_trains(tmp_path):
    """From a quarter of the recipe's, doubling; the last rate is the first above those that train at which none do."""
    found = reseed.stabilise("digits", remedies=["gradient-clipping:norm=0.1"], lr=2.0, out=tmp_path / "out", **QUICK)
    for trials in found.test.by_remedy.values():
        rates = [trial.rate for trial in trials]
        assert rates == [0.5 * 2**place for place in range(len(rates))]
        trained = [bool(trial.trained(0.5).any()) for trial in trials]
        assert not trained[-1]
        first = trained.index(True) if any(trained) else len(trained)
        assert all(trained[first:-1])
    control, clipped = found.test.by_remedy.values()
    assert len(control) < len(clipped)
    assert "--lr 2.0" in found.page.made["trained by"]  # with which each goes up by itself again


def test_the_control_is_laid_bare(tmp_path):
    """No normalisation, warm-up or clipping, SGD where nobody chose; what somebody chose stays."""
    quick = QUICK | {"epochs": 1, "limit": 60, "rates": [0.05]}
    del quick["hidden"]
    found = reseed.stabilise("digits", "resnet", remedies=["layer-norm"], width=2, out=tmp_path / "a", **quick)
    control, normed = (found.studies[f"{name}@0.05"].recipe for name in ("control", "layer-norm"))
    assert (control.model.norm, normed.model.norm) == ("none", "layer")
    assert (control.schedule.name, control.schedule.warmup) == ("constant", 0)
    assert control.optimizer.name == "sgd"
    own = reseed.recipe_for("digits", "cnn", changes={"epochs": 1, "data.limit": 60, "model.width": 2})
    chosen = reseed.stabilise(
        recipe=own, remedies=["batch-norm+warmup"], rates=[0.05], runs=2, out=tmp_path / "b", announce=lambda line: None
    )
    assert chosen.studies["control@0.05"].recipe.optimizer.name == "adam"
    both = chosen.studies["batch-norm+warmup@0.05"].recipe
    assert (both.model.norm, both.schedule.warmup) == ("batch", 0.1)


def test_default_remedies_that_do_not_suit_are_named(tmp_path):
    """An MLP has no layers that are normalised, and no residual branches."""
    quick = QUICK | {"epochs": 1, "limit": 60, "rates": [0.05]}
    found = reseed.stabilise("digits", out=tmp_path / "out", **quick)
    (note,) = found.test.notes
    assert note == "Left out, since they do not suit model mlp: fixup, batch-norm, layer-norm."
    assert {"control", "warmup", "gradient-clipping", "init-scale", "metainit"} <= set(found.test.by_remedy)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"remedies": ["batch-norm"]}, RecipeError, "remedy 'batch-norm' is for layers that model 'mlp' does not have"),
        ({"remedies": ["batch-norm+layer-norm"], "model": "cnn"}, RecipeError, "names two normalisations"),
        ({"remedies": "warmup"}, InputError, "remedies must be several texts, got 'warmup'"),
        ({"remedies": ["warmup:share=0"]}, RecipeError, "changes nothing, so it is the control itself"),
        ({"remedies": ["warmpu"]}, RecipeError, "unknown mitigation 'warmpu'"),
        ({"rates": [0.1, -1.0]}, InputError, r"rates must be one or more positive numbers, got \[0.1, -1.0\]"),
        ({"rates": []}, InputError, "rates must be one or more positive numbers"),
        ({"level": 1.0}, InputError, r"level must be in \(0, 1\), got 1.0"),
        ({"runs": 1}, InputError, "runs must be 2 or more, got 1"),
    ],
)
def test_bad_input(tmp_path, given, error, words):
    """Every message names the argument and shows the value."""
    with pytest.raises(error, match=words):
        reseed.stabilise("digits", **({"out": tmp_path / "out", "announce": lambda line: None} | given))


def test_another_recipe_is_not_mixed_in(found):
    """Neither other trainings nor other seeds."""
    for other in ({"epochs": 5}, {"seed": 1}):
        with pytest.raises(StudyError, match="holds a comparison of remedies of another recipe or seed"):
            reseed.stabilise("digits", remedies=["warmup"], rates=[0.2], out=found.path, **(QUICK | other))


def test_a_remedy_that_cannot_learn_at_a_rate_is_left_out_from_there_on(tmp_path):
    """The loss after a first step of such a rate is not finite; what trained below it is compared."""
    found = reseed.stabilise("digits", remedies=["gradinit:steps=2"], rates=[0.1, 1e300], out=tmp_path / "out", **QUICK)
    assert [trial.rate for trial in found.test.by_remedy["gradinit:steps=2"]] == [0.1]
    (note,) = found.test.notes
    assert note.startswith("Left out: gradinit:steps=2 at 1e+300, and all above: ")
    assert "is not finite at its step 1" in note
