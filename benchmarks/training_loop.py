"""The training loop against a hand-written PyTorch loop of the same recipe, as a ratio in one run.

The hand-written loop is what a practitioner types: a module, an optimiser, `randperm`, index, forward, backward, step.
Both sides train the same layers on the same data for the same number of steps, alternating, in one process with one
thread. reseed asks torch for its fused optimisers, the hand-written loop takes torch's defaults. Data loading, the
study, and recording are outside the clock; where a recipe has dropout, the hand-written loop uses torch's own.

    python benchmarks/training_loop.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from _environment import write_result
from torch import nn

from reseed.data import DataConfig, load
from reseed.models import architecture
from reseed.training import Recipe, SeedPlan, Training, TrainingSet, default_recipe

REPETITIONS = 9


def recipes() -> dict[str, Recipe]:
    """Name the compared recipes; `mnist` is read from the folder in RESEED_DATA."""
    digits = default_recipe("mlp")
    return {
        "digits mlp": digits,
        "digits mlp, dropout 0.1": replace(digits, model=replace(digits.model, dropout=0.1)),
        "digits mlp, adam, cosine": replace(
            digits,
            optimizer=replace(digits.optimizer, name="adam", lr=1e-3),
            schedule=replace(digits.schedule, name="cosine"),
        ),
        "mnist cnn, 60 steps": replace(default_recipe("cnn", DataConfig("mnist")), steps=60),
    }


def hand_written(recipe: Recipe, data: TrainingSet) -> None:
    """Train with a plain loop."""
    torch.manual_seed(0)
    model = architecture(recipe.model).build(data.input_shape, data.num_classes)
    if recipe.optimizer.name == "sgd":
        optimizer: torch.optim.Optimizer = torch.optim.SGD(
            model.parameters(), recipe.optimizer.lr, momentum=recipe.optimizer.momentum
        )
    else:
        optimizer = torch.optim.Adam(model.parameters(), recipe.optimizer.lr)
    total = Training(recipe, architecture(recipe.model), data, SeedPlan().seeds(0)).total_steps
    scheduler = (
        torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total) if recipe.schedule.name == "cosine" else None
    )
    done = 0
    while done < total:
        order = torch.randperm(len(data.labels))
        for start in range(0, len(order), recipe.batch_size):
            rows = order[start : start + recipe.batch_size]
            loss = nn.functional.cross_entropy(model(data.inputs[rows]), data.labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            done += 1
            if done == total:
                return


def reseed_loop(recipe: Recipe, data: TrainingSet) -> None:
    """Train with reseed's loop."""
    for _ in Training(recipe, architecture(recipe.model), data, SeedPlan().seeds(0)).steps():
        pass


def seconds(function: Callable[[Recipe, TrainingSet], None], recipe: Recipe, data: TrainingSet) -> float:
    """Time one training."""
    start = time.perf_counter()
    function(recipe, data)
    return time.perf_counter() - start


def compare(name: str, recipe: Recipe) -> dict[str, object]:
    """Time both loops alternately and return their medians and the ratio of each pair."""
    splits = load(recipe.data)
    prepared = architecture(recipe.model).prepare(splits, None, print)
    data = TrainingSet(prepared.train, splits.train.labels, splits.train.num_classes)
    seconds(hand_written, recipe, data)
    seconds(reseed_loop, recipe, data)
    pairs = [(seconds(reseed_loop, recipe, data), seconds(hand_written, recipe, data)) for _ in range(REPETITIONS)]
    ratios = [ours / theirs for ours, theirs in pairs]
    result = {
        "recipe": name,
        "reseed_s": [ours for ours, _ in pairs],
        "hand_written_s": [theirs for _, theirs in pairs],
        "ratio_median": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
    }
    print(f"{name:28s} {result['ratio_median']:.3f}x the hand-written loop ({min(ratios):.3f} to {max(ratios):.3f})")
    return result


def main() -> None:
    """Compare all recipes and write the raw numbers beside this file."""
    torch.set_num_threads(1)
    write_result("training_loop", {"repetitions": REPETITIONS, "cases": [compare(*case) for case in recipes().items()]})


if __name__ == "__main__":
    main()
