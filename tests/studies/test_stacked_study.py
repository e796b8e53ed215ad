"""Stacked studies: the same runs as one program, grouped the same way when they are continued."""

import math
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from reseed import DataConfig
from reseed._errors import InputError, ModelError, StudyError, TrainingError
from reseed.engines import SerialEngine
from reseed.models import ModelConfig
from reseed.studies import Study
from reseed.studies._tasks import finish_study
from reseed.training import OptimizerConfig, Recipe, RecordConfig, StackedTraining, Training

RECIPE = Recipe(model=ModelConfig("mlp", hidden=(16,), dropout=0.2), epochs=3, batch_size=64)
IMAGES = replace(RECIPE, model=ModelConfig("cnn", width=4), steps=2)


def same(one: Study, other: Study) -> bool:
    """Whether two studies recorded the same bits."""
    names = one.recorded_names()
    return names == other.recorded_names() and all(
        np.array_equal(one.recorded(name).to_numpy(), other.recorded(name).to_numpy()) for name in names
    )


def test_a_stacked_study_is_the_serial_one_up_to_rounding(train):
    """Seeds are equal, scores agree closely, and hardly a label differs."""
    stacked, serial = train("a", engine="stacked", runs=5), train("b", runs=5)
    assert stacked.header.groups == ((0, 5),)
    assert [manifest.seeds for manifest in stacked.manifests] == [manifest.seeds for manifest in serial.manifests]
    np.testing.assert_allclose(stacked.final("confidence"), serial.final("confidence"), atol=1e-3)
    between_seeds = (serial.final()[0] != serial.final()[1]).mean()
    assert (stacked.final() != serial.final()).mean() < between_seeds / 10
    for one, other in zip(stacked.manifests, serial.manifests, strict=True):
        assert one.cost["steps"] == other.cost["steps"]
        assert (one.group, other.group) == ((0, 5), ())


def test_resuming_repeats_the_grouping(train):
    """A stacked study that lost runs, or was extended, equals one made at once with the same groups."""
    whole = train("whole", engine="stacked", runs=4, group=2)
    assert whole.header.groups == ((0, 2), (2, 4))
    cut = train("cut", engine="stacked", runs=4, group=2)
    stamp = (cut.path / "runs/run-00003/manifest.json").stat().st_mtime_ns
    (cut.path / "runs/run-00002/manifest.json").unlink()
    assert same(train("cut", engine="stacked", runs=4, group=3), whole)
    assert (cut.path / "runs/run-00003/manifest.json").stat().st_mtime_ns == stamp
    grown = train("grown", engine="stacked", runs=2, group=2)
    assert grown.header.groups == ((0, 2),)
    assert same(train("grown", engine="stacked", runs=4, group=2), whole)
    assert train("grown", engine="stacked", runs=2, group=2).header.groups == whole.header.groups


def test_a_study_keeps_its_threads_on_another_machine(train, monkeypatch):
    """Continued where there are more cores, a stacked study uses as many threads as it began with."""
    monkeypatch.setattr("reseed.studies._execution.usable_cores", lambda: 1)
    assert train(engine="stacked", runs=2, threads=None).header.threads == 1
    monkeypatch.setattr("reseed.studies._execution.usable_cores", lambda: 2)
    assert train(engine="stacked", runs=4, threads=None).header.threads == 1
    assert train("new", engine="stacked", runs=2, threads=None).header.threads == 2


def test_runs_diverge_one_by_one_in_a_stack(train):
    """Runs of a stack that diverge are those that diverge by themselves, and the others are kept."""
    recipe = Recipe(optimizer=OptimizerConfig(lr=1e9), epochs=2)
    stacked = train("a", recipe=recipe, engine="stacked", runs=8, record=RecordConfig("final"))
    serial = train("b", recipe=recipe, runs=8, record=RecordConfig("final"))
    assert [m.run for m in stacked.diverged] == [m.run for m in serial.diverged]
    assert [m.diverged_at for m in stacked.diverged] == [m.diverged_at for m in serial.diverged]
    assert [m.run for m in stacked.manifests] == [m.run for m in serial.manifests]


