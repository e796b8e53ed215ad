"""The engine on Ray: lost workers and nodes, calls that nobody wants any more, and mistakes."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from pickle import PicklingError
from uuid import uuid4

import pytest

from reseed._errors import InputError, MissingExtraError, TrainingError
from reseed.engines import ClusterEngine, RunReport, WorkersLostError, complete_runs, usable_cores
from reseed.engines._reachable import check_nodes

pytestmark = pytest.mark.cluster


@dataclass(frozen=True)
class Script:
    """A task that does with each run what it is told: `done`, `wait` for the file `go`, `die` once, `raise`, `lose`."""

    folder: Path
    runs: tuple[str, ...]

    def __call__(self, group: tuple[int, ...]) -> list[RunReport]:
        """Do the runs of a group."""
        return [self.run(run) for run in group]

    def run(self, run: int) -> RunReport:
        """Do one run."""
        import ray

        what = self.runs[run]
        (self.folder / f"began-{run}").write_text(ray.get_runtime_context().get_node_id())
        try:
            while what == "wait" and not (self.folder / "go").exists():
                time.sleep(0.01)
        finally:
            (self.folder / f"left-{run}").touch()
        if what == "die" and not (self.folder / "died").exists():
            (self.folder / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "raise":
            raise ValueError("nobody expected this")
        if what == "lose":
            raise ray.exceptions.ObjectLostError("1234", "an owner", "a call")
        (self.folder / f"done-{run}").touch()
        return RunReport(run, "complete")

    def is_finished(self, run: int) -> bool:
        """Whether the run left its file."""
        return (self.folder / f"done-{run}").exists()


def until(path: Path) -> None:
    """Wait until a file is there."""
    for _ in range(3000):
        if path.exists():
            return
        time.sleep(0.01)
    raise TimeoutError(path)


@pytest.mark.usefixtures("nodes")
def test_room_is_counted_by_node():
    """Each node does as many groups at once as it has cores for; a group is never larger than a node."""
    assert ClusterEngine().workers == 2
    assert ClusterEngine(jobs=5).workers == 5
    with pytest.raises(TrainingError, match=r"no node of the cluster has the 2 cores \(threads\) and 0 GPUs"):
        list(ClusterEngine(threads=2).map(print, [(0,)]))
    with pytest.raises(TrainingError, match="and 1 GPUs that a run needs; ask for fewer threads, or start such a node"):
        list(ClusterEngine(gpus=1).map(print, [(0,)]))


@pytest.mark.usefixtures("nodes")
def test_groups_are_spread_over_the_nodes(tmp_path):
    """Two groups that wait for each other are done, so each had a node of its own."""
    task = Script(tmp_path, ("wait", "wait"))
    reports = ClusterEngine().map(task, [(0,), (1,)])
    both = threading.Thread(target=lambda: [until(tmp_path / f"began-{run}") for run in (0, 1)] and opened(tmp_path))
    both.start()
    assert sorted(report.run for report in reports) == [0, 1]
    both.join()
    assert (tmp_path / "began-0").read_text() != (tmp_path / "began-1").read_text()


def opened(folder: Path) -> bool:
    """Let the waiting runs go on."""
    (folder / "go").touch()
    return True


@pytest.mark.usefixtures("nodes")
def test_a_killed_worker_is_told_after_the_other_reports(tmp_path):
    """A worker that is killed costs its own group only; the ledger has that one done again."""
    task = Script(tmp_path, ("die", "done", "done"))
    reports = []
    with pytest.raises(WorkersLostError, match="a worker or a node of the cluster was lost: The worker died"):
        reports.extend(ClusterEngine(jobs=1).map(task, [(0,), (1,), (2,)]))
    complete_runs(
        task, [(0,), (1,), (2,)], engine=ClusterEngine(), is_finished=task.is_finished, on_report=reports.append
    )
    assert [task.is_finished(run) for run in range(3)] == [True] * 3


def test_a_lost_node_costs_its_own_groups_only(nodes, tmp_path):
    """Runs of a node that goes away are done on the nodes that are left."""
    extra = nodes.add_node(num_cpus=1)
    task = Script(tmp_path, ("wait", "wait", "wait", "done"))

    def lose_a_node():
        for run in range(3):
            until(tmp_path / f"began-{run}")
        nodes.remove_node(extra, allow_graceful=False)
        opened(tmp_path)

    loser = threading.Thread(target=lose_a_node)
    loser.start()
    groups = [(run,) for run in range(4)]
    complete_runs(task, groups, engine=ClusterEngine(), is_finished=task.is_finished, on_report=lambda _: None)
    loser.join()
    assert [task.is_finished(run) for run in range(4)] == [True] * 4
    nodes.wait_for_nodes(timeout=60)  # until Ray has noticed: tests after this one count the nodes


@pytest.mark.usefixtures("nodes")
def test_calls_that_nobody_waits_for_are_ended(tmp_path):
    """When the reports are no longer wanted, runs in flight are ended, and clean up behind them."""
    reports = ClusterEngine().map(Script(tmp_path, ("done", "wait", "wait", "wait")), [(0,), (1,), (2,), (3,)])
    assert next(reports).run == 0
    until(tmp_path / "began-1")
    reports.close()
    until(tmp_path / "left-1")
    opened(tmp_path)
    assert list(ClusterEngine().map(Script(tmp_path, ("done",)), [(0,)]))  # there is room again
    assert not any((tmp_path / f"done-{run}").exists() for run in (1, 2, 3))


@pytest.mark.usefixtures("nodes")
def test_a_task_that_raises_is_an_error_that_says_where(tmp_path):
    """What a node cannot do at all is not tried again."""
    with pytest.raises(TrainingError, match="a node of the cluster cannot do a run: ValueError: nobody expected this"):
        list(ClusterEngine().map(Script(tmp_path, ("raise",)), [(0,)]))


@pytest.mark.usefixtures("nodes")
def test_what_ray_loses_is_tried_again(tmp_path):
    """An error of Ray's own in place of a report counts as a lost worker."""
    with pytest.raises(WorkersLostError, match="a worker or a node of the cluster was lost: Failed to retrieve object"):
        list(ClusterEngine().map(Script(tmp_path, ("lose",)), [(0,)]))


