"""`reseed randomize` and `reseed.randomize`: the same training on true, random and destroyed data."""

import json

import numpy as np
import pytest

import reseed
from reseed._errors import InputError, StudyError

SMALL = {"data.limit": 60, "model.hidden": [64], "epochs": 150}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A small test of digits, by every version."""
    folder = tmp_path_factory.mktemp("randomized") / "out"
    recipe = reseed.recipe_for("digits", changes=SMALL)
    return reseed.randomize(recipe=recipe, runs=2, levels=(0.5,), draws=2, out=folder, announce=lambda line: None)


def test_versions_differ_as_they_must(found):
    """Random labels take longer than true ones and teach nothing; destroyed inputs teach nothing either."""
    rows = {row["version"]: row for row in found.summary["versions"]}
    assert list(rows) == [
        "true",
        "labels-0.5",
        "random-labels",
        "shuffled-pixels",
        "random-pixels",
        "gaussian",
    ]
    assert rows["true"]["slow_down"] == pytest.approx(1)
    assert rows["true"]["runs_fitted"] == rows["random-labels"]["runs_fitted"] == 2
    assert rows["random-labels"]["slow_down"] > 1.5
    assert rows["true"]["test_accuracy_mean"] > rows["labels-0.5"]["test_accuracy_mean"] + 0.1
    for name in ("random-labels", "random-pixels", "gaussian"):
        assert rows[name]["test_accuracy_mean"] < 0.3
    assert rows["shuffled-pixels"]["test_accuracy_mean"] > 0.5  # an MLP does not see an order that all share
    for row in rows.values():
        low, high = row["train_accuracy_ci95"]
        assert low <= row["train_accuracy_mean"] <= high


def test_numbers_are_those_of_the_studies(found):
    """Accuracies from the recorded labels of each study and the labels that it was trained on."""
    study = found.studies["random-labels"]
    splits = reseed.load(study.recipe.data)
    answers = np.asarray(study.recorded("labels", "train"))
    right = (answers == splits.train.labels.numpy()).mean(-1)
    version = next(each for each in found.test.versions if each.name == "random-labels")
    assert np.array_equal(version.train_accuracy, right)
    clean = reseed.load(reseed.DataConfig("digits", limit=60))
    assert (splits.train.labels == clean.train.labels).float().mean() < 0.3
    assert found.summary["rademacher_lower_bound_mean"] > 0.5
    assert found.summary["rademacher_draws"] == 2


def test_files_and_the_same_call_again(found, monkeypatch):
    """JSON and a page without scripts are written; nothing is trained again."""
    numbers = json.loads((found.path / "randomization.json").read_text())
    assert numbers == json.loads(json.dumps(found.summary))
    page = (found.path / "randomization.html").read_text()
    assert "Accuracy on the training set" in page
    assert "<svg" in page
    before = {path: path.stat().st_mtime_ns for path in found.path.glob("*/runs/*/manifest.json")}
    assert len(before) == 2 * 6 + 1
    recipe = reseed.recipe_for("digits", changes=SMALL)
    again = reseed.randomize(recipe=recipe, runs=2, levels=(0.5,), draws=2, out=found.path, announce=lambda line: None)
    assert again.summary == found.summary
    assert {path: path.stat().st_mtime_ns for path in found.path.glob("*/runs/*/manifest.json")} == before


def test_the_grid_trains_each_regulariser_alone(tmp_path):
    """On true and on random labels; the recipe's own are off elsewhere."""
    recipe = reseed.recipe_for("digits", changes={"data.limit": 60, "epochs": 1, "optimizer.weight_decay": 0.01})
    found = reseed.randomize(
        recipe=recipe, runs=2, levels=(), draws=1, grid=True, out=tmp_path / "grid", announce=lambda line: None
    )
    assert found.studies["true"].recipe.optimizer.weight_decay == 0
    assert found.studies["true+weight-decay"].recipe.optimizer.weight_decay == 5e-4
    assert found.studies["random-labels+dropout"].recipe.model.dropout == 0.5
    assert found.studies["random-labels+augmentation"].recipe.augment == "crop"


@pytest.mark.parametrize(
    ("named", "changes", "model", "hidden", "epochs"),
    [
        (None, {}, "mlp", (256, 256), 120),
        (None, {"width": 4}, "cnn", None, 60),
        ("cnn", {"width": 4}, "cnn", None, 60),
        ("mlp", {"hidden": [8], "epochs": 2}, "mlp", (8,), 2),
    ],
)
def test_unless_told_otherwise_there_is_room_to_fit(named, changes, model, hidden, epochs, tmp_path):
    """Images too are learned by an MLP of 256-256, for 60 epochs at least; what somebody sets stays."""
    images = np.random.default_rng(0).uniform(size=(20, 1, 16, 16)).astype(np.float32)
    labels = np.arange(20) % 2
    found = reseed.randomize(
        (images, labels), named, runs=2, levels=(), draws=1, out=tmp_path / "out", announce=lambda line: None, **changes
    )
    recipe = found.studies["true"].recipe
    assert (recipe.model.name, recipe.epochs) == (model, epochs)
    if hidden is not None:
        assert recipe.model.hidden == hidden


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"levels": (0.2, 1.0)}, r"levels must be in \(0, 1\), got 1.0"),
        ({"level": 0.0}, r"level must be in \(0, 1\], got 0.0"),
        ({"draws": 0}, "draws must be a whole number of 1 or more, got 0"),
        ({"runs": 1}, "runs must be 2 or more, got 1"),
    ],
)
def test_what_is_refused(arguments, message, tmp_path):
    """Before anything is trained."""
    with pytest.raises(InputError, match=message):
        reseed.randomize("digits", out=tmp_path / "none", **arguments)
    assert not (tmp_path / "none").exists()


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    """Files are never mixed with those of a test."""
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(StudyError, match="exists and holds no randomisation test"):
        reseed.randomize("digits", out=tmp_path)