@pytest.mark.parametrize(("first", "then"), [("serial", "stacked"), ("stacked", "processes")])
def test_engines_that_round_differently_are_not_mixed(train, first, then):
    """A study is continued with the kind of arithmetic it began with."""
    train(engine=first, threads=1)
    with pytest.raises(StudyError, match="which rounds differently"):
        train(engine=then, runs=3, threads=1)
    with pytest.raises(StudyError, match=r"which rounds differently\. Choose the engine it began with"):
        train(engine=then, runs=5, threads=1)


def test_training_split_is_recorded_from_a_stack(train):
    """Both splits of every run of a stack are recorded at every checkpoint."""
    study = train(engine="stacked", runs=3, record=RecordConfig("epoch", level="full", train=True))
    assert study.recorded("probabilities").shape == (3, 3, 360, 10)
    assert study.recorded("labels", "train").shape == (3, 3, 1437)


@pytest.fixture
def own_recipe(tmp_path, monkeypatch):
    """A function that returns the recipe of a factory in the current folder, given the body of its `forward`."""

    def recipe(forward: str) -> Recipe:
        (tmp_path / "own_net.py").write_text(
            "import torch\n\n\nclass Net(torch.nn.Module):\n"
            "    def __init__(self, classes):\n"
            "        super().__init__()\n"
            "        self.hidden, self.head = torch.nn.Linear(64, 16), torch.nn.Linear(16, classes)\n\n"
            f"    def forward(self, x):\n        x = self.hidden(x.flatten(1))\n        {forward}\n\n\n"
            "def net(shape, classes):\n    return Net(classes)\n"
        )
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "own_net", raising=False)
        return replace(RECIPE, model=ModelConfig("own_net:net"), data=DataConfig("digits"))

    return recipe


def test_a_model_of_ones_own_is_stacked(train, own_recipe):
    """A study of foreign code trained as one program is the serial one up to rounding."""
    recipe = own_recipe("return self.head(torch.nn.functional.dropout(x.relu(), 0.2, self.training))")
    stacked, serial = train("a", recipe=recipe, engine="stacked"), train("b", recipe=recipe)
    assert stacked.header.groups == ((0, 3),)
    np.testing.assert_allclose(stacked.final("confidence"), serial.final("confidence"), atol=1e-3)


def test_what_cannot_be_stacked_is_refused_before_anything_is_written(train, own_recipe, tmp_path):
    """A model that cannot be mapped over runs is refused with the reason; bad groups name the argument."""
    recipe = own_recipe("return self.head(x if x.sum() > 0 else -x)")
    with pytest.raises(ModelError, match=r"'own_net:net' cannot be stacked: .*data-dependent control flow"):
        train(recipe=recipe, engine="stacked")
    assert not (tmp_path / "study" / "study.json").exists()
    with pytest.raises(InputError, match="group is 1; it is a number of runs, 2 or more, for the engines auto, stack"):
        train(engine="stacked", group=1)
    with pytest.raises(InputError, match="group is 4; it is a number of runs"):
        train(engine="serial", group=4)


def test_memory_decides_the_group(train, monkeypatch):
    """With little free memory fewer runs are trained together."""
    monkeypatch.setattr("reseed.training._stacked._free_bytes", lambda _: 250_000)
    assert len(train("small", engine="stacked", runs=6).header.groups) > 1
    monkeypatch.setattr("reseed.training._stacked._free_bytes", lambda _: 1 << 40)
    assert train("large", engine="stacked", runs=6).header.groups == ((0, 6),)


@pytest.fixture
def on_two_cores(monkeypatch):
    """A function that has auto see two cores, and runs that take so many seconds."""

    def see(seconds: float) -> None:
        for module in ("studies._placement", "studies._execution", "engines._registry"):
            monkeypatch.setattr(f"reseed.{module}.usable_cores", lambda: 2)
        monkeypatch.setattr("reseed.studies._placement.seconds_of_a_run", lambda task, stacked: seconds)

    return see


def used(monkeypatch) -> list[str]:
    """Return a list that takes the engine's name whenever a study is trained, in this process whatever it is."""
    names = []

    def finish(study, task, engine, retries, **_):
        names.append(engine.name)
        return finish_study(study, task, SerialEngine(), retries)

    monkeypatch.setattr("reseed.studies._train.finish_study", finish)
    return names


