"""Confident outputs and retraining on images: MNIST and CIFAR-10 under the losses of Pereyra et al. 2017, in small.

    python benchmarks/six_tasks/images.py --out studies

trains, for each data set, the control, a second control with other seeds (the null) and each method with `reseed
mitigate`, and writes `mnist.json` and `cifar10.json` beside this file: the environment, the setting, and
`comparison.json` as it is. An interrupted call continues.

MNIST has the paper's network, two hidden layers of 1024 ReLU units, and its constant rate of 0.05, also for dropout,
which had one of its own there; momentum, batch size and number of epochs, which the paper does not give, are this
file's. 55,000 training images are learned, drawn class by class; the 5,000 left over are the validation images, which
nothing here reads. Small initial weights are a method of their own, alone and with a loss: `init-scale:factor=0.3`
makes their standard deviation 0.006, where torch's default is 0.02 and the paper's 0.01.

CIFAR-10 has a residual network of 8 layers on 10,000 of the training images, without augmentation; its rate and batch
size were chosen on held-out training images. Both data sets are evaluated on all 10,000 test images. Their classes are
(nearly) equally frequent, so that smoothing to frequencies would be smoothing to uniform. No strength is chosen: all of
them are reported.

References:
    Pereyra et al., "Regularizing Neural Networks by Penalizing Confident Output Distributions", ICLR workshop 2017.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import reseed

sys.path.insert(0, str(Path(__file__).parents[1]))
from _environment import write_comparison


@dataclass(frozen=True)
class Task:
    """What is trained on a data set: the model, its recipe by dotted field name, and the methods."""

    model: str
    changes: Mapping[str, Any]
    methods: tuple[str, ...]
    runs: int


TASKS = {
    "mnist": Task(
        "mlp",
        {
            "data.limit": 55_000,
            "model.hidden": [1024, 1024],
            "optimizer.lr": 0.05,
            "optimizer.momentum": 0.9,
            "batch_size": 128,
            "epochs": 4,
        },
        (
            "label-smoothing",
            "label-smoothing:epsilon=0.3",
            "confidence-penalty:beta=0.1",
            "confidence-penalty:beta=0.3",
            "confidence-penalty:beta=1",
            "dropout:p=0.5",
            "init-scale:factor=0.3",
            "init-scale:factor=0.3+label-smoothing",
            "init-scale:factor=0.3+confidence-penalty:beta=1",
        ),
        runs=5,
    ),
    "cifar10": Task(
        "resnet",
        {"data.limit": 10_000, "augment": "none", "optimizer.lr": 0.05, "batch_size": 32, "epochs": 4},
        (
            "label-smoothing",
            "confidence-penalty:beta=0.1",
            "confidence-penalty:beta=0.5",
            "confidence-penalty:beta=1",
        ),
        runs=5,
    ),
}


def compare(name: str, task: Task, out: Path, runs: int, data: Path | None = None) -> None:
    """Trains and compares on a data set, by its name or a file, and writes the raw numbers beside this file."""
    recipe = reseed.recipe_for(str(data or name), task.model, changes=task.changes)
    found = reseed.mitigate(recipe=recipe, methods=task.methods, runs=runs, out=out)
    setting = {"model": task.model, **task.changes}
    write_comparison(Path(__file__).with_name(f"{name}.json"), found, setting=setting, dataset=name)


def main() -> None:
    """Trains and compares on both data sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the folder of all studies")
    parser.add_argument("--data", nargs="*", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--runs", type=int, help="trainings of each method, where others than the committed files have")
    given = parser.parse_args()
    for name in given.data:
        compare(name, TASKS[name], given.out / name, given.runs or TASKS[name].runs)


if __name__ == "__main__":
    main()
