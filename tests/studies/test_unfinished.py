"""What is kept of trainings under way: whenever they are killed, what comes out is what an unbroken study has."""

import errno
import json
import multiprocessing
import os
import shutil
import signal
import time
from contextlib import redirect_stderr
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reseed._errors import InputError
from reseed.data import DataConfig
from reseed.mitigations import CoDistillation, Sam, Tgtss
from reseed.models import ModelConfig
from reseed.studies import Study, _unfinished, train_study
from reseed.studies._unfinished import UNFINISHED, Keeper, told_runs
from reseed.training import AverageConfig, OptimizerConfig, Recipe, RecordConfig, ScheduleConfig, SeedPlan

MLP = Recipe(model=ModelConfig("mlp", hidden=(16,), dropout=0.2), epochs=4, batch_size=64)
ALWAYS = 1e-9  # seconds: wherever the training is looked at
FEW = DataConfig("digits", limit=300)
STACK = {"engine": "stacked", "group": 2, "runs": 2, "threads": 1, "probe": False, "save_every": ALWAYS}
ALONE = STACK | {"engine": "serial", "group": None, "runs": 2}

CASES = {
    "mlp, ema, everything recorded": (
        replace(MLP, data=FEW, average=AverageConfig("ema", start=0.3)),
        RecordConfig("5", level="full", train=True, dropout_passes=2, monitor=True, weights="checkpoints"),
        STACK,
    ),
    "mlp, adam": (replace(MLP, data=FEW, optimizer=OptimizerConfig("adam", lr=1e-3)), RecordConfig(), STACK),
    "mlp alone, adamw, clipped": (
        replace(MLP, data=FEW, optimizer=OptimizerConfig("adamw", lr=1e-3, clip_norm=1.0)),
        RecordConfig("final", monitor=True),
        ALONE,
    ),
    "cnn, momentum, schedule, swa of refreshed statistics": (
        Recipe(
            data=FEW,
            model=ModelConfig("cnn", width=4),
            optimizer=OptimizerConfig("sgd", lr=0.05, momentum=0.9),
            schedule=ScheduleConfig("cosine", warmup=0.1),
            average=AverageConfig("swa", start=0.5, statistics="refreshed"),
            augment="crop",
            epochs=3,
            batch_size=32,
        ),
        RecordConfig("7", weights="final"),
        STACK | {"threads": 2},
    ),
    "peers and two passes of each step": (
        replace(MLP, data=FEW, epochs=3, mitigations=(CoDistillation(), Sam())),
        RecordConfig("3"),
        STACK | {"group": None, "engine": "serial", "runs": 2},
    ),
    "a teacher of each run's own": (
        replace(MLP, data=FEW, epochs=3, mitigations=(Tgtss(transient=0.2),)),
        RecordConfig("3"),
        STACK,
    ),
}


def assert_equal(one: Study, other: Study) -> None:
    """Assert that studies have the same runs bit for bit: predictions, signals, weights, and what they cost."""
    for mine, theirs in zip(one.manifests, other.manifests, strict=True):
        assert (mine.run, mine.seeds, mine.accuracy, mine.steps) == (
            theirs.run,
            theirs.seeds,
            theirs.accuracy,
            theirs.steps,
        )
        assert mine.weights == theirs.weights  # digests of whole files
        for name in ("steps", "samples_seen", "forward_passes"):
            assert mine.cost[name] == theirs.cost[name], name
    assert len(one.diverged) == len(other.diverged)
    for split in ("evaluation", "train"):
        assert one.recorded_names(split) == other.recorded_names(split)
        for name in one.recorded_names(split):
            mine, theirs = (study.recorded(name, split).to_numpy() for study in (one, other))
            assert np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f"), (split, name)
    if one.has_dropout_passes:
        for name in ("label_entropy", "margin"):
            assert np.array_equal(one.dropout(name), other.dropout(name)), name
    if one.header.record.monitor:
        for name, values in one.monitored().items():
            assert np.array_equal(values, other.monitored()[name]), name