@pytest.mark.parametrize(("seconds", "engine"), [(0.1, "serial"), (60.0, "processes"), (math.nan, "serial")])
def test_auto_starts_workers_for_single_runs_that_take_long(
    train, tmp_path, monkeypatch, on_two_cores, seconds, engine
):
    """Runs that cannot be stacked train in workers if that saves more than workers take to start; bits are the same."""
    on_two_cores(seconds)
    names = used(monkeypatch)
    monkeypatch.setattr("reseed.studies._execution._gains", lambda *_: False)
    study = train(engine="auto", threads=None)
    assert (names, study.header.groups, study.header.threads) == ([engine], (), 1)
    assert same(study, train("serial"))


@pytest.mark.parametrize(("seconds", "engine", "threads"), [(0.1, "stacked", 2), (60.0, "processes", 1)])
def test_auto_has_threads_share_short_studies_of_images(train, monkeypatch, on_two_cores, seconds, engine, threads):
    """Networks on images train by threads of this process, or in workers where that is faster, to the same bits."""
    on_two_cores(seconds)
    names = used(monkeypatch)
    study = train(recipe=IMAGES, engine="auto", threads=None, runs=4)
    assert (names, study.header.threads) == ([engine], threads)
    assert same(study, train("other", recipe=IMAGES, engine="stacked", group=2, runs=4))


@pytest.mark.parametrize(("seconds", "engine"), [(0.1, "stacked"), (60.0, "processes")])
def test_a_trial_does_not_change_which_runs_are_one_program(train, monkeypatch, on_two_cores, seconds, engine):
    """However long a trial takes: the same command makes the same groups, of runs that round together."""
    on_two_cores(seconds)
    names = used(monkeypatch)
    monkeypatch.setattr("reseed.studies._placement._WORTH_WORKERS", 1e6)
    header = train(engine="auto", threads=None, runs=4).header
    assert (names, header.groups, header.threads) == ([engine], ((0, 2), (2, 4)), 1)
    assert train(engine="auto", threads=None, runs=6).header.groups == ((0, 2), (2, 4), (4, 5), (5, 6))


def test_auto_trains_short_studies_as_one_program(train, monkeypatch, on_two_cores):
    """Small networks are one program as long as workers cannot pay, without a trial."""
    on_two_cores(math.nan)
    monkeypatch.setattr("reseed.studies._placement.seconds_of_a_run", None)
    names = used(monkeypatch)
    header = train(engine="auto", threads=None, runs=4).header
    assert (names, header.groups, header.threads) == (["stacked"], ((0, 4),), 1)


def test_auto_takes_large_fully_connected_networks_by_threads(train, monkeypatch, on_two_cores):
    """Threads share the runs of wide networks, however long they take, so that they always round alike."""
    on_two_cores(60.0)
    names = used(monkeypatch)
    wide = replace(RECIPE, model=ModelConfig("mlp", hidden=(512,)), batch_size=128, steps=2)
    header = train(recipe=wide, engine="auto", threads=None, runs=4).header
    assert (names, header.groups, header.threads) == (["stacked"], ((0, 4),), 2)


@pytest.mark.parametrize(("options", "engine"), [({"jobs": 1}, "stacked"), ({"jobs": 2}, "processes"), ({}, "stacked")])
def test_auto_does_what_is_asked_for(train, monkeypatch, on_two_cores, options, engine):
    """Jobs decide where runs train; a group and threads of the user's own are kept."""
    on_two_cores(0.1)
    names = used(monkeypatch)
    header = train(recipe=IMAGES, engine="auto", threads=1, runs=4, group=2, **options).header
    assert (names, header.groups, header.threads) == ([engine], ((0, 2), (2, 4)), 1)


def test_auto_does_not_start_workers_for_one_missing_run(train, monkeypatch, on_two_cores):
    """A study of which a single run is missing is completed in this process."""
    on_two_cores(60.0)
    train(recipe=IMAGES, runs=3, engine="stacked")
    names = used(monkeypatch)
    assert train(recipe=IMAGES, runs=4, engine="auto").header.runs == 4
    assert names == ["stacked"]


