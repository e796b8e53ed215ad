"""Sixty trainings on random shares of MNIST, for memorisation: as one program, and one by one in plain PyTorch.

Each of the 60 networks is trained on another random 70 % of 5,000 samples, and says at the end which of all 5,000 it
answers right. All ways train the same layers with the same hyperparameters for the same number of steps:

- stacked: `StackedTraining`, all networks as one program;
- tensors: a loop over the networks, each with a module, `torch.optim.SGD`, `randperm` and indexed tensors;
- DataLoader: the loop that most people write, over a `DataLoader` of a `Subset` of a `TensorDataset`.

They take turns, with two threads and with one. The clock's seconds of two threads are what a user waits where nothing
else runs; on a busy machine threads wait for each other, which costs small operations most, so the load is noted.
The processor's seconds of one thread are the steadier comparison, and say what a plain loop takes that uses both cores
by two processes. In turns two epochs are timed; plain networks are timed on a few of the 60 and scaled, which a loop
over them allows.

The first case has the default recipe of `reseed memorize mnist --limit 5000 --share 0.7`; the others differ from it by
what is named. With it all 60 are then trained to the end, stacked and by tensors, with one thread. Their estimates of
memorisation are compared, and so are those of stacked networks with other seeds: two estimates agree no better.

    python benchmarks/subset_trainings.py
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from _environment import write_result
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

from reseed.data import DataConfig, load
from reseed.memorization import memorization
from reseed.models import architecture
from reseed.training import Recipe, SeedPlan, StackedTraining, TrainingSet, default_recipe, trained_on

RUNS, SAMPLES, SHARE, EPOCHS, REPETITIONS = 60, 5000, 0.7, 2, 3
PLAIN_RUNS = 2
STACKED = "stacked"
Found = tuple[NDArray[np.bool_], NDArray[np.bool_]]


def cases() -> dict[str, Recipe]:
    """Name the compared recipes; `mnist` is read from the folder in RESEED_DATA."""
    plain = default_recipe("mlp", DataConfig("mnist", limit=SAMPLES))
    return {
        f"784-{width}-10, batch {batch}": replace(plain, model=replace(plain.model, hidden=(width,)), batch_size=batch)
        for width, batch in ((64, 32), (64, 128), (512, 128))
    }


@dataclass(frozen=True)
class Problem:
    """What all ways train."""

    recipe: Recipe
    data: TrainingSet

    @classmethod
    def of(cls, recipe: Recipe) -> Problem:
        """Load and prepare the data."""
        splits = load(recipe.data)
        inputs = architecture(recipe.model).prepare(splits, None, print).train
        return cls(recipe, TrainingSet(inputs, splits.train.labels, splits.train.num_classes))

    def module(self) -> nn.Module:
        """Return a fresh network from torch's global generator."""
        return architecture(self.recipe.model).build(self.data.input_shape, self.data.num_classes)

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """Return torch's own optimiser."""
        return torch.optim.SGD(model.parameters(), self.recipe.optimizer.lr, momentum=self.recipe.optimizer.momentum)

    def right(self, model: nn.Module) -> NDArray[np.bool_]:
        """Return which training samples a network answers right, [sample]."""
        with torch.no_grad():
            return (model(self.data.inputs).argmax(1) == self.data.labels).numpy()


def stacked(problem: Problem, base: int, runs: Sequence[int]) -> Found:
    """Train all as one program; return what is right and what was trained on, [run, sample]."""
    plan = SeedPlan(base, share=SHARE)
    seeds = tuple(plan.seeds(run) for run in runs)
    training = StackedTraining(problem.recipe, architecture(problem.recipe.model), problem.data, seeds)
    for _ in training.blocks([training.total_steps]):
        pass
    right = (training.predict(problem.data.inputs).argmax(-1) == problem.data.labels).numpy()
    return right, trained_on(plan, runs, len(problem.data.labels))


def tensors(problem: Problem, base: int, runs: Sequence[int]) -> Found:
    """Train one by one on tensors that are indexed by a permutation."""
    inputs, labels, batch = problem.data.inputs, problem.data.labels, problem.recipe.batch_size
    right, inside = np.zeros((2, len(runs), len(labels)), np.bool_)
    for place, run in enumerate(runs):
        torch.manual_seed(1000 * (base + 1) + run)
        chosen = torch.randperm(len(labels))[: round(SHARE * len(labels))]
        model = problem.module()
        optimizer = problem.optimizer(model)
        for _ in range(problem.recipe.epochs):
            for rows in chosen[torch.randperm(len(chosen))].split(batch):
                loss = nn.functional.cross_entropy(model(inputs[rows]), labels[rows])
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
        right[place], inside[place, chosen.numpy()] = problem.right(model), True
    return right, inside


