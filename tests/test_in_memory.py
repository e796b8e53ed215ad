"""Workflows on data and models that are in memory, and the studies that come of them."""

import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline

import reseed
from reseed import InputError, ModelError, StudyError

FRAME = pd.DataFrame(
    {"utterance": [f"{word} number {row}" for row, word in enumerate(["hello", "bye"] * 40)], "intent": [0, 1] * 40}
)
X = np.random.default_rng(0).normal(size=(80, 5)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)
COLUMNS = {"text": "utterance", "label": "intent"}
QUICK = {"runs": 2, "epochs": 1, "engine": "serial", "probe": False, "announce": lambda line: None}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of the frame."""
    out = tmp_path_factory.mktemp("memory") / "frame"
    return reseed.measure(FRAME, **COLUMNS, mitigations=["label-smoothing"], out=out, **QUICK).study


def test_a_frame_is_measured_and_its_study_stands_alone(study, tmp_path):
    """Wherever the folder is, the study can be opened, asked for its networks and inputs, and shown."""
    moved = tmp_path / "moved"
    shutil.copytree(study.path, moved)
    there = reseed.inspect(moved)
    assert (there.study.header.dataset, there.study.header.model) == ("DataFrame", "text-tfidf")
    assert there.study.recipe.data.held is None
    assert [method.name for method in there.study.recipe.mitigations] == ["label-smoothing"]
    assert there.study.samples.texts[0] in set(FRAME["utterance"])
    networks, inputs = there.study.networks(), there.study.inputs()
    assert (networks.predict(inputs.inputs).argmax(-1).numpy() == there.study.final()).all()
    assert set(there.study.inputs("train").raw) | set(inputs.raw) == set(FRAME["utterance"])


def test_the_same_call_continues_and_other_data_does_not(study, tmp_path):
    """More runs extend the study; a changed text makes it another study."""
    shutil.copytree(study.path, tmp_path / "frame")
    more = reseed.measure(
        FRAME.copy(), **COLUMNS, mitigations="label-smoothing", out=tmp_path / "frame", **QUICK | {"runs": 3}
    )
    assert len(more.study.manifests) == 3
    assert (more.study.final()[:2] == study.final()).all()
    changed = FRAME.assign(utterance=["another", *FRAME["utterance"][1:]])
    with pytest.raises(StudyError, match=r"data\.name: 'in-memory:"):
        reseed.measure(changed, **COLUMNS, mitigations="label-smoothing", out=tmp_path / "frame", **QUICK)


def test_a_study_continues_from_its_own_recipe(study, tmp_path):
    """The samples are taken from the folder, where the recipe does not hold them."""
    shutil.copytree(study.path, tmp_path / "frame")
    recipe = reseed.Study.open(tmp_path / "frame").recipe
    more = reseed.measure(recipe=recipe, out=tmp_path / "frame", **QUICK | {"runs": 3, "epochs": 1})
    assert len(more.study.manifests) == 3
    with pytest.raises(InputError, match="was in memory when this recipe was made"):
        reseed.measure(recipe=recipe, out=tmp_path / "elsewhere", **QUICK)


def test_the_commands_of_a_report_find_the_samples(study, tmp_path):
    """What the report says to do next with data that was in memory works: the samples lie beside the recipe."""
    recipe = study.path / "recipe.toml"
    assert f"reseed mitigate --recipe {recipe} " in reseed.inspect(study).write(tmp_path / "report").read_text()
    reseed.mitigate(recipe=reseed.recipe_for(file=recipe), methods=["ema"], out=tmp_path / "methods", **QUICK)
    assert reseed.Study.open(tmp_path / "methods" / "control").header.data == study.header.data
    (tmp_path / "recipe.toml").write_bytes(recipe.read_bytes())
    with pytest.raises(InputError, match="was in memory when this recipe was made"):
        reseed.measure(recipe=reseed.recipe_for(file=tmp_path / "recipe.toml"), out=tmp_path / "elsewhere", **QUICK)


def test_designs_of_data_in_memory_name_commands_that_make_more_of_them(tmp_path):
    """The recipe that a page names brings the samples, so the command that it names extends the design."""
    out = tmp_path / "nested"
    quick = {name: value for name, value in QUICK.items() if name != "runs"}
    page = reseed.measure_nested((X, Y), training_sets=2, runs=2, out=out, **quick).write()
    recipe = out / "sample-0" / "recipe.toml"
    assert f"reseed measure --nested 4 --recipe {recipe} --runs 4 --out {out}" in page.read_text()
    more = reseed.measure_nested(recipe=reseed.recipe_for(file=recipe), training_sets=3, runs=2, out=out, **quick)
    assert len(more.studies) == 3


def test_data_in_memory_takes_the_place_of_a_recipes(tmp_path):
    """A recipe of anything, changed by keywords, is trained on what is given."""
    recipe = reseed.recipe_for("digits", "mlp", changes={"optimizer.lr": 0.05, "model.hidden": [4], "steps": 3})
    found = reseed.measure((X, Y), recipe=recipe, out=tmp_path / "study", batch_size=16, **QUICK)
    trained = found.study.recipe
    assert (trained.optimizer.lr, trained.model.hidden, trained.batch_size) == (0.05, (4,), 16)
    assert (trained.epochs, trained.steps, found.study.header.dataset) == (1, None, "arrays")


def test_keywords_are_changes_of_the_recipe():
    """By the names of the command line, each of which a recipe has."""
    names = reseed.workflows.RecipeArguments.__annotations__.keys() - {"mitigations", "corrupt"}
    for name in names:
        (field,) = reseed.workflows.recipe_fields({name: None})
        part, _, last = field.rpartition(".")
        assert hasattr(getattr(reseed.Recipe(), part) if part else reseed.Recipe(), last), name
    with pytest.raises(InputError, match=r"no argument 'epoch'\. Did you mean 'epochs'"):
        reseed.measure((X, Y), epoch=3)
    with pytest.raises(InputError, match="recipe field epochs must be of type int"):
        reseed.measure((X, Y), epochs="many")


def test_mitigate_and_tune_take_what_measure_takes(tmp_path):
    """Columns, changes and where runs execute go by keyword."""
    quick = {name: value for name, value in QUICK.items() if name != "runs"}
    found = reseed.mitigate(FRAME, **COLUMNS, methods=["ema"], runs=2, out=tmp_path / "mitigated", **quick)
    assert [row.name for row in found.rows] == ["control", "second control", "ema"]
    assert reseed.Study.open(tmp_path / "mitigated" / "method-ema").recipe.epochs == 1
    many = (np.tile(X, (5, 1)), np.tile(Y, 5))
    tuned = reseed.tune(many, hidden=[4], budget=30, out=tmp_path / "tuned", **quick)
    assert tuned.spent <= 30
    assert tuned.rungs


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_a_function_makes_the_networks(tmp_path, engine):
    """A lambda travels to worker processes; its study says that it does not hold it, and knows other code."""
    factory = lambda input_shape, num_classes: torch.nn.Linear(*input_shape, num_classes)  # noqa: E731
    found = reseed.measure((X, Y), factory, out=tmp_path / "study", **QUICK | {"engine": engine})
    assert found.study.header.model.startswith("lambda-")
    assert "--recipe" not in found.write().read_text()  # no command knows the function
    with pytest.raises(ModelError, match="was a function of the session that made the recipe"):
        reseed.Study.open(tmp_path / "study").networks()
    with pytest.raises(StudyError, match=r"model\.name"):
        reseed.measure(
            (X, Y),
            lambda input_shape, num_classes: torch.nn.Linear(*input_shape, num_classes, bias=False),
            out=tmp_path / "study",
            **QUICK | {"engine": engine},
        )


def test_a_function_without_arguments_makes_the_networks(tmp_path):
    """Where the shapes are known anyway."""
    found = reseed.measure((X, Y), lambda: torch.nn.Linear(5, 2), out=tmp_path / "study", **QUICK)
    assert found.study.header.parameters["redrawn"] == 12


@pytest.mark.parametrize(
    ("data", "estimator", "options"),
    [
        ((X, Y), RandomForestClassifier(3), {}),
        (FRAME, make_pipeline(TfidfVectorizer(), SGDClassifier()), COLUMNS),
        ("digits", RandomForestClassifier(9), {"limit": 400}),
    ],
    ids=["features", "texts", "images"],
)
def test_an_estimator_is_fitted_with_every_seed(tmp_path, data, estimator, options):
    """Samples look as they do for networks: texts are shown, and pictures."""
    found = reseed.measure(data, estimator, runs=3, out=tmp_path / "study", engine="serial", **options)
    samples = reseed.load(data, **options).evaluation
    assert found.study.samples.ids == samples.sample_ids
    assert (found.study.samples.images is not None) == samples.is_image
    if samples.is_text:
        assert found.study.samples.texts == samples.inputs
    assert found.summary["accuracy_mean"] > 0.7
    assert (tmp_path / "study" / "report.html").exists()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: reseed.measure((X, Y), torch.nn.Linear(5, 2)), "one network, whose weights all runs would share"),
        (lambda: reseed.measure((X, Y), 5), "model must be a name, or a function"),
        (lambda: reseed.mitigate((X, Y), RandomForestClassifier()), "estimator RandomForestClassifier, which has no"),
        (lambda: reseed.measure((X, Y), RandomForestClassifier(), epochs=3), "epochs is for networks"),
        (lambda: reseed.measure((X, Y), RandomForestClassifier(), vary=["init"]), "vary is for networks"),
        (lambda: reseed.measure((X, Y), RandomForestClassifier(), mitigations="ema"), "mitigations is for networks"),
        (lambda: reseed.measure(torch.nn.Linear(5, 2)), "of type Linear, a network"),
        (lambda: reseed.tune(RandomForestClassifier()), "an estimator; pass the data first"),
    ],
)
def test_what_cannot_be_taken_is_told(call, message):
    """In reseed's own words, with the call that takes it."""
    with pytest.raises(InputError, match=message):
        call()
