"""One contract for all engines, and the ledger's retry."""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from pickle import PicklingError

import cloudpickle
import pytest

from reseed._errors import InputError, TrainingError
from reseed.engines import (
    ClusterEngine,
    ProcessesEngine,
    RunReport,
    SerialEngine,
    WorkersLostError,
    as_engine,
    complete_runs,
)

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import test modules
ENGINES = {"serial": SerialEngine(), "processes": ProcessesEngine(2), "cluster": ClusterEngine()}


@dataclass(frozen=True)
class Touch:
    """A task that leaves a file for each run, and misbehaves where it is told to."""

    folder: Path
    fails_once: frozenset[int] = frozenset()
    always_fails: frozenset[int] = frozenset()
    dies_once: frozenset[int] = frozenset()

    def __call__(self, group: tuple[int, ...]) -> list[RunReport]:
        """Do the runs of a group that are not finished."""
        return [self.run(run) for run in group if not self.is_finished(run)]

    def run(self, run: int) -> RunReport:
        """Do one run."""
        tried = self.folder / f"tried-{run}"
        is_first = not tried.exists()
        tried.write_text(tried.read_text() + "x" if tried.exists() else "x")
        if is_first and run in self.dies_once:
            os.kill(os.getpid(), signal.SIGKILL)
        if run in self.always_fails or (is_first and run in self.fails_once):
            return RunReport(run, "failed", message=f"run {run} had bad luck")
        (self.folder / f"done-{run}").touch()
        return RunReport(run, "complete", accuracy=run / 10)

    def is_finished(self, run: int) -> bool:
        """Whether the run left its file."""
        return (self.folder / f"done-{run}").exists()


def complete(task, runs, engine, **options):
    """Complete the runs and return the reports."""
    reports = []
    options = {"engine": engine, "is_finished": task.is_finished, "on_report": reports.append} | options
    complete_runs(task, [(run,) for run in runs], **options)
    return reports


@pytest.fixture(params=["serial", "processes", pytest.param("cluster", marks=pytest.mark.cluster)])
def engine(request):
    """Each of the engines in turn; for the cluster there are two nodes."""
    if request.param == "cluster":
        request.getfixturevalue("nodes")
    return ENGINES[request.param]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr("reseed.engines._ledger._FIRST_WAIT_S", 0.0)


def test_every_run_is_called_and_reported(engine, tmp_path):
    """Each engine calls the task for every run and passes its report on."""
    reports = complete(Touch(tmp_path), range(5), engine)
    assert sorted((report.run, report.accuracy) for report in reports) == [(run, run / 10) for run in range(5)]
    assert engine == ENGINES[engine.name]


def test_finished_runs_are_not_called_again(engine, tmp_path):
    """What is finished stays finished: only the missing run is dispatched."""
    task = Touch(tmp_path)
    complete(task, range(3), SerialEngine())
    reports = complete(task, range(4), engine)
    assert [report.run for report in reports] == [3]


def test_failed_runs_are_tried_again(engine, tmp_path):
    """A run that fails once is done at the second attempt, without repeating its neighbours."""
    complete(Touch(tmp_path, fails_once=frozenset({1})), range(3), engine)
    assert [len((tmp_path / f"tried-{run}").read_text()) for run in range(3)] == [1, 2, 1]


def test_runs_that_keep_failing_are_named(engine, tmp_path):
    """After the retries the error names the run and its message; the other runs are done."""
    task = Touch(tmp_path, always_fails=frozenset({1}))
    with pytest.raises(TrainingError, match=r"1 of 3 runs did not finish \(run 1 first\): run 1 had bad luck"):
        complete(task, range(3), engine, retries=1)
    assert task.is_finished(0)
    assert task.is_finished(2)
    assert len((tmp_path / "tried-1").read_text()) == 2