def by_loader(problem: Problem, base: int, runs: Sequence[int]) -> Found:
    """Train one by one with a `DataLoader`."""
    data = TensorDataset(problem.data.inputs, problem.data.labels)
    right, inside = np.zeros((2, len(runs), len(data)), np.bool_)
    for place, run in enumerate(runs):
        torch.manual_seed(1000 * (base + 1) + run)
        chosen = torch.randperm(len(data))[: round(SHARE * len(data))]
        loader = DataLoader(Subset(data, chosen.tolist()), problem.recipe.batch_size, shuffle=True)
        model = problem.module()
        optimizer = problem.optimizer(model)
        for _ in range(problem.recipe.epochs):
            for inputs, labels in loader:
                loss = nn.functional.cross_entropy(model(inputs), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        right[place], inside[place, chosen.numpy()] = problem.right(model), True
    return right, inside


def agreement(one: Found, other: Found) -> dict[str, float]:
    """Compare two sets of estimates."""
    first, second = (np.asarray(memorization(*found).value) for found in (one, other))
    shares = [float(right[inside == seen].mean()) for right, inside in (one, other) for seen in (True, False)]
    return {
        "correlation": float(np.corrcoef(first, second)[0, 1]),
        "means": [float(first.mean()), float(second.mean())],
        "accuracy_seen": shares[::2],
        "accuracy_unseen": shares[1::2],
    }


class Seconds(NamedTuple):
    """What training took."""

    wall: float
    processor: float


@dataclass(frozen=True)
class Way:
    """A way of training.

    Attributes:
        problem: What it trains.
        train: Takes the problem, the seed and which networks.
        runs: How many networks it trains.
        threads: Of torch.
    """

    problem: Problem
    train: Callable[..., object]
    runs: int
    threads: int

    def seconds(self, base: int) -> Seconds:
        """Train, and return the clock's and the processor's seconds for all networks."""
        torch.set_num_threads(self.threads)
        wall, own = time.perf_counter(), time.process_time()
        self.train(self.problem, base, range(self.runs))
        scale = RUNS / self.runs
        return Seconds((time.perf_counter() - wall) * scale, (time.process_time() - own) * scale)


def compare(name: str, recipe: Recipe) -> dict[str, Any]:
    """Time all ways in turns."""
    problem = Problem.of(replace(recipe, epochs=EPOCHS))
    ways: dict[str, tuple[Callable[..., object], int]] = {
        STACKED: (stacked, RUNS),
        "tensors": (tensors, PLAIN_RUNS),
        "DataLoader": (by_loader, PLAIN_RUNS),
    }
    timed = {f"{way}, {threads}": Way(problem, *how, threads) for way, how in ways.items() for threads in (1, 2)}
    for train, _ in ways.values():  # what torch does once, before the clock runs
        train(Problem(replace(recipe, epochs=1), problem.data), 0, range(1))
    seconds: dict[str, list[Seconds]] = {way: [] for way in timed}
    load_averages = []
    for base in range(REPETITIONS):
        for way, how in timed.items():
            load_averages.append(round(os.getloadavg()[0], 1))
            seconds[way].append(how.seconds(base))
    times = {
        f"{way}, {told}": [
            getattr(theirs, clock) / getattr(ours, clock)
            for ours, theirs in zip(seconds[f"{STACKED}, {threads}"], seconds[f"{way}, {threads}"], strict=True)
        ]
        for way in ways
        if way != STACKED
        for told, clock, threads in (("two threads", "wall", 2), ("one thread", "processor", 1))
    }
    medians = {way: statistics.median(taken) for way, taken in times.items()}
    shown = ", ".join(f"{median:.1f} ({way})" for way, median in medians.items())
    print(f"{name}: times as long as stacked: {shown}", flush=True)
    return {
        "case": name,
        "seconds": {way: [taken._asdict() for taken in each] for way, each in seconds.items()},
        "times_as_long": times,
        "medians": medians,
        "load_averages": load_averages,
    }


def whole(recipe: Recipe) -> dict[str, Any]:
    """Train all networks to the end with one thread, and compare time and estimates."""
    problem, found, seconds = Problem.of(recipe), dict[str, Found](), dict[str, dict[str, float]]()

    def train(name: str, way: Callable[..., Found], base: int) -> None:
        def kept(problem: Problem, base: int, runs: Sequence[int]) -> None:
            found[name] = way(problem, base, runs)

        seconds[name] = Way(problem, kept, RUNS, 1).seconds(base)._asdict()

    train("stacked", stacked, 0)
    train("tensors", tensors, 0)
    train("stacked again", stacked, 1)
    compared = {name: agreement(found["stacked"], found[name]) for name in ("tensors", "stacked again")}
    ratio = seconds["tensors"]["processor"] / seconds["stacked"]["processor"]
    print(f"to the end: {ratio:.1f} times as long; {compared}")
    return {"seconds": seconds, "times_as_long": ratio, "agreement": compared, "load_average": os.getloadavg()[0]}


def main() -> None:
    """Compare all cases and write the raw numbers beside this file."""
    result: dict[str, Any] = {
        "runs": RUNS,
        "samples": SAMPLES,
        "share": SHARE,
        "epochs_timed": EPOCHS,
        "repetitions": REPETITIONS,
        "plain_runs_timed": PLAIN_RUNS,
        "cases": [],
    }
    for name, recipe in cases().items():
        result["cases"].append(compare(name, recipe))
        write_result("subset_trainings", result)
    result["whole"] = whole(next(iter(cases().values())))
    write_result("subset_trainings", result)


if __name__ == "__main__":
    main()
