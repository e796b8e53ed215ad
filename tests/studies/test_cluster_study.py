"""Studies on a cluster: whatever is killed, the study is the serial one; stacks are those of one machine."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_wine
from sklearn.tree import DecisionTreeClassifier

from reseed import recipe_for
from reseed._errors import InputError, ModelError, StudyError, TrainingError
from reseed.engines import ClusterEngine
from reseed.studies import Study, run, train_study

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("nodes")]
RECIPE = recipe_for("digits", "mlp", changes={"epochs": 20, "batch_size": 32})
RUNS = 6


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The study that one process makes."""
    return train_study(RECIPE, tmp_path_factory.mktemp("serial") / "study", runs=RUNS, engine="serial")


def assert_same(one: Study, other: Study) -> None:
    """Assert that two studies recorded the same bits, and that nothing else was left."""
    assert not one.missing
    assert [manifest.seeds for manifest in one.manifests] == [manifest.seeds for manifest in other.manifests]
    assert one.recorded_names() == other.recorded_names()
    for name in one.recorded_names():
        assert np.array_equal(one.recorded(name).to_numpy(), other.recorded(name).to_numpy()), name
    assert all(len(list(folder.glob("predictions-*"))) == 1 for folder in one.path.glob("runs/*"))


@dataclass(frozen=True)
class DiesOnce:
    """Does a task's runs, but is killed in the middle of the first."""

    task: Any
    marker: Path

    def __call__(self, group: tuple[int, ...]) -> Any:
        """Do the runs of a group."""
        if not self.marker.exists():
            self.marker.touch()
            threading.Thread(target=self.kill, daemon=True).start()
        return self.task(group)

    def kill(self) -> None:
        """End this process once predictions of a run are being written."""
        while not any(self.task.root.glob("runs/*/predictions-*/*/*/c")):
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Changed:
    """The cluster, with its tasks changed on the way."""

    change: Any
    name: str = "changed"
    workers: int = 2

    def map(self, task: Any, groups: Any) -> Any:
        """Yield the reports of the changed task."""
        return ClusterEngine().map(self.change(task), groups)


def test_a_cluster_study_is_the_serial_one(train, serial):
    """Runs one by one on two nodes record, bit for bit, what one process records."""
    study = train(recipe=RECIPE, runs=RUNS, engine="cluster", group=1)
    assert study.header == serial.header
    assert_same(study, serial)


def test_stacks_on_a_cluster_are_stacks(train):
    """Groups are shared out among the workers, record what the engine stacked records, and are kept."""
    stacked = train("a", runs=5, engine="stacked", threads=1, group=3)
    assert_same(train("b", runs=5, engine="cluster"), stacked)
    assert Study.open(stacked.path.with_name("b")).header.groups == stacked.header.groups == ((0, 2), (2, 5))
    manifest = stacked.path.with_name("b") / "runs/run-00004/manifest.json"
    manifest.unlink()
    assert_same(train("b", runs=5, engine="cluster"), stacked)
    assert train("c", runs=5, engine="cluster", group=2).header.groups == ((0, 1), (1, 3), (3, 5))


def test_a_study_goes_on_as_it_began(train):
    """A study of single runs stays one on a cluster, unless it is told otherwise, which is refused."""
    train(engine="serial")
    assert train(engine="cluster", runs=4).header.groups == ()
    with pytest.raises(StudyError, match="which rounds differently"):
        train(engine="cluster", runs=5, group=2)
    train("stacked", engine="cluster", runs=4)
    with pytest.raises(StudyError, match="which rounds differently"):
        train("stacked", engine="cluster", runs=5, group=1)


def test_what_cannot_be_stacked_runs_one_by_one(train, monkeypatch):
    """A line says that runs are not stacked, and why."""

    def refuse(_):
        raise ModelError("its layers are odd.")

    monkeypatch.setattr("reseed.studies._execution.check_can_stack", refuse)
    said = []
    assert train(engine="cluster", announce=said.append).header.groups == ()
    assert said[1:] == ["training one run at a time: its layers are odd."]


