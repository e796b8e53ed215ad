"""Whether the engine `auto` takes the faster way, as ratios of whole studies in one run.

Each study is trained by `auto`, by the engine that stays in this process (`stacked`, or `serial` for the model of one's
own that `auto` does not stack) and by `processes`, and with it comes everything: the trial by which `auto` decides,
recording, the start of workers. `processes` trains one run at a time in each worker, as the user who names it gets it.
The ratio is that of `auto` to the better of the other two, each by its median.

Every study is a fresh process, since workers that were started once stay; the clock begins once reseed is imported. The
ways take turns, so that what else the machine does falls on all of them; the seconds that processors spent, workers
included, are written too. `mnist` and `massive` are read from the folder in RESEED_DATA.

    python benchmarks/auto_engine.py ["CASE" ...]

Cases that are not named keep the numbers that were written last.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
from _environment import write_result
from torch import nn

from reseed.data import DataConfig
from reseed.models import ModelConfig
from reseed.studies import train_study
from reseed.training import Recipe, RecordConfig, default_recipe

REPETITIONS = 3


def own_network(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Return a small network with layers that reseed does not know."""
    layers: list[nn.Module] = [nn.Flatten(), nn.Linear(torch.Size(shape).numel(), 64), nn.LayerNorm(64), nn.GELU()]
    return nn.Sequential(*layers, nn.Linear(64, classes))


def own_convolutions(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Return a convolutional one, which is slower in a stack."""
    layers = [nn.Conv2d(shape[0], 16, 3, padding=1), nn.ELU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3), nn.ELU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(288, classes))


def cases() -> dict[str, tuple[Recipe, int, str]]:
    """Name the studies: a recipe, the number of runs, and the engine that stays in one process."""
    digits, mnist = DataConfig("digits"), default_recipe("cnn", DataConfig("mnist"))
    own = Recipe(data=digits, model=ModelConfig("auto_engine:own_network"), epochs=5)
    return {
        "digits mlp, 50 runs": (default_recipe("mlp"), 50, "stacked"),
        "digits mlp, 4 runs": (default_recipe("mlp"), 4, "stacked"),
        "massive tf-idf head, 1 epoch, 8 runs": (
            replace(default_recipe("text-tfidf", DataConfig("massive")), epochs=1),
            8,
            "stacked",
        ),
        "digits, a network of one's own, 16 runs": (own, 16, "stacked"),
        "mnist cnn, 20 steps of batch 128, 4 runs": (replace(mnist, steps=20), 4, "stacked"),
        "mnist cnn, 20 steps of batch 128, 16 runs": (replace(mnist, steps=20), 16, "stacked"),
        "mnist, convolutions of one's own, 10 steps of batch 128, 8 runs": (
            replace(mnist, model=ModelConfig("auto_engine:own_convolutions"), steps=10),
            8,
            "serial",
        ),
    }


def train(name: str, engine: str) -> None:
    """Train a study and print what it took."""
    recipe, runs, _ = cases()[name]
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        study = train_study(
            recipe, Path(folder) / "study", runs=runs, engine=engine, record=RecordConfig("final", level="labels")
        )
        taken = time.perf_counter() - start
    print(json.dumps({"wall_s": taken, "groups": study.header.groups, "threads": study.header.threads}))


def timed(name: str, engine: str) -> dict[str, object]:
    """Return what a study took in a fresh process, and the processors' seconds of it and its workers."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = [sys.executable, __file__, "train", name, engine]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=Path(__file__).parent)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return {**json.loads(done.stdout.splitlines()[-1]), "processor_s": spent}


def compare(name: str, inside: str) -> dict[str, object]:
    """Train one study in all ways, in turns."""
    ways = ("auto", inside, "processes")
    rounds: dict[str, list[dict[str, object]]] = {way: [] for way in ways}
    for repetition in range(REPETITIONS):
        for way in (*ways[repetition % 3 :], *ways[: repetition % 3]):
            rounds[way].append(timed(name, way))
    median = {way: statistics.median(float(str(one["wall_s"])) for one in rounds[way]) for way in ways}
    ratio = median["auto"] / min(median[way] for way in ways[1:])
    shown = ", ".join(f"{way} {taken:.1f} s" for way, taken in median.items())
    print(f"{name}: {shown}; auto takes {ratio:.2f}x the better", flush=True)
    return {"case": name, "rounds": rounds, "median_s": median, "ratio": ratio}


def main(wanted: list[str]) -> None:
    """Compare cases, all if none is wanted, and write the raw numbers beside this file."""
    written = Path(__file__).with_suffix(".json")
    parts = {part["case"]: part for part in json.loads(written.read_text())["cases"]} if written.exists() else {}
    for name in wanted or cases():
        load = os.getloadavg()[0]
        parts[name] = {**compare(name, cases()[name][2]), "load_average_at_the_start": load}
        write_result("auto_engine", {"repetitions": REPETITIONS, "cases": list(parts.values())})


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["train", name, engine]:
            train(name, engine)
        case names:
            main(names)