def killed(train, monkeypatch, name, after, **options) -> str:
    """Train, interrupted after a training has been looked at so many times; returns what the interruption says."""
    look, looks = Keeper.look, []

    def then_stop(self, *given):
        look(self, *given)
        looks.append(given)
        if len(looks) == after:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Keeper, "look", then_stop)
        with pytest.raises(KeyboardInterrupt) as ended:
            train(name, **options)
    return "\n".join(ended.value.__notes__)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("after", [1, 4])
def test_an_interrupted_training_goes_on_bit_for_bit(train, monkeypatch, case, after):
    """Alone or in a stack, in the middle of an epoch or at its end: what comes out is what nobody interrupted."""
    recipe, record, options = CASES[case]
    said: list[str] = []
    whole = train("whole", recipe=recipe, record=record, **options)
    told = killed(train, monkeypatch, "cut", after, recipe=recipe, record=record, **options)
    kept = json.loads(next((whole.path.parent / "cut" / UNFINISHED).glob("*/manifest.json")).read_text())
    assert 0 < kept["step"] < kept["total"]
    again = train("cut", recipe=recipe, record=record, announce=said.append, **options)
    group = tuple(kept["identity"]["group"])
    assert told == (
        f"0 of {options['runs']} runs in {str(again.path)!r} are finished and kept, and {told_runs(group)} to step "
        f"{kept['step']} of {kept['total']}"
    )
    assert f"{told_runs(group)} goes on from step {kept['step']}" in said
    assert_equal(again, whole)
    assert not (again.path / UNFINISHED).exists()


def test_a_texts_model_and_a_fine_tuned_encoder_go_on(train, monkeypatch, texts):
    """Texts by their words, and a pretrained encoder that is trained itself, as one program and alone."""
    encoder = replace(
        texts, model=ModelConfig("text-encoder", encoder=texts.model.encoder, fine_tune=True, max_length=8, dropout=0.1)
    )
    words = replace(texts, model=ModelConfig("text-tfidf", hidden=(4,)))
    for name, recipe, options in (("words", words, STACK), ("alone", encoder, ALONE), ("stack", encoder, STACK)):
        record = RecordConfig("2", weights="checkpoints")
        whole = train(f"whole-{name}", recipe=recipe, record=record, **options)
        killed(train, monkeypatch, f"cut-{name}", 3, recipe=recipe, record=record, **options)
        assert_equal(train(f"cut-{name}", recipe=recipe, record=record, **options), whole)


def test_a_run_that_diverges_in_a_stack_that_is_interrupted(train, monkeypatch):
    """It is marked at the step, and costs what it costs, in a stack that nobody interrupts."""
    recipe = replace(MLP, data=FEW, optimizer=OptimizerConfig(lr=1e9), epochs=4)
    whole = train("whole", recipe=recipe, **STACK)
    killed(train, monkeypatch, "cut", 2, recipe=recipe, **STACK)
    again = train("cut", recipe=recipe, **STACK)
    assert [run.diverged_at for run in again.diverged] == [run.diverged_at for run in whole.diverged]
    assert [run.cost["samples_seen"] for run in again.diverged] == [run.cost["samples_seen"] for run in whole.diverged]
    assert_equal(again, whole)