class Unpicklable:
    """A task that cannot leave its process."""

    def __call__(self, group: tuple[int, ...]) -> list[RunReport]:
        """Do nothing."""
        return []

    def __reduce__(self):
        """Refuse."""
        raise PicklingError("it holds an open socket.")


@pytest.mark.usefixtures("nodes")
def test_a_task_that_cannot_be_sent_is_refused():
    """The error names the way out."""
    with pytest.raises(TrainingError, match=r"cannot be sent to the cluster: .* Choose the engine 'serial', or define"):
        list(ClusterEngine().map(Unpicklable(), [(0,)]))


DRIVER = """
import json, os, signal, sys
import ray
from reseed.engines import ClusterEngine, RunReport, WorkersLostError

driver = os.getpid()

def task(group):
    if group == (1,):
        os.kill(os.getpid(), signal.SIGKILL)
    return [RunReport(run, "complete", accuracy=float(os.getpid() != driver)) for run in group]

def main(address):
    found = []
    engine = ClusterEngine(address)
    found.append(engine.workers)
    try:
        for report in engine.map(task, [(0,), (1,)]):
            found.append([report.run, report.accuracy])
    except WorkersLostError as error:
        found.append("lost")
    assert not ray.is_initialized()
    return found

json.dump([main(address or None) for address in sys.argv[1:]], sys.stderr)
"""


def driven(*addresses: str, **environment: str) -> list[object]:
    """What a process of its own finds at addresses; its last words on standard error, where nothing else may be."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", DRIVER, *addresses],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return json.loads(done.stderr)


def test_a_ray_of_its_own():
    """Without an address a local Ray does the work and ends with it; it writes nothing to the user's terminal."""
    own_token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": uuid4().hex}  # else Ray writes one into the home folder
    assert driven("", **own_token) == [[usable_cores(), [0, 1.0], "lost"]]


