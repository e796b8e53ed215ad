"""Trained studies: engines agree, interruption costs nothing, failures are told."""

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from reseed._errors import DeterminismError, InputError, RecipeError, StorageError, StudyError, TrainingError
from reseed.cli import main
from reseed.models import ModelConfig
from reseed.studies import Study, train_study
from reseed.studies._tasks import only_writer
from reseed.training import AverageConfig, OptimizerConfig, Recipe, RecordConfig, SeedPlan

RECIPE = Recipe(model=ModelConfig("mlp", hidden=(16,), dropout=0.2), epochs=3, batch_size=64)


def assert_same_runs(one: Study, other: Study) -> None:
    """Assert that two studies recorded the same predictions bit for bit."""
    assert [manifest.run for manifest in one.manifests] == [manifest.run for manifest in other.manifests]
    assert [manifest.seeds for manifest in one.manifests] == [manifest.seeds for manifest in other.manifests]
    assert one.recorded_names() == other.recorded_names()
    for name in one.recorded_names():
        assert np.array_equal(one.recorded(name).to_numpy(), other.recorded(name).to_numpy()), name


def test_engines_give_the_same_study(train):
    """Worker processes record, bit for bit, what one process records."""
    assert_same_runs(train("a", engine="serial"), train("b", engine="processes", jobs=2))


def test_runs_differ_and_recipe_and_seeds_are_kept(train):
    """Different runs predict differently; the study says with which recipe and seeds."""
    study = train()
    confidence = study.final("confidence")
    assert not np.array_equal(confidence[0], confidence[1])
    assert study.recipe == RECIPE
    assert len({json.dumps(manifest.seeds) for manifest in study.manifests}) == 3
    redrawn = 64 * 16 + 16 + 16 * 10 + 10
    assert study.header.parameters == {"redrawn": redrawn, "constant": 0, "shared": 0, "seedless": 0}
    cost = study.manifests[0].cost
    assert (cost["steps"], cost["samples_seen"], cost["forward_passes"]) == (69, 3 * 1437, 3 * 360)


def test_a_study_is_extended_by_asking_for_more_runs(train):
    """More runs are added to the finished ones, as if all had been asked for at once."""
    train("grown", runs=2)
    assert_same_runs(train("grown", runs=4), train("whole", runs=4))
    assert train("grown", runs=2).header.runs == 4


def test_an_interrupted_run_is_done_again(train):
    """A run that lost its manifest, or was half written, is redone; the others are not touched."""
    whole = train("whole")
    study = train("cut")
    folder = study.path / "runs" / "run-00001"
    before = (study.path / "runs" / "run-00000" / "manifest.json").stat().st_mtime_ns
    (folder / "manifest.json").unlink()
    again = train("cut")
    assert_same_runs(again, whole)
    assert (study.path / "runs" / "run-00000" / "manifest.json").stat().st_mtime_ns == before
    assert len(list(folder.glob("predictions-*"))) == 1


COMMAND = """
import signal, sys
from reseed.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # what is started in the background ignores Ctrl-C
main(sys.argv[1:])
"""


def words(root, *engine) -> list[str]:
    """The command of a study whose runs take long enough to be interrupted."""
    options = "--runs 6 --epochs 12 --batch-size 16 --every final --jobs 2 --threads 1"
    return ["measure", "digits", *options.split(), "--out", str(root), "--engine", *engine]


def measured(root, *engine) -> Study:
    """What the command makes in this process."""
    with pytest.raises(SystemExit) as ended:
        main(words(root, *engine))
    assert ended.value.code == 0
    return Study.open(root)


def finished(root) -> int:
    """How many runs a folder holds."""
    return len(list(root.glob("runs/*/manifest.json")))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """A function that returns what the command makes in one go; an engine is asked once."""
    return cache(lambda *engine: measured(tmp_path_factory.mktemp("whole") / "study", *engine))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize(
    "engine", [("serial",), ("processes",), ("stacked", "--group", "2")], ids=lambda words: words[0]
)
def test_interrupted_studies_continue(tmp_path, uninterrupted, engine, how):
    """After Ctrl-C or kill -9 finished runs stay; the same command continues to the same study."""
    root = tmp_path / "study"
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *words(root, *engine)],
        start_new_session=True,  # a process group of its own, as a terminal's job has
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    while finished(root) < 2 and process.poll() is None:
        time.sleep(0.01)
    os.killpg(process.pid, how)
    _, stderr = process.communicate()
    kept = finished(root)
    assert 2 <= kept < 6, stderr
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert f"interrupted: {kept} of 6 runs in {str(root)!r} are finished and kept" in stderr
        assert stderr.rstrip().endswith("; the same command continues.")
        assert "Traceback" not in stderr
    stamps = {path: path.stat().st_mtime_ns for path in root.glob("runs/*/manifest.json")}
    # Workers record what one process records.
    assert_same_runs(measured(root, *engine), uninterrupted(*(("serial",) if engine == ("processes",) else engine)))
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())
    assert all(len(list(folder.glob("predictions-*"))) == 1 for folder in root.glob("runs/*"))
    assert (root / "report.html").exists()


