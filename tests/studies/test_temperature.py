"""Temperatures of studies: what says them, who shares them, and that no answer changes."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from reseed import RecipeError, StudyError, TrainingError
from reseed.data import load
from reseed.mitigations import Temperature, fit_temperature, parse_mitigations, tempered
from reseed.models import ModelConfig, architecture
from reseed.studies import Study, _temperature, cost_summary
from reseed.training import (
    DEFAULT_VARY,
    OptimizerConfig,
    Recipe,
    RecordConfig,
    SeedPlan,
    Training,
    TrainingSet,
    generator,
    mitigated,
    prediction_arrays,
)
from reseed.training._record import Scaling

RECIPE = Recipe(model=ModelConfig("mlp", hidden=(16,), dropout=0.2), epochs=3, batch_size=64)
SPLITS = load(RECIPE.data)
SAMPLES = len(SPLITS.train.labels)
FULL = RecordConfig("final", level="full", temperature=True)
SCORES = ("confidence", "own_probability", "margin", "entropy", "probabilities")


def with_methods(text, recipe=RECIPE):
    """Return a recipe with the methods that a text names."""
    return mitigated(recipe, parse_mitigations(text))


def test_scaling_changes_no_label():
    """Labels are taken before, ties and classes that only rounding tells apart included."""
    close = np.nextafter(np.float32(1), np.float32(2))
    logits = torch.tensor([[0.5, 0.5, 0.1], [1.0, close, 0.0], [3.0, 1.0, 2.0]])
    targets = np.array([1, -1, 0])
    for temperature in (0.1, 0.7, 3.0, 10.0):
        plain = prediction_arrays(logits, targets, "full")
        for scaling in (
            Scaling(temperature, False, True),
            Scaling(temperature, True, False),
            Scaling(temperature, True, True),
        ):
            arrays = prediction_arrays(logits, targets, "full", scaling)
            np.testing.assert_array_equal(arrays["labels"], plain["labels"])
            np.testing.assert_array_equal(arrays["labels"], [0, 1, 0])
            expected = (logits.double() / temperature).softmax(1).numpy() if scaling.is_applied else None
            if expected is not None:
                np.testing.assert_allclose(arrays["probabilities"], expected, atol=1e-6)
            else:
                np.testing.assert_array_equal(arrays["probabilities"], plain["probabilities"])


def test_scores_after_scaling_stand_beside_those_before(train):
    """What is recorded without it is there bit for bit; the rest is what `tempered` makes of the probabilities."""
    plain = train("plain", record=replace(FULL, temperature=False))
    study = train("study", record=FULL)
    for name in ("labels", *SCORES):
        np.testing.assert_array_equal(study.final(name), plain.final(name))
    (temperature,) = {manifest.temperature for manifest in study.manifests}
    assert {manifest.temperature for manifest in plain.manifests} == {None}
    assert not {name for name in plain.recorded_names() if name.startswith("tempered")}
    scaled = tempered(torch.from_numpy(study.final("probabilities")), temperature=temperature).numpy()
    np.testing.assert_allclose(study.final("tempered_confidence"), scaled.max(-1), atol=1e-5)
    own = np.take_along_axis(scaled, np.tile(study.targets, (3, 1))[..., None], -1)[..., 0]
    np.testing.assert_allclose(study.final("tempered_own_probability"), own, atol=1e-5)


def test_the_temperature_is_that_of_a_training_by_hand(train):
    """On nine tenths of the training set, with words of no run; what is left out says it."""
    study = train(record=FULL)
    seeds = SeedPlan().shared_seeds("temperature")
    order = torch.from_numpy(generator(seeds.order, 0).permutation(SAMPLES))
    held, kept = order[: round(0.1 * SAMPLES)], order[round(0.1 * SAMPLES) :]
    factory = architecture(RECIPE.model)
    prepared = factory.prepare(SPLITS, study.path / "elsewhere", lambda line: None)
    inputs, labels = prepared.train, SPLITS.train.labels
    training = Training(RECIPE, factory, TrainingSet(inputs[kept], labels[kept], 10), seeds)
    for _ in training.steps():
        pass
    expected = fit_temperature(training.predict(inputs[held])[0], labels[held])
    assert study.manifests[0].temperature == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("engine", ["serial", "stacked", "processes"])
def test_the_method_answers_with_scaled_probabilities_under_every_engine(train, engine):
    """Labels are the control's bit for bit, scores those after scaling, and all runs have one temperature."""
    options = {"engine": engine, "jobs": 2} if engine == "processes" else {"engine": engine}
    control = train("control", record=FULL, **options)
    method = train("method", with_methods("temperature"), record=FULL, **options)
    np.testing.assert_array_equal(method.final("labels"), control.final("labels"))
    assert [one.temperature for one in method.manifests] == [one.temperature for one in control.manifests]
    for name in ("confidence", "own_probability"):
        np.testing.assert_array_equal(method.final(name), control.final(f"tempered_{name}"))
        np.testing.assert_array_equal(method.final(name), method.final(f"tempered_{name}"))
    (temperature,) = {one.temperature for one in method.manifests}
    assert temperature != 1
    scaled = tempered(torch.from_numpy(control.final("probabilities")), temperature=temperature).numpy()
    np.testing.assert_allclose(method.final("probabilities"), scaled, atol=1e-5)
    np.testing.assert_allclose(method.final("margin"), np.diff(np.sort(scaled)[..., -2:])[..., 0], atol=1e-5)


