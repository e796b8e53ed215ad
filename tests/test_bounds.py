"""Plans that are too large are refused with the number and the bound, before anything is allocated or written."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import reseed
from reseed._bounds import BOUNDS, check_bound, machine_bytes, shown
from reseed._errors import InputError, ModelError, RecipeError
from reseed.engines import ProcessesEngine, as_engine, complete_runs
from reseed.mitigations import parse_mitigations
from reseed.models import ModelConfig, architecture, draw_model
from reseed.studies import train_study
from reseed.studies._space import recorded_bytes, tell_of_space
from reseed.training import Recipe, RecordConfig, SeedPlan, arithmetic

HUGE = 10**18
RECIPE = Recipe(model=ModelConfig(hidden=(4,)), epochs=1, batch_size=64)
PAGE = Path(__file__).parents[1] / "docs" / "scale.md"


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Recipe(epochs=HUGE), r"recipe field epochs must be at most 100,000,000, got 1\.0e\+18\."),
        (lambda: Recipe(steps=10**8 + 1), r"recipe field steps must be at most 100,000,000, got 100,000,001\."),
        (lambda: Recipe(batch_size=HUGE), "recipe field batch_size must be at most 100,000,000"),
        (lambda: ModelConfig(width=HUGE), "recipe field model.width must be at most 1,000,000"),
        (lambda: ModelConfig(hidden=(64, HUGE)), "a width of recipe field model.hidden must be at most 1,000,000"),
        (lambda: ModelConfig(hidden=(1,) * 10_001), "the length of recipe field model.hidden must be at most 10,000"),
        (lambda: ModelConfig(depth=6 * 10**6 + 2), "recipe field model.depth must be at most 10,000, got 6,000,002"),
        (lambda: ModelConfig(vocabulary=HUGE), "recipe field model.vocabulary must be at most 10,000,000"),
        (lambda: ModelConfig(max_length=HUGE), "recipe field model.max_length must be at most 100,000"),
        (lambda: RecordConfig(dropout_passes=HUGE), r"dropout_passes must be 0, or 2 to 1000, got 1\.0e\+18"),
        (lambda: RecordConfig(every="9" * 5000), "every must be 'epoch', 'final' or a number of steps"),
        (lambda: SeedPlan(10**5000), r"seed must be at most 3\.4e\+38, got 1\.0e\+5000\."),
        (
            lambda: parse_mitigations(f"co-distillation:networks={HUGE}"),
            "co-distillation: networks must be at most 10,000",
        ),
        (lambda: parse_mitigations(f"prediction-ensemble:members={HUGE}"), "members must be at most 10,000, got"),
        (lambda: parse_mitigations(f"selective-ensemble:members={HUGE}"), "members must be at most 10,000"),
        (lambda: parse_mitigations(f"self-consistency-ensemble:members={HUGE}"), "members must be at most 10,000"),
        (lambda: parse_mitigations(f"ensemble-soft-labels:teachers={HUGE}"), "teachers must be at most 10,000"),
        (lambda: parse_mitigations(f"late-branching:branches={HUGE}"), "branches must be at most 10,000"),
    ],
)
def test_a_recipe_is_bounded(make, text):
    """Every field that something is allocated or repeated by has a bound, which the error names."""
    with pytest.raises(RecipeError, match=text):
        make()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"runs": HUGE}, r"runs must be at most 1,000,000, got 1\.0e\+18"),
        ({"group": HUGE, "engine": "stacked"}, "group must be at most 10,000"),
        ({"threads": 10**6}, "threads must be at most 1,024, got 1,000,000"),
        ({"jobs": HUGE, "engine": "processes"}, "jobs must be at most 4,096"),
        ({"jobs": HUGE, "engine": "cluster"}, "jobs must be at most 4,096"),
        ({"retries": HUGE}, "retries must be at most 100"),
        ({"retries": -1}, "retries must be 0 or more, got -1"),
        (
            {"recipe": replace(RECIPE, epochs=10**8)},
            r"steps of a training must be .*\(100,000,000 epochs of 23 steps\)",
        ),
        (
            {"recipe": replace(RECIPE, steps=10**8), "record": RecordConfig("1")},
            r"checkpoints of a run must be at most 1,000,000, got 100,000,000 \(every 1 of 100,000,000 steps\)",
        ),
        (
            {"recipe": replace(RECIPE, steps=10**8), "record": RecordConfig("final", monitor=True)},
            "steps that are monitored must be at most 10,000,000, got 100,000,000",
        ),
        (
            {"recipe": replace(RECIPE, model=ModelConfig(hidden=(10**6, 10**6)))},
            r"model 'mlp' of these sizes has 1,000,0.*10 weights .* this machine has .*hidden, width",
        ),
    ],
)
def test_a_study_is_bounded(tmp_path, options, text):
    """What a study is asked for is refused before a run, and no study is begun."""
    with pytest.raises(InputError, match=text):
        train_study(**{"recipe": RECIPE, "runs": 2, "engine": "serial", "out": tmp_path / "study"} | options)
    assert not (tmp_path / "study" / "study.json").exists()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda out: reseed.measure(recipe=RECIPE, runs=HUGE, until=0.01, out=out), "runs must be at most 1,000,000"),
        (
            lambda out: reseed.measure_nested(recipe=RECIPE, training_sets=HUGE, out=out),
            "training_sets times runs must",
        ),
        (lambda out: reseed.measure_nested(recipe=RECIPE, runs=HUGE, out=out), "runs must be at most 1,000,000"),
        (
            lambda out: reseed.measure_bootstrap(recipe=RECIPE, bootstraps=HUGE, out=out),
            "bootstraps must be at most 1,0",
        ),
        (
            lambda out: reseed.measure_bootstrap(recipe=RECIPE, base_runs=HUGE, out=out),
            "runs must be at most 1,000,000",
        ),
        (lambda out: reseed.mitigate(recipe=RECIPE, runs=HUGE, out=out), "runs must be at most 1,000,000"),
        (
            lambda out: reseed.tune(recipe=RECIPE, budget=1e18, out=out),
            r"budget must be at most 1,000,000, got 1\.0e\+18",
        ),
        (
            lambda out: reseed.run(print, eval_data=([[0], [1]], [0, 1]), runs=HUGE, out=out),
            "runs must be at most 1,000",
        ),
        (lambda out: reseed.Recorder.missing(out, runs=HUGE), "runs must be at most 1,000,000"),
    ],
)
def test_every_verb_is_bounded(tmp_path, call, text):
    """Whatever trains several runs refuses too many, before a folder is made."""
    with pytest.raises(InputError, match=text):
        call(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_worker_processes_are_bounded_by_memory(monkeypatch):
    """More workers than there is memory for are refused, unless no worker processes are asked for."""
    monkeypatch.setattr("reseed.engines._cores.machine_bytes", lambda: 8 << 28)
    monkeypatch.setattr("reseed.engines._cores.usable_cores", lambda: 2)
    assert as_engine("processes", jobs=8) == ProcessesEngine(8)
    with pytest.raises(InputError, match="jobs is 9, but this machine has memory for 8 worker processes"):
        as_engine("processes", jobs=9)
    assert as_engine("serial", jobs=9).name == "serial"
    monkeypatch.setattr("reseed.engines._cores.usable_cores", lambda: 64)
    assert as_engine("processes", jobs=64) == ProcessesEngine(64)


def test_threads_of_a_strange_study_are_bounded():
    """Wherever a number of threads comes from, torch is never told one that it ends the process with."""
    before = torch.get_num_threads()
    with pytest.raises(InputError, match="threads must be at most 1,024, got 1,000,000"), arithmetic(10**6):
        pass
    with pytest.raises(InputError, match="threads must be 1 or more, got 0"), arithmetic(0):
        pass
    assert torch.get_num_threads() == before


def test_waits_between_tries_are_bounded(monkeypatch):
    """However often runs are tried again, no wait is longer than a minute."""
    waits = []
    monkeypatch.setattr("reseed.engines._ledger.time.sleep", waits.append)
    with pytest.raises(reseed.TrainingError):
        complete_runs(
            lambda group: [],
            [(0,)],
            engine=as_engine("serial"),
            is_finished=lambda run: False,
            on_report=lambda report: None,
            retries=100,
        )
    assert (waits[:3], waits[-1]) == ([0.5, 1.0, 2.0], 60.0)


@pytest.mark.parametrize("name", ["mlp", "cnn", "resnet", "small-alexnet"])
def test_models_are_weighed_before_they_are_drawn(monkeypatch, name):
    """A model whose weights and gradients do not fit is refused without drawing it; a draw itself stays what it was."""
    shape = (1, 8, 8)
    build = architecture(ModelConfig(name, hidden=(1000,)))
    model = draw_model(build, shape, 3, 7)
    torch.manual_seed(7)
    again = build.build(shape, 3)
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), again.parameters(), strict=True))
    count = sum(weight.numel() for weight in model.parameters())
    larger = architecture(ModelConfig(name, hidden=(1000,), dropout=0.1))  # what was found out of the other is kept
    monkeypatch.setattr("reseed.models._fits.machine_bytes", lambda: 8 * count - 1)
    with pytest.raises(ModelError, match=f"model '{name}' of these sizes has {count:,} weights for inputs of shape"):
        draw_model(larger, shape, 3, 7)
    monkeypatch.setattr("reseed.models._fits.machine_bytes", lambda: 8 * count)
    draw_model(larger, shape, 3, 7)


def test_a_full_record_is_announced(tmp_path, monkeypatch):
    """Where more may be recorded than there is room for, a line says so before the first run; else nothing does."""
    lines = []
    options = {"recipe": RECIPE, "runs": 2, "engine": "serial", "announce": lines.append}
    train_study(out=tmp_path / "small", **options)
    assert not [line for line in lines if "free" in line]
    usage = type("Usage", (), {"free": 2 * recorded_bytes(RecordConfig(), 1, 360, 10) - 1})
    monkeypatch.setattr("reseed.studies._space.shutil.disk_usage", lambda folder: usage)
    train_study(out=tmp_path / "large", **options)
    (told,) = (line for line in lines if "free" in line)
    assert told.startswith("what will be recorded takes up to 0.0 GB before it is compressed, and ")
    tell_of_space(tmp_path, usage.free, lines.append)
    assert len([line for line in lines if "free" in line]) == 1


@pytest.mark.parametrize(
    ("level", "classes", "expected"), [("labels", 10, 2), ("labels", 40_000, 4), ("scores", 10, 18), ("full", 10, 58)]
)
def test_bytes_of_a_record(level, classes, expected):
    """Bytes of one sample at one checkpoint are those that the page on scale says."""
    assert recorded_bytes(RecordConfig(level=level), 3, 7, classes) == 3 * 7 * expected


def test_numbers_of_any_size_can_be_said():
    """A message shows whatever number it refuses, those that Python will not print included."""
    assert [shown(value) for value in (5, 10**15, 10**5000, -3.5)] == ["5", "1.0e+15", "1.0e+5000", "-3.5"]
    with pytest.raises(InputError, match="budget must be at most 1,000,000, got NaN"):
        check_bound("runs", float("nan"), "budget")
    check_bound("runs", np.int64(10**6))
    assert machine_bytes() > 1 << 28


def test_the_page_on_scale_lists_the_bounds():
    """The documentation names every bound with its number."""
    text = PAGE.read_text(encoding="utf-8")
    for kind, most in BOUNDS.items():
        expected = "2^128 - 1" if kind == "seed" else f"{most:,}"
        assert re.search(rf"^\| [^|]*\| {re.escape(expected)} \| `{re.escape(kind)}` \|$", text, re.MULTILINE), kind
