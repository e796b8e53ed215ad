"""What runs cost: closed forms of the counts, shares of a stack, peaks, and studies whose cost nobody knows."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from reseed._errors import StudyError
from reseed.models import ModelConfig
from reseed.studies import Study, cost_summary, run
from reseed.studies._cost import Stopwatch, Taken, is_quiet, peak_resident
from reseed.studies._manifest import Manifest
from reseed.training import OptimizerConfig, Recipe, RecordConfig

RECIPE = Recipe(model=ModelConfig("mlp", hidden=(8,)), epochs=2, batch_size=64)
TRAIN, EVALUATION = 1437, 360  # the samples of digits


@pytest.mark.parametrize(
    ("batch", "steps", "seen"),
    [
        (64, 2 * 23, 2 * TRAIN),  # 22 full batches and one of 29
        (479, 2 * 3, 2 * TRAIN),  # 479 divides the samples
        (359, 2 * 4, 2 * (TRAIN - 1)),  # 4 full batches; the last would be a single sample and is left out
        (5000, 2 * 1, 2 * TRAIN),  # all samples are one batch
    ],
)
@pytest.mark.parametrize("engine", ["serial", "stacked"])
def test_steps_and_samples_are_those_of_the_batches(train, engine, batch, steps, seen):
    """Steps and samples follow from the batch size: short last batches count as they are, left out samples do not."""
    study = train(recipe=replace(RECIPE, batch_size=batch), engine=engine, record=RecordConfig("final"))
    for manifest in study.manifests:
        assert (manifest.cost["steps"], manifest.cost["samples_seen"]) == (steps, seen)
        assert manifest.cost["forward_passes"] == EVALUATION


@pytest.mark.parametrize(
    ("record", "passes"),
    [
        (RecordConfig("final"), EVALUATION),
        (RecordConfig("epoch"), 2 * EVALUATION),
        (RecordConfig("10"), 5 * EVALUATION),  # steps 10, 20, 30, 40 and the last, 46
        (RecordConfig("10", burn_in=20), 3 * EVALUATION),
        (RecordConfig("epoch", train=True), 2 * (EVALUATION + TRAIN)),
    ],
)
def test_forward_passes_are_splits_times_checkpoints(train, record, passes):
    """Samples predicted for recording are those of each split, once for each checkpoint."""
    (first, *_) = train(recipe=RECIPE, record=record, runs=2).manifests
    assert first.cost["forward_passes"] == passes


def test_a_diverged_run_costs_what_it_did(train):
    """A run that diverges is ended after the epoch, and what it did until then is part of the study's cost."""
    study = train(recipe=replace(RECIPE, optimizer=OptimizerConfig("sgd", lr=1e30)), runs=2)
    assert [manifest.cost["steps"] for manifest in study.diverged] == [23, 23]
    summary = cost_summary(study)
    assert (summary["cost_runs"], summary["cost_steps"], summary["cost_samples_seen"]) == (2, 2 * 23, 2 * TRAIN)
    assert summary["cost_forward_passes"] == 0


def test_totals_medians_and_ranges(train):
    """Totals are sums, of peaks the largest, of the rate the ratio of totals; medians and ranges are over runs."""
    study = train(recipe=RECIPE, runs=3)
    costs = [
        {"steps": 1, "samples_seen": 10, "forward_passes": 3, "wall_s": 2.0, "peak_memory_bytes": 5.0},
        {"steps": 2, "samples_seen": 20, "forward_passes": 3, "wall_s": 1.0, "peak_memory_bytes": 9.0},
        {"steps": 6, "samples_seen": 60, "forward_passes": 3, "wall_s": 6.0, "peak_memory_bytes": 7.0},
    ]
    runs = tuple(replace(manifest, cost=cost) for manifest, cost in zip(study.manifests, costs, strict=True))
    assert cost_summary(replace(study, manifests=runs)) == {
        "cost_runs": 3,
        "cost_runs_per_program": [1, 1],
        "cost_steps": 9,
        "cost_steps_median": 2,
        "cost_steps_range": [1, 6],
        "cost_samples_seen": 90,
        "cost_samples_seen_median": 20,
        "cost_samples_seen_range": [10, 60],
        "cost_forward_passes": 9,
        "cost_forward_passes_median": 3,
        "cost_forward_passes_range": [3, 3],
        "cost_wall_s": 9.0,
        "cost_wall_s_median": 2.0,
        "cost_wall_s_range": [1.0, 6.0],
        "cost_peak_memory_bytes": 9.0,
        "cost_peak_memory_bytes_median": 7.0,
        "cost_peak_memory_bytes_range": [5.0, 9.0],
        "cost_samples_per_s": 10.0,
        "cost_samples_per_s_median": 10.0,
        "cost_samples_per_s_range": [5.0, 20.0],
    }


def test_runs_of_a_stack_share_its_time_and_have_its_peak(train):
    """Wall times of a stack are equal shares, and the summary says how many runs were one program."""
    study = train(recipe=RECIPE, engine="stacked", runs=5, group=3)
    first, second = study.groups
    for group in (first, second):
        for name in ("wall_s", "cpu_s", "peak_memory_bytes"):
            assert len({study.manifests[member].cost[name] for member in group}) == 1
    assert cost_summary(study)["cost_runs_per_program"] == [2, 3]