def test_auto_in_workers_is_the_same(train, monkeypatch, on_two_cores):
    """Worker processes that auto starts record what the engine processes does."""
    on_two_cores(60.0)
    images = train("auto", recipe=IMAGES, engine="auto", threads=None, runs=4)
    assert same(train("again", recipe=IMAGES, engine="processes", runs=4, group=2), images)


def test_auto_continues_as_the_study_began(train):
    """A study of single runs stays one of single runs; a stacked one stays stacked."""
    train("single", runs=2)
    assert train("single", engine="auto", runs=3).header.groups == ()
    train("stacked", engine="stacked", runs=2)
    assert train("stacked", engine="auto", runs=3).header.groups == ((0, 2), (2, 3))


def test_auto_says_why_it_does_not_stack(train, tmp_path, monkeypatch):
    """A model that cannot be stacked trains one run at a time, and a line says why."""
    (tmp_path / "lone_net.py").write_text(
        "import torch\n\nclass Net(torch.nn.Linear):\n    def forward(self, x):\n"
        "        return super().forward(x.flatten(1)) if x.sum().item() > -1e9 else x\n\n"
        "def net(shape, classes):\n    return Net(64, classes)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    said = []
    recipe = replace(RECIPE, model=ModelConfig("lone_net:net"), data=DataConfig("digits"))
    study = train(recipe=recipe, engine="auto", jobs=1, announce=said.append)
    assert study.header.groups == ()
    _, line = said
    assert line.startswith("training one run at a time: runs of model 'lone_net:net' cannot be stacked: ")


def test_auto_does_not_stack_large_foreign_models_on_a_cpu(train, tmp_path, monkeypatch):
    """Where stacking is slower, auto trains one run at a time and says how to stack nevertheless."""
    (tmp_path / "heavy_net.py").write_text(
        "import torch\n\ndef net(shape, classes):\n"
        "    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, classes))\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    recipe = replace(RECIPE, model=ModelConfig("heavy_net:net"), data=DataConfig("digits"))
    assert train("small", recipe=recipe, engine="auto", runs=2).header.groups == ((0, 2),)
    said = []
    monkeypatch.setattr("reseed.studies._placement._MOST_MAPPED_PASS", 80_000)
    assert train("slow", recipe=recipe, engine="auto", runs=2, announce=said.append).header.groups == ()
    monkeypatch.setattr("reseed.studies._placement._MOST_MAPPED", 600)
    assert train("large", recipe=recipe, engine="auto", jobs=1, runs=2, announce=said.append).header.groups == ()
    assert "model 'heavy_net:net' has 8.2e+04 operations for a batch and layers that reseed does not know" in said[1]
    assert "model 'heavy_net:net' has 650 parameters and layers that reseed does not know" in said[3]


def test_a_group_that_does_not_fit_is_halved(train, monkeypatch, capsys):
    """Out of memory, a group is trained as two, which is said; the study keeps the cut, and resuming repeats it."""
    whole = train("halves", engine="stacked", runs=4, group=2)
    blocks = StackedTraining.blocks

    def cramped(training, stops):
        if len(training.seeds) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return blocks(training, stops)

    monkeypatch.setattr(StackedTraining, "blocks", cramped)
    study = train("cut", engine="stacked", runs=4, group=4)
    assert [manifest.group for manifest in study.manifests] == [(0, 2), (0, 2), (2, 4), (2, 4)]
    assert "run 0 was trained with 2 in a group: 4 did not fit in memory" in capsys.readouterr().err
    assert same(study, whole)
    monkeypatch.setattr(StackedTraining, "blocks", blocks)
    (study.path / "runs/run-00001/manifest.json").unlink()
    assert same(train("cut", engine="stacked", runs=4), whole)


def test_a_single_run_that_does_not_fit_fails(train, monkeypatch):
    """When even one run does not fit, the error says so."""

    def never(training, stops):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 TB")

    monkeypatch.setattr(StackedTraining, "blocks", never)
    monkeypatch.setattr(Training, "blocks", never)
    with pytest.raises(TrainingError, match="can't allocate memory"):
        train(engine="stacked", runs=2, group=2, probe=False, retries=0)
