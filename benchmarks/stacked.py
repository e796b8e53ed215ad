"""The `stacked` engine against the serial one and against worker processes, as ratios in one run.

For each recipe, the same runs of the same seeds are trained four ways, on the same two cores:

- loop: one run after another, one thread (the plain loop, which is the peer of every ratio);
- loop, all threads: the same with as many threads as there are cores;
- stacked: all runs as one program, all threads;
- studies: the whole command, recording and starting worker processes included, with the engines `processes` and
  `stacked`.

The studies also tell what arithmetic alone does: the churn between the two engines for equal seeds, beside the churn
between seeds. The loop is timed on three runs and scaled linearly. `clinc150` and `mnist` are read from the folder in
RESEED_DATA. Where RESEED_ENCODER names an encoder, fine-tuning it is compared too.

    python benchmarks/stacked.py
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from _environment import write_result

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


def cases() -> dict[str, tuple[Recipe, int]]:
    """Name the compared recipes and numbers of runs."""
    named = {
        "digits mlp 64-64-10, batch 32, K=50": (default_recipe("mlp"), 50),
        "clinc150 tf-idf head 2048-128-150, batch 128, K=16": (
            replace(default_recipe("text-tfidf", DataConfig("clinc150")), epochs=2),
            16,
        ),
        "mnist cnn, 30 steps of batch 128, K=16": (replace(default_recipe("cnn", DataConfig("mnist")), steps=30), 16),
    }
    if encoder := os.environ.get("RESEED_ENCODER"):
        recipe = default_recipe("text-encoder", DataConfig("clinc150"), fine_tune=True)
        recipe = replace(recipe, model=replace(recipe.model, encoder=encoder), steps=10)
        named["clinc150 fine-tuned encoder, 10 steps of batch 32, K=4"] = (recipe, 4)
    return named


def seconds(function: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def exhaust(training: Training | StackedTraining) -> None:
    """Train to the end."""
    for _ in training.steps():
        pass


def compare(name: str, recipe: Recipe, runs: int) -> dict[str, object]:
    """Time all ways of training and compare what they predict."""
    splits, build, plan, cores = load(recipe.data), architecture(recipe.model), SeedPlan(), usable_cores()
    data = TrainingSet(build.prepare(splits, None, print).train, splits.train.labels, splits.train.num_classes)
    seeds = tuple(plan.seeds(run) for run in range(runs))

    def loop() -> None:
        for words in seeds[:LOOP_RUNS]:
            exhaust(Training(recipe, build, data, words))

    times: dict[str, list[float]] = {"loop": [], "loop, all threads": [], "stacked": []}
    for _ in range(REPETITIONS):
        torch.set_num_threads(1)
        times["loop"].append(seconds(loop) / LOOP_RUNS * runs)
        torch.set_num_threads(cores)
        times["loop, all threads"].append(seconds(loop) / LOOP_RUNS * runs)
        times["stacked"].append(seconds(lambda: exhaust(StackedTraining(recipe, build, data, seeds))))
    medians = {way: statistics.median(taken) for way, taken in times.items()}
    ratio = medians["loop"] / medians["stacked"]
    best = min(medians["loop"], medians["loop, all threads"])
    print(f"{name}: stacked {ratio:.2f}x the loop, {best / medians['stacked']:.2f}x the faster of both loops")
    return {
        "case": name,
        "runs": runs,
        "seconds": times,
        "ratio_to_loop": ratio,
        "ratio_to_faster_loop": best / medians["stacked"],
        "studies": studies(recipe, runs),
    }


def studies(recipe: Recipe, runs: int) -> dict[str, float]:
    """Time whole studies, and measure the churn of arithmetic alone."""
    taken, labels = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for engine in ("processes", "stacked"):
            start = time.perf_counter()
            study = train_study(
                recipe, Path(folder) / engine, runs=runs, engine=engine, record=RecordConfig("final", level="labels")
            )
            taken[engine] = time.perf_counter() - start
            labels[engine] = study.final("labels").astype("int64")
    between_engines = statistics.fmean(churn(one, other) for one, other in zip(*labels.values(), strict=True))
    between_seeds = float(jitter(labels["processes"]).mean())
    print(
        f"  whole studies: {taken['processes']:.1f} s processes, {taken['stacked']:.1f} s stacked; churn "
        f"{between_engines:.5f} between engines at equal seeds, {between_seeds:.5f} between seeds"
    )
    return {
        "processes_s": taken["processes"],
        "stacked_s": taken["stacked"],
        "churn_between_engines": between_engines,
        "churn_between_seeds": between_seeds,
    }


def main() -> None:
    """Compare all cases and write the raw numbers beside this file."""
    results = [compare(name, *case) for name, case in cases().items()]
    write_result("stacked", {"loop_runs": LOOP_RUNS, "repetitions": REPETITIONS, "cases": results})


if __name__ == "__main__":
    main()