def test_a_full_disk_keeps_finished_runs(tmp_path):
    """When files can grow no further, the error says so, finished runs stay, and the study continues later."""
    script = """
import resource, sys
from reseed.studies import train_study
from reseed.training import Recipe, RecordConfig
from reseed import StorageError, TrainingError
recipe, out = Recipe(epochs=1), sys.argv[1]
train_study(recipe, out, runs=2, engine="serial")
resource.setrlimit(resource.RLIMIT_FSIZE, (600, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
try:
    train_study(recipe, out, runs=4, engine="serial")
except (StorageError, TrainingError) as error:
    print(error)
"""
    root = tmp_path / "study"
    done = subprocess.run([sys.executable, "-c", script, root], check=True, capture_output=True, text=True)
    assert "cannot write" in done.stdout
    assert "File too large" in done.stdout
    assert "Finished runs are kept" in done.stdout
    assert len(Study.open(root).manifests) == 2
    assert len(train_study(Recipe(epochs=1), root, runs=4, engine="serial").manifests) == 4


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_no_space_while_a_run_is_written(train, monkeypatch, code):
    """A run that finds no space is a failure told once, not tried again, and leaves nothing behind."""
    calls = []

    def full(*_):
        calls.append(1)
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("reseed.studies._store._Buffer.flush", full)
    with pytest.raises(TrainingError, match=os.strerror(code)):
        train(runs=2)
    assert len(calls) == 2


def test_an_unwritable_folder_is_an_error(tmp_path):
    """A folder that cannot be made raises with its path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot write '.*study': Not a directory"):
        train_study(RECIPE, tmp_path / "file" / "study", runs=2)


def test_two_writers_at_once_are_refused(train, tmp_path):
    """While one process writes a study, another is told to wait."""
    with only_writer(tmp_path / "study"), pytest.raises(StudyError, match="another process is writing the study"):
        train("study")


def test_diverged_runs_are_marked_and_the_study_goes_on(train):
    """Runs that diverge are finished, counted and left out; the others are kept."""
    recipe = Recipe(optimizer=OptimizerConfig(lr=1e9), epochs=2)
    study = train(recipe=recipe, runs=8)
    assert study.diverged
    assert study.manifests
    assert len(study.diverged) + len(study.manifests) == 8
    assert not study.missing
    assert all(manifest.diverged_at for manifest in study.diverged)
    assert np.isfinite(study.final("confidence")).all()
    stamps = [path.stat().st_mtime_ns for path in sorted(study.path.glob("runs/*/manifest.json"))]
    train(recipe=recipe, runs=8)
    assert stamps == [path.stat().st_mtime_ns for path in sorted(study.path.glob("runs/*/manifest.json"))]


def test_the_probe_runs_before_the_first_run(train):
    """A study whose seeds would change nothing is refused before any run, unless the probe is off."""
    fixed = replace(RECIPE, model=replace(RECIPE.model, dropout=0.0))
    plan = SeedPlan(vary=frozenset({"dropout"}))
    with pytest.raises(DeterminismError, match="two different seeds gave the same training"):
        train(recipe=fixed, plan=plan)
    study = train(recipe=fixed, plan=plan, probe=False)
    labels = study.final("labels")
    assert (labels == labels[0]).all()


def test_varying_one_stream_holds_the_others(train):
    """With only the order varied, all runs share the other words; the bootstrap is used only when data varies."""
    study = train(plan=SeedPlan(vary=frozenset({"order"})))
    assert len({manifest.seeds["order"] for manifest in study.manifests}) == 3
    assert len({manifest.seeds["init"] for manifest in study.manifests}) == 1
    varied = train("data", plan=SeedPlan(vary=frozenset({"data"})))
    assert not np.array_equal(varied.final("confidence")[0], varied.final("confidence")[1])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"runs": 0}, InputError, "runs must be 1 or more, got 0: instability is what differs between runs"),
        ({"threads": 0}, InputError, "threads must be 1 or more, got 0"),
        ({"device": "abacus"}, InputError, "device 'abacus' cannot be used here"),
        ({"engine": "cloud"}, InputError, "unknown engine 'cloud'"),
    ],
)
def test_bad_arguments_are_refused(train, options, error, message):
    """Bad arguments raise before anything is trained."""
    with pytest.raises(error, match=message):
        train(**options)


def test_augmenting_what_is_no_image_is_refused(tmp_path):
    """Augmentation needs images; the error names the recipe's field."""
    path = tmp_path / "data.npz"
    np.savez(path, x=np.random.default_rng(0).random((40, 3)), y=np.arange(40) % 2)
    from reseed.data import DataConfig

    recipe = Recipe(data=DataConfig(str(path)), augment="crop")
    with pytest.raises(RecipeError, match=r"augment is 'crop', but inputs of shape \(32, 3\) are no images"):
        train_study(recipe, tmp_path / "study", runs=2)


