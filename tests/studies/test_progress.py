"""What is shown while runs are trained: a line before anything is loaded, then how far all of them are."""

import io
import math
import time

import pytest
import rich.console

from reseed.data import DataConfig
from reseed.engines import RunReport
from reseed.models import ModelConfig
from reseed.studies import _progress, _tasks
from reseed.studies._progress import RunProgress
from reseed.studies._pulse import PULSES, Pulse, read_pulses, write_pulse
from reseed.training import Moment, Recipe, RecordConfig

RECIPE = Recipe(data=DataConfig("digits", limit=100), model=ModelConfig("mlp", hidden=(4,)), epochs=2, batch_size=64)
UNDER_WAY = Pulse((2, 3), Moment(25, 60, 10, (0.5, 0.75)))


@pytest.mark.parametrize(
    ("recipe", "record", "told"),
    [
        (RECIPE, RecordConfig(), "digits, mlp: 2 runs of 2 epochs, recorded every epoch, engine serial, in '{}'"),
        (
            Recipe(data=RECIPE.data, model=RECIPE.model, steps=4),
            RecordConfig("final"),
            "digits, mlp: 2 runs of 4 steps, recorded at the end, engine serial, in '{}'",
        ),
        (RECIPE, RecordConfig(2), "digits, mlp: 2 runs of 2 epochs, recorded every 2 steps, engine serial, in '{}'"),
    ],
)
def test_the_first_line_says_what_will_happen(train, monkeypatch, tmp_path, recipe, record, told):
    """Data, model, runs, length, what is recorded, engine and folder, before any data is loaded."""
    said: list[str] = []
    monkeypatch.setattr("reseed.studies._train.data_for", lambda *_: said.append("loaded") or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train(recipe=recipe, runs=2, record=record, announce=said.append)
    assert said == [told.format(tmp_path / "study"), "loaded"]


@pytest.mark.parametrize("options", [{"engine": "stacked"}, {}, {"engine": "processes", "jobs": 2}], ids=str)
def test_every_engine_says_how_far_runs_are(train, monkeypatch, options):
    """A group says so itself, wherever it is trained; nothing of it stays."""
    seen: dict[int, Moment] = {}
    report = RunProgress.report

    def look(self, given):
        seen.update({run: pulse.moment for pulse in read_pulses(self._pulses) for run in pulse.runs})
        report(self, given)

    monkeypatch.setattr(_tasks.RunProgress, "report", look)
    study = train(recipe=RECIPE, **options)
    accuracies = {manifest.run: manifest.accuracy for manifest in study.manifests}
    assert sorted(seen) == [0, 1, 2]
    for run, moment in seen.items():
        assert (moment.step, moment.total, moment.epoch_steps) == (4, 4, 2)
        assert accuracies[run] in moment.accuracies
    assert not (study.path / PULSES).exists()


def test_a_terminal_shows_a_bar_in_steps_of_all_runs(monkeypatch, tmp_path):
    """Runs that are finished and those under way count; accuracy is that of the latter."""
    screen = io.StringIO()
    terminal = rich.console.Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr(rich.console, "Console", lambda stderr: terminal)
    monkeypatch.setattr(_progress, "_LOOK_S", 0.01)
    with RunProgress(total=4, done=2, accuracies=[0.9, 0.9], steps=60, pulses=tmp_path) as bar:
        assert bar._progress.tasks[0].completed == 2 * 60
        write_pulse(tmp_path, UNDER_WAY)
        while bar._progress.tasks[0].completed == 2 * 60:
            time.sleep(0.01)
        assert bar._progress.tasks[0].completed == 2 * 60 + 2 * 25
        assert bar._progress.tasks[0].total == 4 * 60
        bar.report(RunReport(2, "complete", 0.8))  # what a group said counts no more for the runs that it reported
        assert bar._progress.tasks[0].completed == 3 * 60 + 25
    assert "3/4, epoch 3 of 6, accuracy 0.6250" in screen.getvalue()


def test_without_a_terminal_there_is_a_line_now_and_then(monkeypatch, capsys, tmp_path):
    """With the time that is left at the pace so far; no bar."""
    monkeypatch.setattr(_progress, "_FIRST_LINE_S", 0.0)
    write_pulse(tmp_path, UNDER_WAY)
    with RunProgress(total=5, done=1, accuracies=[0.9], steps=60, pulses=tmp_path) as bar:
        for run in (0, 2):
            bar.report(RunReport(run, "complete", 0.8))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("runs 2/5, epoch 3 of 6, accuracy 0.6250, about 0:00:0")
    assert line.endswith(" left")


def test_what_cannot_be_read_of_how_far_runs_are_is_passed_over(tmp_path):
    """Nothing ends for that: half a file, another one's, a folder that is gone; accuracies may be unknown."""
    assert read_pulses(tmp_path / "nowhere") == []
    write_pulse(tmp_path / "nowhere", UNDER_WAY)
    assert read_pulses(tmp_path / "nowhere") == []
    for name, text in {"7": "{", "8": "[]", "9": '{"runs": [9], "moment": {"step": "x"}}'}.items():
        (tmp_path / f"{name}.json").write_text(text)
    write_pulse(tmp_path, UNDER_WAY)
    write_pulse(tmp_path, Pulse((5,), Moment(1, 2, 1, (math.nan,))))
    found = read_pulses(tmp_path)
    assert found[0] == UNDER_WAY
    assert math.isnan(found[1].moment.accuracies[0])
    assert len(found) == 2