def test_the_method_costs_its_training_and_recording_does_not(train):
    """What it takes to answer is counted once for each model; what it takes to look is not the method's."""
    held = round(0.1 * SAMPLES)
    control = train("control", record=replace(FULL, temperature=False)).manifests[0].cost
    looked = train("looked", record=FULL).manifests[0].cost
    method = train("method", with_methods("temperature")).manifests[0].cost
    assert not {name for name in looked if name.startswith("shared")}
    assert looked["samples_seen"] == method["samples_seen"] == control["samples_seen"] == 3 * SAMPLES
    assert method["shared_samples_seen"] == 3 * (SAMPLES - held)
    assert method["shared_lesson_passes"] == held
    assert method["shared_cpu_s"] > 0


@pytest.mark.parametrize(
    "methods",
    [
        "ema+init-scale+label-smoothing",
        "prediction-ensemble:members=2",
        "co-distillation",
        "distill",
        "ensemble-soft-labels:teachers=2",
        "tgtss:every=5:find_transient=true",
        "mixup",
        "knn-smoothing",
    ],
)
def test_it_goes_with_other_methods(train, methods):
    """Whatever else a recipe has, its answers stay, and what it shares is taught without what is held out."""
    alone = train("alone", with_methods(methods), runs=2, record=FULL)
    both = train("both", with_methods(f"{methods}+temperature"), runs=2, record=FULL)
    np.testing.assert_array_equal(alone.final("labels"), both.final("labels"))
    np.testing.assert_array_equal(alone.final("tempered_confidence"), both.final("confidence"))
    assert both.manifests[0].temperature > 0


@pytest.mark.parametrize("plan", [SeedPlan(vary=DEFAULT_VARY | {"data"}), SeedPlan(share=0.9), SeedPlan(folds=3)])
def test_it_goes_with_training_samples_of_every_kind(train, plan):
    """Resamples, shares and folds have temperatures of trainings on samples of their kind."""
    study = train("study", plan=plan, runs=2, record=FULL)
    whole = train("whole", runs=2, record=FULL)
    assert study.manifests[0].temperature not in (None, whole.manifests[0].temperature)


def test_studies_share_it_in_a_folder(train, tmp_path, monkeypatch):
    """The method finds what recording trained, and a study that goes on asks nobody again."""
    shelf = tmp_path / "shelf"
    first = train("first", record=FULL, lessons_folder=shelf)
    monkeypatch.setattr(_temperature, "temperature_of", lambda *arguments: pytest.fail("trained again"))
    second = train("second", with_methods("temperature"), record=FULL, lessons_folder=shelf)
    more = train("first", runs=4, record=FULL, lessons_folder=shelf)
    assert {one.temperature for one in (*more.manifests, *second.manifests)} == {first.manifests[0].temperature}