def test_a_killed_worker_costs_nothing_but_time(train, serial, tmp_path):
    """A worker that is killed in the middle of a run: the run is done again, and what it left is gone."""
    study = train(recipe=RECIPE, runs=RUNS, engine=Changed(lambda task: DiesOnce(task, tmp_path / "died")))
    assert (tmp_path / "died").exists()
    assert_same(study, serial)


def test_a_killed_node_costs_nothing_but_time(train, serial, nodes, tmp_path):
    """A node that goes away in the middle of a study: its runs are done on the other nodes."""
    extra = nodes.add_node(num_cpus=1)

    def lose_a_node() -> None:
        while len(list(tmp_path.glob("study/runs/*/manifest.json"))) < 2:
            time.sleep(0.005)
        nodes.remove_node(extra, allow_graceful=False)

    loser = threading.Thread(target=lose_a_node)
    loser.start()
    study = train(recipe=RECIPE, runs=RUNS, engine="cluster", group=1)
    loser.join()
    assert_same(study, serial)


DRIVER = """
import json, sys
from reseed.cli import main
main(["measure", "digits", "--runs", "6", "--epochs", "20", "--batch-size", "32", "--engine", "cluster",
      "--group", "1", "--jobs", "2", "--address", sys.argv[1], "--out", sys.argv[2]])
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_driver_that_stops_is_resumed(nodes, serial, tmp_path, how):
    """After Ctrl-C or kill -9 of the driver finished runs stay, and the same study is continued."""
    root = tmp_path / "study"
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, nodes.address, root],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while len(list(root.glob("runs/*/manifest.json"))) < 2 and driver.poll() is None:
        time.sleep(0.01)
    os.killpg(driver.pid, how)
    _, stderr = driver.communicate()
    kept = {path: path.stat().st_mtime_ns for path in root.glob("runs/*/manifest.json")}
    assert 2 <= len(kept) < RUNS, stderr
    # A call that ends while it is cancelled makes Ray abort the driver at times, by a failed check of its own.
    if how == signal.SIGINT and "discovered a bug in Ray" not in stderr:
        assert driver.returncode == 130
        told = f"interrupted: {len(kept)} of {RUNS} runs in {str(root)!r} are finished and kept"
        assert stderr.splitlines()[-1].startswith(told)
        assert "Traceback" not in stderr
    study = train_study(RECIPE, root, runs=RUNS, engine="cluster", group=1)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in kept.items())
    assert_same(study, serial)


def test_a_node_without_the_study_says_so(train, tmp_path):
    """A folder that a node does not see is named, with the node and the way out, and not tried again."""
    elsewhere = Changed(lambda task: replace(task, root=tmp_path / "elsewhere"))
    with pytest.raises(TrainingError, match=r"the machine '.+' does not see the study '.*elsewhere'; choose a folder"):
        train(engine=elsewhere)


def test_ones_own_training_on_a_cluster(tmp_path):
    """Functions and estimators of the user's own travel to the nodes with their data."""
    x, y = load_wine(return_X_y=True)
    data = {"train_data": (x[::2], y[::2]), "eval_data": (x[1::2], y[1::2]), "runs": 3}
    there = run(DecisionTreeClassifier(), out=tmp_path / "there", engine="cluster", **data)
    here = run(DecisionTreeClassifier(), out=tmp_path / "here", engine="serial", **data)
    assert np.array_equal(there.final(), here.final())


@pytest.mark.skipif(torch.cuda.is_available(), reason="shows what happens without a GPU")
def test_gpus_may_be_where_the_driver_is_not(train, nodes):
    """A driver without GPU checks on its CPU and says so; runs get a node with a GPU, each its own."""
    with pytest.raises(TrainingError, match=r"no node of the cluster has the 1 cores .* and 1 GPUs"):
        train(engine="cluster", device="cuda", announce=lambda _: None)
    node = nodes.add_node(num_cpus=1, num_gpus=1)
    said: list[str] = []
    try:
        with pytest.raises(TrainingError, match=r"(CUDA|NVIDIA)"):
            train("other", engine="cluster", device="cuda", announce=said.append, retries=0)
    finally:
        nodes.remove_node(node)
    assert said[:1] == ["this machine has no GPU: what is checked before the first run is checked on the CPU"]
    with pytest.raises(InputError, match="device is 'cuda:1', but a cluster gives each run a GPU of its own"):
        train(engine="cluster", device="cuda:1")