def _train(root, case, said):
    """Train a case in a process of its own."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    recipe, record, options = CASES[case]
    with Path(said).open("a") as lines, redirect_stderr(lines):
        options = options | {"record": record, "announce": lambda line: print(line, file=lines, flush=True)}
        train_study(replace(recipe, epochs=15), root, **options)


def _state(root) -> dict[str, int]:
    """How far each group is that something is kept of; and each finished run."""
    found = {str(path): 0 for path in root.glob("runs/*/manifest.json")}
    for path in root.glob(f"{UNFINISHED}/*/manifest.json"):
        try:
            found[str(path)] = json.loads(path.read_text())["step"]
        except FileNotFoundError:  # it finished meanwhile
            continue
    return found


@pytest.mark.parametrize(
    "case", ["mlp, ema, everything recorded", "cnn, momentum, schedule, swa of refreshed statistics"]
)
def test_killed_at_random_moments(tmp_path, case):
    """However often a process is killed or interrupted, wherever it is: the study is the unbroken one."""
    processes = multiprocessing.get_context("forkserver")  # a clean process that has imported everything
    processes.set_forkserver_preload(["tests.studies.test_unfinished"])
    said, root = tmp_path / "said", tmp_path / "cut"
    moments = np.random.default_rng(0)
    recipe, record, options = CASES[case]
    for how in (signal.SIGKILL, signal.SIGINT) * 2:
        before = _state(root)
        process = processes.Process(target=_train, args=(root, case, said))
        process.start()
        while process.is_alive() and _state(root) == before:
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.1))
        os.kill(process.pid, how)
        process.join()
    whole = train_study(replace(recipe, epochs=15), tmp_path / "whole", record=record, **options)
    again = train_study(replace(recipe, epochs=15), root, record=record, **options)
    assert said.read_text().count("goes on from step") >= 2
    assert_equal(again, whole)


def _change(path: Path, change) -> None:
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


DAMAGES = {
    "a state that is cut off": (lambda folder: _cut(next(folder.glob("state-*"))), "was cut off or changed"),
    "a record with another bit": (lambda folder: _flip(next(folder.glob("record-*"))), "was cut off or changed"),
    "no record": (lambda folder: next(folder.glob("record-*")).unlink(), "is missing"),
    "no manifest that can be read": (
        lambda folder: (folder / "manifest.json").write_text("{"),
        "manifest cannot be read",
    ),
    "a manifest that leads elsewhere": (
        lambda folder: _change(folder / "manifest.json", lambda tree: tree.update(state=["../x", "0"])),
        "leads outside the study",
    ),
}
FOREIGN = {
    "recipe": "0" * 64,
    "seeds": [],
    "group": [0, 1, 2],
    "torch": "1.0",
    "reseed": "0.0.1",
    "training data": "other",
}


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.fixture
def cut(train, monkeypatch, tmp_path):
    """A function that leaves an interrupted study, spoils what is kept of it, and continues it."""

    def run(spoil):
        killed(train, monkeypatch, "cut", 3, recipe=replace(MLP, data=FEW), **STACK)
        spoil(next((tmp_path / "cut" / UNFINISHED).iterdir()))
        said: list[str] = []
        return train("cut", recipe=replace(MLP, data=FEW), announce=said.append, **STACK), said

    return run


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_not_used(train, cut, damage):
    """The stack begins anew, and the user is told why."""
    spoil, why = DAMAGES[damage]
    study, said = cut(spoil)
    (told,) = (line for line in said if "is kept" in line)
    assert told.startswith("what is kept of the stack of 2 runs from 0 to 1 is not used, which begins anew: ")
    assert why in told
    assert_equal(study, train("whole", recipe=replace(MLP, data=FEW), **STACK))


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_kept_of_something_else_is_not_used(train, cut, name):
    """Another recipe, other seeds, another group, version or data."""
    study, said = cut(
        lambda folder: _change(folder / "manifest.json", lambda tree: tree["identity"].update({name: FOREIGN[name]}))
    )
    assert any(f"begins anew: its {name} is {FOREIGN[name]!r}, not " in line for line in said)
    assert_equal(study, train("whole", recipe=replace(MLP, data=FEW), **STACK))


def test_what_another_study_left_is_not_used(train, monkeypatch):
    """A folder that is copied from a study with another base seed."""
    recipe = replace(MLP, data=FEW)
    killed(train, monkeypatch, "other", 3, recipe=recipe, plan=SeedPlan(7), **STACK)
    killed(train, monkeypatch, "cut", 3, recipe=recipe, **STACK)
    whole = train("whole", recipe=recipe, **STACK)
    shutil.rmtree(whole.path.parent / "cut" / UNFINISHED)
    shutil.copytree(whole.path.parent / "other" / UNFINISHED, whole.path.parent / "cut" / UNFINISHED)
    said: list[str] = []
    again = train("cut", recipe=recipe, announce=said.append, **STACK)
    assert any("begins anew: its seeds is" in line for line in said)
    assert_equal(again, whole)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("after", [0, 3])
def test_a_full_disk_does_not_end_a_training(train, monkeypatch, capsys, code, after):
    """What cannot be kept is told once, and the study is what it is else."""
    write, calls = _unfinished.write_tensors, []

    def full(*given):
        calls.append(given)
        if len(calls) > after:
            raise OSError(code, os.strerror(code))
        return write(*given)

    whole = train("whole", recipe=replace(MLP, data=FEW), **STACK | {"save_every": 0})
    monkeypatch.setattr(_unfinished, "write_tensors", full)
    study = train("full", recipe=replace(MLP, data=FEW), **STACK)
    told = [line for line in capsys.readouterr().err.splitlines() if "cannot be kept" in line]
    assert len(told) == 1
    assert told[0].startswith(
        "the stack of 2 runs from 0 to 1 cannot be kept while under way any more, and trains on: "
    )
    assert os.strerror(code) in told[0]
    assert_equal(study, whole)


def test_much_that_is_recorded_is_put_down_meanwhile(train, monkeypatch):
    """However much is recorded between two checkpoints, it is not held in memory; what no manifest names is removed."""
    monkeypatch.setattr(_unfinished, "_MOST_HELD", 1000)
    recipe = replace(MLP, data=FEW, epochs=12)
    whole = train("whole", recipe=recipe, **STACK)
    killed(train, monkeypatch, "cut", 5, recipe=recipe, **STACK)
    folder = next((whole.path.parent / "cut" / UNFINISHED).iterdir())
    named = json.loads((folder / "manifest.json").read_text())
    assert len(named["parts"]) > 2
    assert {path.name for path in folder.iterdir()} == {
        "manifest.json",
        named["state"][0],
        *(n for n, _ in named["parts"]),
    }
    assert_equal(train("cut", recipe=recipe, **STACK), whole)


def test_nothing_is_kept_where_nobody_wants_it(train, monkeypatch):
    """With 0 or None an interrupted stack begins anew, and says so by keeping silent."""
    for seconds in (0, None):
        told = killed(train, monkeypatch, f"cut-{seconds}", 3, recipe=MLP, **STACK | {"save_every": seconds})
        assert told.endswith("are finished and kept")


def test_a_run_that_was_dropped_since_is_done_with_its_group(train, monkeypatch):
    """What is kept lacks its record, so that the group begins anew."""
    recipe = replace(MLP, data=FEW)
    whole = train("whole", recipe=recipe, **STACK)
    cut = shutil.copytree(whole.path, whole.path.parent / "cut")
    shutil.rmtree(cut / "runs" / "run-00001")
    killed(train, monkeypatch, "cut", 3, recipe=recipe, **STACK)
    shutil.rmtree(cut / "runs" / "run-00000")
    said: list[str] = []
    again = train("cut", recipe=recipe, announce=said.append, **STACK)
    assert any("begins anew: it has no record of run 0" in line for line in said)
    assert_equal(again, whole)


@pytest.mark.parametrize("seconds", [-1, float("nan"), "often", True])
def test_seconds_that_are_none_are_refused(train, seconds):
    """The message names the argument and the value."""
    with pytest.raises(InputError, match=rf"save_every must be seconds, 0 or more \(.*\), got {seconds!r}"):
        train(save_every=seconds)
