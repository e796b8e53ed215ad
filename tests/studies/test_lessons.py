"""Studies whose runs learn from teachers: lessons are whole, the same for who resumes, and counted."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from reseed import InputError, RecipeError, StudyError, TrainingError
from reseed.data import load
from reseed.mitigations import (
    Distill,
    EnsembleSoftLabels,
    FocalDistillation,
    KnnSmoothing,
    LateBranching,
    SnapshotDistillation,
    Tgtss,
)
from reseed.models import ModelConfig, architecture
from reseed.studies import Study, _lessons, _taught, cost_summary, train_study
from reseed.studies._anchor import said_of_training_set
from reseed.training import OptimizerConfig, Recipe, RecordConfig, TrainingSet, mitigated
from reseed.training._memory import bytes_of_one_run

RECIPE = Recipe(model=ModelConfig("mlp", hidden=(16,), dropout=0.2), epochs=3, batch_size=64)
SPLITS = load(RECIPE.data)
STEPS, SAMPLES = 3 * 23, len(SPLITS.train.labels)


def kept(folder):
    """Return the names of a study's lessons."""
    return sorted(path.name for path in (folder / "lessons").iterdir())


def assert_same(one: Study, other: Study):
    """Assert that two studies predict the same with the same confidence."""
    for name in ("labels", "confidence"):
        np.testing.assert_array_equal(one.final(name), other.final(name))


@pytest.mark.parametrize("broken", ["save", "replace_json"])
def test_a_crash_in_a_lesson_leaves_nothing_half_written(train, tmp_path, monkeypatch, broken):
    """Whether the array or its description is being written: the same command goes on, and equals an unbroken one."""
    recipe = mitigated(RECIPE, [Tgtss(teacher="shared", every=20)])

    def crash(*arguments, **options):
        raise RuntimeError("power failure")

    with monkeypatch.context() as patch:
        patch.setattr(_lessons.np if broken == "save" else _lessons, broken, crash)
        with pytest.raises(RuntimeError, match="power failure"):
            train("broken", recipe)
    assert not [name for name in kept(tmp_path / "broken") if not name.endswith(".npy")]
    assert_same(train("broken", recipe), train("whole", recipe))
    assert kept(tmp_path / "broken") == kept(tmp_path / "whole")
    assert len(kept(tmp_path / "whole")) == 2


def test_a_resumed_study_asks_no_teacher_again(train, monkeypatch):
    """The lesson on disk is the one that later runs learn from."""
    recipe = mitigated(RECIPE, [EnsembleSoftLabels(teachers=2)])
    train("study", recipe, runs=2)
    monkeypatch.setattr(_lessons, "teach", lambda *arguments, **options: pytest.fail("taught again"))
    assert len(train("study", recipe, runs=3).manifests) == 3


@pytest.mark.parametrize(
    ("method", "own", "shared"),
    [
        (Tgtss(transient=0.5, every=10), (STEPS, 3 * SAMPLES, 4 * SAMPLES), None),
        (Tgtss(transient=0.5, every=10, teacher="shared"), (0, 0, None), (STEPS, 3 * SAMPLES, 4 * SAMPLES)),
        (Tgtss(transient=0.5, source="in_batch"), (STEPS, 3 * SAMPLES, 0), None),
        (EnsembleSoftLabels(teachers=2), (0, 0, None), (2 * STEPS, 6 * SAMPLES, 2 * SAMPLES)),
        (SnapshotDistillation(cycles=3), (STEPS, 3 * SAMPLES, 3 * SAMPLES), None),
        (LateBranching(branches=2, at=1 / 3), (0, 0, None), (5 * 23, 5 * SAMPLES, 2 * SAMPLES)),
        (KnnSmoothing(), (STEPS, 3 * SAMPLES, SAMPLES), None),
    ],
)
def test_teachers_are_counted(train, method, own, shared):
    """Steps, samples seen and samples predicted are those of the students and of all teachers, shared ones apart."""
    study = train(recipe=mitigated(RECIPE, [method]), runs=2, record=RecordConfig("final"))
    for manifest in study.manifests:
        cost = manifest.cost
        assert (cost["steps"], cost["samples_seen"]) == (STEPS + own[0], 3 * SAMPLES + own[1])
        assert cost.get("lesson_passes") == own[2]
        figures = tuple(cost.get(f"shared_{name}") for name in ("steps", "samples_seen", "lesson_passes"))
        assert figures == (shared or (None, None, None))