def test_recording_changes_nothing_but_what_is_kept(train):
    """Final labels are the same however often and however much is recorded."""
    often = train("often", record=RecordConfig("5", level="full", train=True))
    once = train("once", record=RecordConfig("final", level="labels"))
    assert np.array_equal(often.final("labels"), once.final("labels"))


def test_peak_memory_and_time_are_recorded(train):
    """Each run's manifest says what it cost on this machine."""
    cost = train().manifests[0].cost
    assert cost["wall_s"] > 0
    # The system counts pages of busy threads a little late.
    assert cost["peak_memory_bytes"] <= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 * 1.01


def test_a_moved_study_opens(train, tmp_path):
    """A study is nothing but its folder."""
    study = train()
    moved = Study.open(shutil.move(study.path, tmp_path / "moved"))
    assert len(moved.manifests) == 3


def test_deterministic_kernels_are_part_of_the_study(train):
    """A study keeps whether only deterministic kernels were used, and is continued so; on a CPU nothing changes."""
    study = train("strict", deterministic=True)
    assert study.header.deterministic
    assert study.manifests[0].environment["deterministic"] is True
    assert np.array_equal(study.final("confidence"), train("free").final("confidence"))
    with pytest.raises(StudyError, match="deterministic: True there, False now"):
        train("strict", runs=4)


@pytest.mark.parametrize("engine", ["serial", "stacked"])
def test_runs_on_one_resample_share_the_training_sample(train, engine):
    """Run 0 on resample 1 is not run 0 on the whole set; runs share the data word, and the header keeps which."""
    whole = train("whole", engine=engine)
    study = train("one", plan=SeedPlan(resample=1), engine=engine)
    assert len({manifest.seeds["data"] for manifest in study.manifests}) == 1
    assert study.manifests[0].seeds["init"] == whole.manifests[0].seeds["init"]
    assert not np.array_equal(study.final("confidence")[0], whole.final("confidence")[0])
    assert Study.open(study.path).header.resample == 1
    assert study.header.notes[-1].startswith("All runs train on bootstrap resample 1 of the training set")
    assert "resample" not in json.loads((whole.path / "study.json").read_text())
    with pytest.raises(StudyError, match=r"already holds another study .*resample: 1 there, 2 now"):
        train("one", plan=SeedPlan(resample=2), engine=engine)


def test_a_resample_is_that_of_the_run_whose_number_it_has(train):
    """Where only data varies, run 0 trains as run 0 on resample 0."""
    one = train("one", plan=SeedPlan(resample=0), engine="serial")
    varied = train("varied", plan=SeedPlan(vary=frozenset({"data"})), engine="serial")
    np.testing.assert_array_equal(one.final("confidence")[0], varied.final("confidence")[0])


def test_an_average_that_reaches_far_back_is_told_once(train):
    """When the study begins, and in its notes; not again when it goes on."""
    said = []
    recipe = replace(RECIPE, average=AverageConfig("ema", start=0.0, decay=0.99))
    for runs in (2, 3):
        study = train(recipe=recipe, runs=runs, announce=said.append)
    (note,) = study.header.notes
    assert "remembers about 69 of 69 steps" in note
    assert said.count(note) == 1
