"""The trial that says how long runs take."""

import itertools
import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from reseed._errors import TrainingError
from reseed.data import DataConfig, load
from reseed.mitigations import SnapshotDistillation
from reseed.models import ModelConfig, architecture
from reseed.studies import _pace
from reseed.studies._pace import seconds_of_a_run
from reseed.studies._train_run import TrainRun
from reseed.training import Recipe, RecordConfig, SeedPlan, mitigated

RECIPE = Recipe(model=ModelConfig("mlp", hidden=(16,), dropout=0.2), epochs=3, batch_size=64)


@pytest.fixture
def task(tmp_path):
    """A function that returns what trains the runs of a recipe, in an empty folder."""

    def make(recipe=RECIPE, record=RecordConfig()):  # noqa: B008
        splits = load(recipe.data)
        prepared = architecture(recipe.model).prepare(splits, None, print)
        arrays = (prepared.train.numpy(), splits.train.labels.numpy())
        arrays += (prepared.evaluation.numpy(), splits.evaluation.labels.numpy())
        return TrainRun(tmp_path, recipe, SeedPlan(), record, *arrays, 10, "cpu", 1, False, "")

    return make


@pytest.fixture
def clock(monkeypatch):
    """A function that makes the processor's clock go on by so many seconds whenever it is read."""

    def tick(seconds):
        monkeypatch.setattr(_pace, "time", SimpleNamespace(process_time=itertools.count(0.0, seconds).__next__))

    return tick


@pytest.mark.parametrize("stacked", [None, 1, 4])
@pytest.mark.parametrize("model", [RECIPE.model, ModelConfig("cnn", width=4)])
def test_a_trial_gives_seconds_and_leaves_nothing_behind(task, tmp_path, model, stacked):
    """Real runs take a positive number of seconds; the folder and the global generator stay as they were."""
    state = torch.get_rng_state()
    seconds = seconds_of_a_run(task(replace(RECIPE, model=model)), stacked)
    assert 0 < seconds < math.inf
    assert not list(tmp_path.iterdir())
    assert torch.equal(torch.get_rng_state(), state)


def test_all_steps_and_predictions_of_a_run_count(task, clock):
    """Where every step and every prediction of a few rows takes a second, a run takes as many as it has of them."""
    clock(1.0)
    rows = max(1, int(_pace._MOST_S * RECIPE.batch_size))  # which the steps go through in the time that there is
    steps, samples = 3 * 23, 360
    assert seconds_of_a_run(task()) == pytest.approx(steps + 3 * samples / rows)
    assert seconds_of_a_run(task(record=RecordConfig("final"))) == pytest.approx(steps + samples / rows)
    both = RecordConfig("final", train=True)
    assert seconds_of_a_run(task(record=both), 4) == pytest.approx((steps + (samples + 1437) / rows) / 4)


def test_teachers_of_a_run_count(task, clock):
    """A run whose own teacher trains first takes twice the steps."""
    clock(1.0)
    record = RecordConfig("final")
    taught = mitigated(RECIPE, [SnapshotDistillation()])
    teachers = sum(method.stage.teachers for method in taught.mitigations if method.stage)
    more = seconds_of_a_run(task(taught, record)) - seconds_of_a_run(task(record=record))
    assert more == pytest.approx(teachers * 3 * 23)


@pytest.mark.parametrize(("seconds", "made"), [(5.0, 1), (0.15, 3), (0.0, 10)])
def test_a_trial_is_bounded(clock, seconds, made):
    """After one slow item no other is tried, of quick ones as many as there are."""
    clock(seconds)
    items = iter(range(10))
    assert _pace._each(items) == pytest.approx(seconds)
    assert len(list(items)) == 10 - made


def test_a_training_that_fails_is_told_by_its_runs(train, task, tmp_path, monkeypatch):
    """A trial that fails is no number, and the study ends as it does without one."""
    (tmp_path / "frail_net.py").write_text(
        "import torch\n\n\nclass Net(torch.nn.Linear):\n    def forward(self, x):\n"
        "        if self.training:\n            raise ValueError('no training today')\n"
        "        return super().forward(x.flatten(1))\n\n\ndef net(shape, classes):\n    return Net(64, classes)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    recipe = replace(RECIPE, model=ModelConfig("frail_net:net"), data=DataConfig("digits"))
    assert math.isnan(seconds_of_a_run(task(recipe)))
    monkeypatch.setattr("reseed.studies._execution._gains", lambda *_: False)
    monkeypatch.setattr("reseed.studies._placement.usable_cores", lambda: 2)
    with pytest.raises(TrainingError, match="no training today"):
        train(recipe=recipe, engine="auto", probe=False, retries=0, threads=None)