@pytest.mark.parametrize("method", [EnsembleSoftLabels(teachers=2), Tgtss(every=10, find_transient=True)])
def test_shared_teachers_are_timed(train, tmp_path, method):
    """Each run has the seconds of their lesson; where an earlier version kept none, they are absent."""
    recipe = mitigated(RECIPE, [method])
    study = train("study", recipe, runs=2, record=RecordConfig("final"))
    (path,) = (tmp_path / "study" / "lessons").glob("*.json")
    facts = json.loads(path.read_text())
    assert [manifest.cost["shared_wall_s"] for manifest in study.manifests] == [facts["wall_s"]] * 2
    assert cost_summary(study)["cost_shared_wall_s"] == facts.pop("wall_s") > 0
    path.write_text(json.dumps(facts))
    grown = train("study", recipe, runs=3, record=RecordConfig("final"))
    assert ["shared_wall_s" in manifest.cost for manifest in grown.manifests] == [True, True, False]
    assert "cost_shared_wall_s" not in cost_summary(grown)


def test_a_pilot_is_shared_and_counted(train, tmp_path, monkeypatch):
    """The transient is found once a study; every run's teacher uses it, and each run says what the pilot cost."""
    recipe = mitigated(RECIPE, [Tgtss(every=10, find_transient=True)])
    study = train("study", recipe, runs=2, record=RecordConfig("final"))
    assert [name[-5:] for name in kept(tmp_path / "study")] == [".json"]
    held = round(0.1 * SAMPLES)
    for manifest in study.manifests:
        assert manifest.cost["shared_steps"] == 3 * -(-(SAMPLES - held) // 64)
        assert manifest.cost["shared_samples_seen"] == 3 * (SAMPLES - held)
        assert manifest.cost["steps"] == 2 * STEPS
    monkeypatch.setattr(_lessons, "find_transient", lambda *arguments: pytest.fail("found again"))
    resumed = train("study", recipe, runs=3, record=RecordConfig("final"))
    monkeypatch.undo()
    assert_same(resumed, train("whole", recipe, record=RecordConfig("final")))


@pytest.mark.parametrize("method", [Tgtss(every=20), KnnSmoothing()])
def test_a_run_whose_own_teacher_diverged_is_marked(train, monkeypatch, method):
    """What is not finite in a lesson ends its run, and no other."""
    asked, teach = [], _taught.teach

    def diverging(*arguments, **options):
        lesson = teach(*arguments, **options)
        asked.append(lesson)
        return replace(lesson, output=torch.full_like(lesson.output, torch.nan)) if len(asked) == 2 else lesson

    monkeypatch.setattr(_taught, "teach", diverging)
    study = train(recipe=mitigated(RECIPE, [method]))
    assert [manifest.run for manifest in study.manifests] == [0, 2]
    assert [manifest.run for manifest in study.diverged] == [1]


def test_shared_teachers_that_diverge_are_an_error(train):
    """No run begins, and the message says what to do."""
    recipe = replace(RECIPE, optimizer=OptimizerConfig("sgd", lr=1e30))
    with pytest.raises(TrainingError, match=r"a shared teacher diverged.*lower the learning rate"):
        train(recipe=mitigated(recipe, [EnsembleSoftLabels(teachers=2)]))


def test_too_few_steps_are_refused_before_the_study_begins(train, tmp_path):
    """The error comes before anything is written."""
    recipe = mitigated(replace(RECIPE, steps=20), [Tgtss(source="in_batch")])
    with pytest.raises(RecipeError, match="source in_batch needs a whole epoch of 23 steps after the transient"):
        train(recipe=recipe)
    assert not (tmp_path / "study" / "study.json").exists()


def test_threads_are_part_of_a_lesson(train, tmp_path):
    """More threads may round differently: a folder of lessons keeps them apart."""
    recipe = mitigated(replace(RECIPE, epochs=1), [Tgtss(teacher="shared", every=20)])
    for threads in (1, 2):
        train(f"study {threads}", recipe, runs=2, threads=threads, lessons_folder=tmp_path / "lessons")
    assert len(kept(tmp_path)) == 4
    train("another", recipe, runs=3, threads=1, lessons_folder=tmp_path / "lessons")
    assert len(kept(tmp_path)) == 4


def test_lessons_take_memory(train):
    """What teachers say to each run is in the bytes of a run, by the number of samples and classes."""
    labels = torch.arange(1000) % 50
    data = TrainingSet(torch.rand(1000, 4), labels, 50)
    build = architecture(RECIPE.model)
    without = bytes_of_one_run(RECIPE, build, data)
    assert bytes_of_one_run(mitigated(RECIPE, [Tgtss()]), build, data) - without >= 2 * 4 * 1000 * 50


def test_an_anchor_may_be_a_study(train, finished_study, monkeypatch):
    """Runs learn from the mean of the recorded probabilities of the training set; no anchor is trained."""
    monkeypatch.setattr(_lessons, "teach", lambda *arguments, **options: pytest.fail("an anchor was trained"))
    said = said_of_training_set(str(finished_study), SPLITS.train.digest, SPLITS.train.labels.numpy(), 10)
    recorded = Study.open(finished_study).recorded("probabilities", "train").to_numpy()[:, -1]
    np.testing.assert_allclose(said[0], recorded.astype(float).mean(0), atol=2e-3)
    for method in (Distill(1.0, anchor=str(finished_study)), FocalDistillation(anchor=str(finished_study))):
        study = train(method.name, mitigated(RECIPE, [method]))
        assert all(manifest.cost["shared_steps"] == 0 for manifest in study.manifests)


def test_an_anchor_that_does_not_fit_is_refused_before_training(train, finished_study, tmp_path):
    """Other data, other samples, what was not recorded, and no study at all, are errors; no study is begun."""
    other = mitigated(replace(RECIPE, data=replace(RECIPE.data, limit=500)), [Distill(anchor=str(finished_study))])
    with pytest.raises(StudyError, match="teacher and student data differ"):
        train(recipe=other)
    with pytest.raises(StudyError, match="soft targets that do not match ids"):
        said_of_training_set(str(finished_study), SPLITS.train.digest, SPLITS.train.labels.numpy()[:-1], 10)
    bare = train("bare", RECIPE)
    with pytest.raises(StudyError, match=r"did not record 'probabilities' of the split 'train'.* level or train"):
        train(recipe=mitigated(RECIPE, [Distill(anchor=str(bare.path))]))
    with pytest.raises(InputError, match="holds no study"):
        train(recipe=mitigated(RECIPE, [Distill(anchor=str(tmp_path / "nothing"))]))
    assert not (tmp_path / "study" / "study.json").exists()


def test_a_study_goes_on_without_its_anchor(train, tmp_path):
    """What an anchor said is kept with the study."""
    anchor = train("anchor", RECIPE, record=RecordConfig("final", level="full", train=True))
    recipe = mitigated(RECIPE, [Distill(anchor=str(anchor.path))])
    train("study", recipe, runs=2)
    (tmp_path / "anchor").rename(tmp_path / "gone")
    assert len(train("study", recipe, runs=3).manifests) == 3


@pytest.mark.cluster
@pytest.mark.parametrize("method", [Tgtss(teacher="shared", every=20), Tgtss(every=20, find_transient=True)])
def test_lessons_travel_with_a_study_at_a_url(url, s3, tmp_path, monkeypatch, method):
    """Another machine that goes on with the study uses the lesson that is there, and trains no teacher."""
    pytest.importorskip("obstore")
    recipe = mitigated(RECIPE, [method])
    options = {"engine": "serial", "threads": 1, "probe": False}
    train_study(recipe, url, runs=2, **options)
    assert kept(s3 / url.removeprefix("s3://"))
    monkeypatch.setenv("RESEED_CACHE", str(tmp_path / "another cache"))
    teach = _lessons.teach

    def only_own(stage, *arguments, **options):
        assert not stage.shared
        return teach(stage, *arguments, **options)

    for asking in (_lessons, _taught):
        monkeypatch.setattr(asking, "teach", only_own)
    monkeypatch.setattr(_lessons, "find_transient", lambda *arguments: pytest.fail("found again"))
    resumed = train_study(recipe, url, runs=3, **options)
    monkeypatch.undo()
    assert_same(resumed, train_study(recipe, tmp_path / "whole", runs=3, **options))