@pytest.mark.parametrize("begun", [True, False])
def test_a_study_goes_on_as_it_began(train, begun):
    """With temperature scaling or without, whatever is asked for later; a line says so."""
    lines = []
    train("study", runs=2, record=replace(FULL, temperature=begun))
    grown = train("study", runs=3, record=replace(FULL, temperature=not begun), announce=lines.append)
    assert any(f"goes on as it began, {'with' if begun else 'without'} temperature scaling" in line for line in lines)
    assert [one.temperature is not None for one in grown.manifests] == [begun] * 3
    assert ("tempered_confidence" in grown.recorded_names()) == begun


def test_networks_that_are_trained_again_are_held_against_scaled_scores(train):
    """A study whose method scales and which keeps no weights gives its networks, before scaling."""
    study = train("study", with_methods("temperature"), runs=2, record=replace(FULL, weights="none"))
    networks = study.networks(announce=lambda line: None)
    logits = networks(study.inputs().inputs)
    scaled = (logits / study.manifests[0].temperature).softmax(-1).detach().numpy()
    np.testing.assert_allclose(scaled.max(-1), study.final("confidence"), atol=1e-5)


def test_few_samples_are_told(train, tmp_path):
    """Recording goes on without and says so in a note; the method refuses."""
    rows = ["x,y,label", *(f"{number},{number % 7},{'ab'[number % 2]}" for number in range(60))]
    (tmp_path / "few.csv").write_text("\n".join(rows))
    few = replace(RECIPE, data=replace(RECIPE.data, name=str(tmp_path / "few.csv"), label="label"), batch_size=8)
    study = train("few", few, record=FULL)
    (note,) = [note for note in study.header.notes if "temperature" in note]
    assert "are fewer than the 100 of which ten can be held out" in note
    assert {one.temperature for one in study.manifests} == {None}
    with pytest.raises(RecipeError, match="mitigation temperature needs 100 training samples or more"):
        train("refused", with_methods("temperature", few))


def test_a_training_that_diverges_says_no_temperature(train, monkeypatch):
    """Recording goes on without and says so; the method cannot answer without."""
    found = _temperature.temperature_of

    def diverged(*arguments):
        return replace(found(*arguments), temperature=None)

    monkeypatch.setattr(_temperature, "temperature_of", diverged)
    lines = []
    study = train("study", record=FULL, announce=lines.append)
    assert any("diverged: no temperature is fitted" in line for line in lines)
    assert {one.temperature for one in study.manifests} == {None}
    with pytest.raises(TrainingError, match="diverged; lower the learning rate, or leave temperature out"):
        train("method", with_methods("temperature"), record=FULL)


def test_a_temperature_that_really_diverges_is_none():
    """Weights that are no numbers any more give none, and no error."""
    wild = replace(RECIPE, optimizer=OptimizerConfig("sgd", lr=1e30))
    inputs = architecture(RECIPE.model).prepare(SPLITS, None, lambda line: None).train
    data = TrainingSet(inputs, SPLITS.train.labels, 10)
    training = Training(wild, architecture(RECIPE.model), data, SeedPlan().seeds(0))
    assert _temperature.temperature_of(training, data).temperature is None


def test_labels_alone_have_nothing_to_scale():
    """It is an error that says what to do."""
    with pytest.raises(RecipeError, match="records nothing that it scales; record with level scores"):
        RecordConfig(level="labels", temperature=True)


def test_a_manifest_with_an_impossible_temperature_is_refused(train):
    """Zero, or none at all, divides nothing."""
    study = train(record=FULL, runs=2)
    path = study.path / "runs/run-00000/manifest.json"
    tree = json.loads(path.read_text())
    for value in (0.0, -1.0, "hot"):
        path.write_text(json.dumps(tree | {"temperature": value}))
        with pytest.raises(StudyError, match=r"is corrupt: .*temperature"):
            Study.open(study.path)


def test_strength_and_bounds():
    """Holding nothing out is the control; more than half is refused."""
    assert not Temperature(0.0).is_active
    assert Temperature(0.2).least_samples == 50
    with pytest.raises(RecipeError, match=r"held_out must be a share in \[0, 0.5\], got 0.6"):
        Temperature(0.6)


def test_processor_time_is_in_the_summary(train):
    """Of each run and of all; teachers' apart."""
    summary = cost_summary(train("study", with_methods("temperature"), record=FULL))
    assert summary["cost_cpu_s"] > 0
    assert summary["cost_shared_cpu_s"] > 0