@pytest.mark.parametrize(
    ("load", "options", "is_alone"),
    [
        (0.2, {}, True),
        (1.4, {}, True),
        (1.6, {}, False),
        (0.2, {"engine": "stacked", "runs": 2}, False),
        (0.2, {"engine": "processes", "jobs": 2}, False),
    ],
)
def test_a_run_had_the_machine_to_itself_where_nothing_else_was_busy(train, monkeypatch, load, options, is_alone):
    """By itself, one run at a time, and no more load than its one thread makes."""
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 9.0, 9.0))
    study = train(recipe=RECIPE, **({"runs": 2} | options))
    assert {manifest.alone for manifest in study.manifests} == {is_alone}


def test_a_machine_that_does_not_tell_its_load_is_not_quiet(monkeypatch):
    """Nothing is made up where the system has no such figure, or does not get it."""

    def fails():
        raise OSError("Load averages are unobtainable")

    monkeypatch.setattr(os, "getloadavg", fails)
    assert not is_quiet(1)
    monkeypatch.delattr(os, "getloadavg")
    assert not is_quiet(1)


def test_processor_time_is_of_this_process_and_all_its_threads():
    """Waiting takes none of it; a run that goes on adds what it took before."""
    watch = Stopwatch()
    time.sleep(0.2)
    cost = watch.cost(runs=2, before=Taken(10.0, 4.0))
    assert cost["wall_s"] >= 5.1
    assert 2.0 <= cost["cpu_s"] < cost["wall_s"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux tells")
def test_peak_memory_is_this_process_alone():
    """The peak grows with what is held, and does not begin with what the parent process had."""
    before = peak_resident()
    held = np.ones(200 << 20, np.uint8)
    assert peak_resident() >= before
    assert peak_resident() > held.nbytes
    code = "from reseed.studies._cost import peak_resident; print(peak_resident())"
    grown = np.ones(1 << 30, np.uint8)  # more than the child needs for its libraries
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(child.stdout) < grown.nbytes < peak_resident()


def test_no_device_memory_on_a_cpu(train):
    """On a CPU the device's peak is absent, never 0; everything else is there."""
    (first, *_) = train(recipe=RECIPE, runs=2).manifests
    known = {"steps", "samples_seen", "forward_passes", "wall_s", "cpu_s", "weights_bytes", "peak_memory_bytes"}
    assert set(first.cost) == known


def test_device_memory_is_the_allocators_peak_since_the_start(monkeypatch):
    """Where a device tells its peak, it is reset at the start and read at the end, for that device."""
    calls = []
    allocator = SimpleNamespace(
        reset_peak_memory_stats=lambda device: calls.append(("reset", device)),
        max_memory_allocated=lambda device: calls.append(("read", device)) or 4096,
    )
    monkeypatch.setattr(torch, "get_device_module", lambda _: allocator)
    cost = Stopwatch("cpu:0").cost(runs=2)
    assert cost["peak_device_memory_bytes"] == 4096
    assert calls == [("reset", "cpu:0"), ("read", "cpu:0")]


def test_a_figure_that_some_runs_lack_is_left_out(train):
    """A total over some of the runs would be too low, so there is none."""
    study = train(recipe=RECIPE, runs=2)
    first, second = study.manifests
    partial = replace(first, cost={"wall_s": 1.0})
    summary = cost_summary(replace(study, manifests=(partial, second)))
    assert summary["cost_runs"] == 2
    assert "cost_wall_s" in summary
    assert not {"cost_steps", "cost_samples_per_s", "cost_peak_memory_bytes"} & set(summary)


def test_own_fits_have_time_and_memory_only(tmp_path):
    """What `reseed.run` calls is foreign: its steps are not known, and are not said to be 0."""
    study = run(lambda seed: lambda x: x > 0, runs=2, eval_data=(np.arange(4), [0, 1, 1, 1]), out=tmp_path / "fit")
    assert set(study.manifests[0].cost) == {"wall_s", "cpu_s", "peak_memory_bytes"}
    assert not {"cost_steps", "cost_samples_per_s", "cost_runs_per_program"} & set(cost_summary(study))


def test_imported_runs_have_no_cost(tmp_path):
    """Nobody knows what imported predictions cost."""
    assert cost_summary(Study.from_predictions([[0, 1], [1, 1]], tmp_path / "study")) == {}


def test_a_manifest_with_an_unknown_cost_is_refused(train):
    """A cost that is no number, or none of the known figures, makes a corrupt manifest."""
    study = train(recipe=RECIPE, runs=2)
    path = study.path / "runs/run-00000/manifest.json"
    tree = json.loads(path.read_text())
    for cost in ({"steps": "many"}, {"watts": 1.0}):
        path.write_text(json.dumps(tree | {"cost": cost}))
        with pytest.raises(StudyError, match="is corrupt: TypeError: cost"):
            Study.open(study.path)


def test_manifests_without_a_cost_keep_it_empty():
    """The default cost holds nothing, and is not shared between manifests."""
    one, other = (Manifest(0, "complete", "predictions-00000000", (0,), "") for _ in range(2))
    assert one.cost == {}
    assert one.cost is not other.cost