def test_hopeless_runs_are_not_tried_again(tmp_path):
    """A failure that says it is final is not repeated."""
    calls = []

    def task(group: tuple[int, ...]) -> list[RunReport]:
        calls.append(group)
        return [RunReport(run, "failed", message="bad input", is_final=True) for run in group]

    with pytest.raises(TrainingError, match="bad input"):
        complete_runs(
            task, [(0,)], engine=SerialEngine(), is_finished=lambda _: False, on_report=lambda _: None, retries=5
        )
    assert calls == [(0,)]


def test_a_killed_worker_costs_nothing_but_time(tmp_path):
    """When a worker is killed in the middle of a run, all runs are done in the end."""
    task = Touch(tmp_path, dies_once=frozenset({1}))
    complete(task, range(4), ProcessesEngine(2))
    assert all(task.is_finished(run) for run in range(4))


def test_lost_workers_are_reported(tmp_path):
    """An engine that loses its workers says so, and the ledger's error passes it on."""
    task = Touch(tmp_path, dies_once=frozenset({0}))
    with pytest.raises(WorkersLostError, match="a worker process was killed"):
        list(ProcessesEngine(2).map(task, [(0,), (1,)]))
    (tmp_path / "tried-0").unlink()
    with pytest.raises(TrainingError, match="a worker process was killed, perhaps for want of memory"):
        complete(task, [0], ProcessesEngine(2), retries=0)


def test_engines_by_name(monkeypatch):
    """Auto takes processes where there are cores to use, serial on one core or on a shared accelerator."""
    monkeypatch.setattr("reseed.engines._registry.usable_cores", lambda: 4)
    assert as_engine("auto") == ProcessesEngine(4)
    assert as_engine("auto", device="cuda") == SerialEngine()
    assert as_engine("auto", jobs=1) == SerialEngine()
    assert as_engine("processes", jobs=3) == ProcessesEngine(3)
    assert as_engine("serial").workers == 1
    cluster = as_engine("cluster", address="auto", jobs=4, threads=2, device="cuda")
    assert cluster == ClusterEngine("auto", jobs=4, threads=2, gpus=1)
    assert as_engine("cluster") == ClusterEngine()


def test_bad_engine_options_are_refused():
    """Unknown engines and no workers raise, naming the argument."""
    with pytest.raises(InputError, match=r"unknown engine 'slurm'\. Choose among auto, serial, processes, stacked"):
        as_engine("slurm")
    with pytest.raises(InputError, match="jobs must be 1 or more, got 0"):
        as_engine("processes", jobs=0)
    with pytest.raises(InputError, match="address is 'auto', but only the engine 'cluster' has one; the engine"):
        as_engine("serial", address="auto")


def test_an_engine_of_ones_own_is_taken_as_it_is():
    """An object with name, workers and map is an engine; it brings its own options."""
    own = ProcessesEngine(3, name="mine")
    assert as_engine(own) is own
    with pytest.raises(InputError, match="jobs is 2, but the engine 'mine' is given whole; set its workers instead"):
        as_engine(own, jobs=2)
    with pytest.raises(InputError, match="engine must be a name or an object with name, workers and map, got dict"):
        as_engine({})


class Unpicklable:
    """A task that cannot leave its process."""

    def __call__(self, group: tuple[int, ...]) -> list[RunReport]:
        """Do nothing."""
        return []

    def __reduce__(self):
        """Refuse."""
        raise PicklingError("it holds an open socket.")


def test_tasks_that_cannot_be_sent_are_refused():
    """A task that cannot be pickled is an error that names the way out."""
    with pytest.raises(TrainingError, match=r"cannot be sent to worker processes: .* Choose the engine 'serial'"):
        list(ProcessesEngine(2).map(Unpicklable(), [(0,), (1,)]))


def test_groups_are_done_together(engine, tmp_path):
    """A group is called as a whole, again only while one of its runs is not finished."""
    task = Touch(tmp_path, fails_once=frozenset({1}))
    reports = []
    complete_runs(task, [(0, 1), (2, 3)], engine=engine, is_finished=task.is_finished, on_report=reports.append)
    assert sorted(report.run for report in reports if report.status == "complete") == [0, 1, 2, 3]
    assert [len((tmp_path / f"tried-{run}").read_text()) for run in range(4)] == [1, 2, 1, 1]
