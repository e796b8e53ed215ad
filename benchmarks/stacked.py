"""Many runs as one program against the same runs one by one, as ratios in one run.

For each recipe, the runs of the same seeds are trained, on the same two cores:

- plain: a loop as one types it in PyTorch, one run after another, one thread (see training_loop.py);
- serial: reseed's own training of one run after another, one thread;
- stacked: all runs as one program, with all threads and with one.

The plain loop is timed on one run and the serial one on three, and both are scaled linearly; the plain loop is left out
where a recipe augments images or trains an encoder. Then whole studies, recording and the start of worker processes
included, by the engines `processes` (one run at a time in each worker), `stacked` and `auto`. They also tell what
arithmetic alone does: the churn between two of these engines for equal seeds, beside the churn between seeds.

Where JAX is installed, the first recipe is also trained by it, as one jit(vmap(scan)) program on the same batches.
`clinc150`, `mnist` and `cifar10` are read from the folder in RESEED_DATA; RESEED_ENCODER names a text encoder whose
features, and whose fine-tuning, are compared too.

    python benchmarks/stacked.py
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import torch
from _environment import write_result
from _jax_peer import jax_seconds
from training_loop import hand_written

from reseed.data import DataConfig, load
from reseed.engines import usable_cores
from reseed.instability import churn, jitter
from reseed.models import architecture
from reseed.studies import train_study
from reseed.training import (
    Recipe,
    RecordConfig,
    SeedPlan,
    StackedTraining,
    Training,
    TrainingSet,
    default_recipe,
)

LOOP_RUNS, REPETITIONS = 3, 3
ENGINES = ("processes", "stacked", "auto")
WITH_JAX = "digits mlp 64-64-10, batch 32, K=50"


def cases() -> dict[str, tuple[Recipe, int]]:
    """Name the compared recipes and numbers of runs."""
    named = {
        WITH_JAX: (default_recipe("mlp"), 50),
        "clinc150 tf-idf head 2048-128-150, batch 128, K=16": (
            replace(default_recipe("text-tfidf", DataConfig("clinc150")), epochs=2),
            16,
        ),
        "mnist cnn, 20 steps of batch 128, K=16": (replace(default_recipe("cnn", DataConfig("mnist")), steps=20), 16),
        "cifar10 resnet, 5 steps of batch 128, K=4": (
            replace(default_recipe("resnet", DataConfig("cifar10")), steps=5),
            4,
        ),
    }
    if encoder := os.environ.get("RESEED_ENCODER"):
        head = default_recipe("text-encoder", DataConfig("clinc150"))
        head = replace(head, model=replace(head.model, encoder=encoder), batch_size=128, epochs=2)
        plain = replace(head, model=replace(head.model, dropout=0.0))
        named["clinc150 head on encoder features, batch 128, K=16"] = (plain, 16)
        named["the same with dropout 0.1"] = (head, 16)
        tuned = default_recipe("text-encoder", DataConfig("clinc150"), fine_tune=True)
        tuned = replace(tuned, model=replace(tuned.model, encoder=encoder), steps=5)
        named["clinc150 fine-tuned encoder, 5 steps of batch 32, K=4"] = (tuned, 4)
    return named


def seconds(function: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def exhaust(training: Training | StackedTraining) -> None:
    """Train to the end."""
    epochs = range(training.steps_per_epoch, training.total_steps, training.steps_per_epoch)
    for _ in training.blocks([*epochs, training.total_steps]):
        pass


def compare(name: str, recipe: Recipe, runs: int, cache: Path) -> dict[str, object]:
    """Time all ways of training and compare what they predict."""
    splits, build, plan, cores = load(recipe.data), architecture(recipe.model), SeedPlan(), usable_cores()
    data = TrainingSet(build.prepare(splits, cache, print).train, splits.train.labels, splits.train.num_classes)
    seeds = tuple(plan.seeds(run) for run in range(runs))

    def serial() -> None:
        for words in seeds[:LOOP_RUNS]:
            exhaust(Training(recipe, build, data, words))

    def stacked() -> None:
        exhaust(StackedTraining(recipe, build, data, seeds))

    def on(threads: int, function: Callable[[], object]) -> float:
        torch.set_num_threads(threads)
        return seconds(function)

    times: dict[str, list[float]] = {"plain": [], "serial": [], "stacked, one thread": [], "stacked": []}
    for _ in range(REPETITIONS):
        if build.is_native and recipe.augment == "none":
            times["plain"].append(on(1, lambda: hand_written(recipe, data)) * runs)
        times["serial"].append(on(1, serial) / LOOP_RUNS * runs)
        times["stacked, one thread"].append(on(1, stacked))
        times["stacked"].append(on(cores, stacked))
    medians = {way: statistics.median(taken) for way, taken in times.items() if taken}
    ratios = {way: medians[way] / medians["stacked"] for way in medians if way != "stacked"}
    print(f"{name}: stacked is " + ", ".join(f"{ratio:.2f}x {way}" for way, ratio in ratios.items()))
    result: dict[str, object] = {"case": name, "runs": runs, "seconds": times, "ratios": ratios}
    if not recipe.model.fine_tune:  # whose evaluation takes far longer than these few steps
        result["studies"] = studies(recipe, runs, cache)
    if name == WITH_JAX and find_spec("jax"):
        training = StackedTraining(recipe, build, data, seeds)
        peer = jax_seconds(training, [training.draw(own.init) for own in seeds], REPETITIONS)
        ratio = statistics.median(peer["seconds"]) / medians["stacked"]
        result["jax"] = peer | {"ratio": ratio}
        print(f"  JAX takes {ratio:.2f}x as long, compiling ({peer['compile_s']:.1f} s) apart")
    return result


def studies(recipe: Recipe, runs: int, cache: Path) -> dict[str, object]:
    """Time whole studies, and measure the churn of arithmetic alone; features of an encoder are there already."""
    taken, labels = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for engine in ENGINES:
            shutil.copytree(cache, Path(folder) / engine / "cache")
            start = time.perf_counter()
            study = train_study(
                recipe, Path(folder) / engine, runs=runs, engine=engine, record=RecordConfig("final", level="labels")
            )
            taken[engine] = time.perf_counter() - start
            labels[engine] = study.final("labels").astype("int64")
    pairs = zip(labels["processes"], labels["stacked"], strict=True)
    between_engines = statistics.fmean(churn(one, other) for one, other in pairs)
    between_seeds = float(jitter(labels["processes"]).mean())
    shown = ", ".join(f"{engine} {spent:.1f} s" for engine, spent in taken.items())
    print(f"  whole studies: {shown}; churn {between_engines:.5f} at equal seeds, {between_seeds:.5f} between seeds")
    return {"seconds": taken, "churn_between_engines": between_engines, "churn_between_seeds": between_seeds}


def main() -> None:
    """Compare all cases and write the raw numbers beside this file."""
    with tempfile.TemporaryDirectory() as cache:
        parts: list[dict[str, object]] = []
        for name, case in cases().items():
            parts.append(compare(name, *case, Path(cache)))
            write_result("stacked", {"loop_runs": LOOP_RUNS, "repetitions": REPETITIONS, "cases": parts})


if __name__ == "__main__":
    main()
