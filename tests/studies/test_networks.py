"""The networks of a study, kept or trained again: they answer as it was recorded, whatever trained them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import reseed
from reseed import InputError, ModelError, StudyError
from reseed.mitigations import LabelSmoothing
from reseed.models import ModelConfig, Networks
from reseed.studies import Study
from reseed.training import AverageConfig, Recipe, RecordConfig, SeedPlan, mitigated

from .conftest import RECIPE, without_weights

QUIET = {"announce": lambda line: None}
NONE = RecordConfig(weights="none")
IMAGES = replace(RECIPE, model=ModelConfig("cnn", width=4, hidden=(8,), dropout=0.1), steps=6)
CASES = {
    "serial": (RECIPE, {}),
    "processes": (RECIPE, {"engine": "processes", "jobs": 2}),
    "stacked": (RECIPE, {"engine": "stacked"}),
    "stacked in groups": (RECIPE, {"engine": "stacked", "group": 2}),
    "images": (IMAGES, {}),
    "images, stacked": (IMAGES, {"engine": "stacked", "threads": 2}),
    "averages": (replace(RECIPE, average=AverageConfig("ema", decay=0.9)), {"engine": "stacked"}),
    "averages, images": (replace(IMAGES, average=AverageConfig("swa", start=0.3)), {"engine": "stacked"}),
    "other samples": (RECIPE, {"plan": SeedPlan(3, frozenset({"init", "data"}))}),
    "a method": (mitigated(RECIPE, [LabelSmoothing()]), {}),
}


@pytest.mark.parametrize("case", CASES)
def test_networks_answer_as_recorded(train, case):
    """Labels and confidences are the study's, to rounding; a run by itself is one of them.

    Networks that are trained again are those that were kept, bit for bit.
    """
    recipe, options = CASES[case]
    study, said = train(recipe=recipe, **options), []
    networks, evaluation = study.networks(announce=said.append), study.inputs()
    assert not said
    assert len(networks) == 3
    assert evaluation.ids == study.samples.ids
    assert np.array_equal(evaluation.targets, study.targets)
    logits = networks.predict(evaluation.inputs)
    assert np.array_equal(logits.argmax(-1).numpy(), study.final())
    found = logits.softmax(-1).amax(-1).numpy()
    np.testing.assert_allclose(found, study.final("confidence"), rtol=1e-4)
    torch.testing.assert_close(networks[1](evaluation.inputs), logits[1], rtol=1e-4, atol=1e-5)
    (second,) = study.networks([1], **QUIET)
    torch.testing.assert_close(second(evaluation.inputs), logits[1], rtol=1e-4, atol=1e-5)
    again = without_weights(study).networks(announce=said.append)
    assert len(said) == 1
    assert_same(again, networks)


def assert_same(one, other):
    """Assert that networks have the same parameters and buffers, bit for bit."""
    for left, right in zip(one, other, strict=True):
        assert left.state_dict().keys() == right.state_dict().keys()
        for name, value in left.state_dict().items():
            assert torch.equal(value, right.state_dict()[name]), name


@pytest.mark.parametrize("name", ["prediction-ensemble", "co-distillation"])
def test_runs_of_several_networks(train, name):
    """A run of several networks comes with all of them, kept or trained again, and answers as it was recorded."""
    study = train(recipe=reseed.recipe_for("digits", "mlp", changes={"epochs": 1}, mitigations=name), runs=2)
    inputs = study.inputs().inputs
    for opened in (study, without_weights(study)):
        networks = opened.networks(**QUIET)
        assert len(networks) == 2
        assert np.array_equal(networks.predict(inputs).argmax(-1).numpy(), study.final())


def test_teachers_and_the_training_split(train):
    """What teachers said comes from the study's folder; the training split is there with its own ids."""
    recipe = reseed.recipe_for("digits", "mlp", changes={"epochs": 1}, mitigations="ensemble-soft-labels")
    study = train(recipe=recipe, runs=2, record=NONE)
    assert len(study.networks(**QUIET)) == 2
    inputs = study.inputs("train")
    assert len(inputs.ids) == len(inputs.targets) == len(inputs.inputs) == 1437
    with pytest.raises(InputError, match="split must be 'evaluation' or 'train', got 'test'"):
        study.inputs("test")


def test_what_it_takes_is_said_first(train):
    """A line names the number of runs and the time that they took."""
    said = []
    study = train(record=NONE)
    study.networks([0, 2], announce=said.append)
    assert said[0].startswith("training 2 runs again for the networks of 2, which the study does not keep; when they")
    train("stacked", engine="stacked", record=NONE).networks([1], announce=said.append)
    assert said[1].startswith("training 3 runs again for the networks of 1, which")
    with pytest.raises(InputError, match="runs names 7, which is no complete run of the study; there are 0, 1, 2"):
        study.networks([7])
    with pytest.raises(InputError, match="runs names none"):
        study.networks([])


def test_a_run_that_does_not_come_out_again_is_refused(train):
    """Where a run answers otherwise than was recorded nothing is returned; run, split and first sample are named."""
    study = train(record=RecordConfig("final", level="labels", weights="none"))
    changed = next(study.path.glob("runs/run-00001/predictions-*"))
    other = train("other", plan=SeedPlan(9), record=RecordConfig("final", level="labels"))
    for file in changed.rglob("*"):
        if file.is_file():
            source = next(other.path.glob("runs/run-00001/predictions-*")) / file.relative_to(changed)
            file.write_bytes(source.read_bytes())
    with pytest.raises(StudyError, match=r"run 1 of .* does not come out again: labels of sample '\d+' of the eval"):
        Study.open(study.path).networks(**QUIET)


def test_imported_studies_have_no_networks(tmp_path):
    """Predictions alone give no network; the message says what to do with one's own."""
    study = Study.from_predictions(np.array([[0, 1, 1], [0, 1, 0]]), tmp_path / "study")
    for ask in (study.networks, study.inputs):
        with pytest.raises(StudyError, match=r"not trained by reseed.* no weights of them are kept; make reseed.mod"):
            ask()
    assert len(Networks(torch.nn.Linear(2, 2))) == 1


def test_code_of_a_stranger_is_not_imported(train, tmp_path, monkeypatch):
    """A study whose model is somebody's code gives its networks to those only who trust it."""
    (tmp_path / "own_net_again.py").write_text(
        "import torch\n\n\ndef net(shape, classes):\n"
        "    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 8), torch.nn.GELU(),"
        " torch.nn.Linear(8, classes))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    recipe = Recipe(model=ModelConfig("own_net_again:net"), epochs=1, batch_size=64)
    for engine in ("serial", "stacked"):
        study = Study.open(train(engine, recipe, engine=engine).path)
        with pytest.raises(ModelError, match="pass trust_code=True"):
            study.networks()
        networks = study.networks(trust_code=True, **QUIET)
        inputs = study.inputs(trust_code=True).inputs
        assert np.array_equal(networks.predict(inputs).argmax(-1).numpy(), study.final())