def test_a_cluster_that_is_there(nodes):
    """A cluster is found by its address or by itself, and left as it was; it writes nothing to the terminal."""
    assert driven(nodes.address, "auto", RAY_ADDRESS=nodes.address) == [[2, [0, 1.0], "lost"]] * 2


@pytest.mark.parametrize(
    ("address", "reason"),
    [("127.0.0.1:1", "Connection refused"), ("127.0.0.1:many", "invalid literal"), ("nowhere.invalid", "")],
)
def test_an_address_without_a_cluster_is_refused(monkeypatch, address, reason):
    """The error names the address and how to start a cluster, within seconds."""
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    with pytest.raises(InputError, match=rf"no Ray cluster can be used at the address '{address}': .*{reason}.*ray st"):
        list(ClusterEngine(address).map(print, [(0,)]))


@pytest.mark.parametrize("count", [1, 5])
def test_a_cluster_whose_nodes_are_out_of_reach_is_refused(monkeypatch, count):
    """A head that answers with addresses that do not is told with these addresses, after a bounded wait."""
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    monkeypatch.setattr("reseed.engines._reachable._WAIT_S", 0.0)
    monkeypatch.setattr("reseed.engines._reachable._LOOK_AGAIN_S", 0.0)
    monkeypatch.setattr(
        "reseed.engines._reachable._nodes", lambda _: [("127.0.0.1", port) for port in range(1, 1 + count)]
    )
    shown = "node at 127.0.0.1:1;" if count == 1 else "nodes at 127.0.0.1:1, 127.0.0.1:2, 127.0.0.1:3 and 2 more;"
    with socket.create_server(("127.0.0.1", 0)) as head:
        address = f"127.0.0.1:{head.getsockname()[1]}"
        reason = f"the cluster answers, but this machine cannot reach its {shown} start nodes with an address"
        with pytest.raises(InputError, match=f"no Ray cluster can be used at the address '{address}': {reason}"):
            list(ClusterEngine(address).map(print, [(0,)]))


def test_a_node_that_went_away_is_waited_for(monkeypatch):
    """A node that is silent until Ray has noticed that it is gone, or is there again, is no reason to refuse."""
    seen = [[("127.0.0.1", 1)], [("127.0.0.1", 1)], []]
    monkeypatch.setattr("reseed.engines._reachable._LOOK_AGAIN_S", 0.0)
    monkeypatch.setattr("reseed.engines._reachable._nodes", lambda _: seen.pop(0))
    check_nodes("127.0.0.1:1")
    assert not seen


def test_what_is_no_cluster_is_refused(monkeypatch):
    """Something else that answers at the address is told from a cluster."""
    from ray.exceptions import RpcError

    def time_out(_):
        raise RpcError("Timed out while waiting for GCS to become available.")

    monkeypatch.setattr("reseed.engines._reachable._nodes", time_out)
    with pytest.raises(ConnectionError, match=r"something answers there, but not as a Ray cluster does \(Timed out"):
        check_nodes("127.0.0.1:1")


def test_what_ray_refuses_is_an_error_of_ours(monkeypatch):
    """A Ray that does not start is told in one sentence."""

    def refuse(**_):
        raise RuntimeError("no room for the object store.\nmany more lines")

    monkeypatch.setattr("ray.is_initialized", lambda: False)
    monkeypatch.setattr("ray.init", refuse)
    with pytest.raises(InputError, match=r"Ray cannot be started on this machine: no room for the object store\. Cho"):
        list(ClusterEngine().map(print, [(0,)]))


def test_without_ray_the_extra_is_named(monkeypatch):
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"engine 'cluster' needs the package ray.*reseed\[cluster\]"):
        list(ClusterEngine().map(print, [(0,)]))
