"""Ideas for steadier answers that no method of reseed is made of: what each adds to recipes that are.

    RESEED_DATA=... python benchmarks/ideas.py --encoder sentence-transformers/all-MiniLM-L6-v2 --out answers

trains heads on frozen features of a text encoder by the default recipe of `text-encoder`, and looks at the *validation*
split. Each idea is added to a recipe of reseed's own methods (its base), which is trained as well, beside the control
and a second control with other seeds. An interrupted call continues.

- branches: four networks that go on from the same weights after half of the epochs, with batch orders and dropout of
  their own; their averaged weights are averaged once more, as they are or with hidden units matched to those of the
  first branch;
- shadow heads: four further last layers, each trained on a bootstrap of the data; the variance of their probabilities
  is added to the loss, times a strength (bootstrap-consistency regularisation);
- mirrored orders: each epoch is followed by one whose samples come in reverse;
- larger batches: four times as large in the last third of the epochs;
- shared orders: all runs see the same batches;
- ridge targets: half of each target is what a ridge regression on the features says, as probabilities;
- teachers (self-distillation): half of each target is what a trained network of the base's recipe says, its
  probabilities raised to a power; each run has its own teacher, or all have the same.

Written to `ideas.json`: by how many percent label entropy falls and how much accuracy rises, against the control and
against the base, with intervals over runs and samples; and what a training costs in passes over the training set, where
what passes through a part of the network counts by that part's share of the weights.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _environment import write_result
from _ideas_training import HEADS, LARGER, LATE, RIDGE_STRENGTH, TAUGHT, Idea, Task, cost, logits, trained
from numpy.typing import NDArray

import reseed
from reseed.data import load
from reseed.instability import accuracy_difference, estimate, label_entropy_reduction
from reseed.mitigations import Ema, InitScale, LabelSmoothing
from reseed.models import architecture
from reseed.statistics import Estimate

CONTROL = Idea("control")
FIXED = Idea("fixed-init+ema", decay=Ema().decay, fixed_init=True)
SMOOTHED = (
    Idea(
        "ema+init-scale+label-smoothing",
        decay=Ema().decay,
        init_scale=InitScale().factor,
        smoothing=LabelSmoothing().epsilon,
    ),
    replace(FIXED, name="fixed-init+ema+label-smoothing", smoothing=LabelSmoothing().epsilon),
)
IDEAS = (
    CONTROL,
    Idea("second control", seed=1),
    *SMOOTHED,
    FIXED,
    SMOOTHED[1].plus("branches", branches=4, parted=0.5),
    SMOOTHED[1].plus("matched branches", branches=4, parted=0.5, matched=True),
    *(SMOOTHED[0].plus(f"shadow heads, strength {strength}", consistency=strength) for strength in (1, 10)),
    *(base.plus("mirrored orders", order="mirrored") for base in SMOOTHED),
    *(base.plus("larger batches", larger_batches=True) for base in SMOOTHED),
    SMOOTHED[1].plus("shared orders", order="shared"),
    FIXED.plus("ridge targets", teacher="ridge", exponent=10.0),
    FIXED.plus("own teachers, exponent 1", teacher="own"),
    FIXED.plus("own teachers, exponent 2", teacher="own", exponent=2.0),
    FIXED.plus("shared teacher, exponent 2", teacher="shared", exponent=2.0),
)


def task_of(data: str, encoder: str, cache: Path) -> Task:
    """Return the features of the training and the validation split of a data set, and the control's recipe."""
    config = reseed.DataConfig(data, eval_split="validation")
    recipe = reseed.recipe_for(config, "text-encoder", changes={"model.encoder": encoder})
    splits = load(config)
    prepared = architecture(recipe.model).prepare(splits, cache, print)
    return Task(
        train=prepared.train,
        labels=splits.train.labels,
        evaluation=prepared.evaluation,
        targets=splits.evaluation.labels.numpy(),
        classes=splits.train.num_classes,
        recipe=recipe,
    )


def answers(idea: Idea, task: Task, run: int, folder: Path) -> NDArray[np.int64]:
    """Return the labels of a run [sample]: those that are in a folder already, or of a training."""
    path = folder / f"{idea.name.replace(', ', '_').replace(' ', '-')}.{run}.npy"
    if not path.exists():
        np.save(path, logits(trained(idea, task, run), task.evaluation).argmax(-1).numpy())
        print(path.stem, flush=True)
    return np.load(path)


def row_of(idea: Idea, found: Mapping[Idea, NDArray[np.int64]], task: Task) -> dict[str, Any]:
    """Return what an idea does to label entropy and accuracy, and what it costs."""
    labels = found[idea]
    row: dict[str, Any] = {"name": idea.name, "base": idea.base and idea.base.name, "options": idea.options()}
    row |= told("label_entropy", estimate(labels, "label_entropy", "two-way"))
    row["accuracy"] = float((labels == task.targets).mean())
    for prefix, other in (("", CONTROL), ("base_", idea.base)):
        if other is not None and idea is not CONTROL:
            row |= told(f"{prefix}reduction", label_entropy_reduction(labels, found[other]))
            row |= told(f"{prefix}accuracy_difference", accuracy_difference(labels, found[other], task.targets))
    return row | {"cost_training": cost(idea, task), "cost_inference": 1.0}


def told(name: str, found: Estimate) -> dict[str, Any]:
    """Return an estimate as a comparison's JSON has it."""
    return {name: found.value, f"{name}_ci95": [found.low, found.high]}


def main() -> None:
    """Try every idea, and write the raw numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--called", help="the encoder's name in the JSON, where a folder's name does not tell it")
    parser.add_argument("--out", type=Path, required=True, help="a folder for features and answers")
    parser.add_argument("--data", default="massive")
    parser.add_argument("--runs", type=int, default=10)
    given = parser.parse_args()
    torch.set_num_threads(1)
    folder = given.out / given.data
    folder.mkdir(parents=True, exist_ok=True)
    task = task_of(given.data, given.encoder, given.out)
    labels = [{idea: answers(idea, task, run, folder) for idea in IDEAS} for run in range(given.runs)]
    found = {idea: np.stack([of_run[idea] for of_run in labels]) for idea in IDEAS}
    rows = [row_of(idea, found, task) for idea in IDEAS]
    facts = {
        "encoder": given.called or Path(given.encoder).name,
        "dataset": given.data,
        "split": "validation",
        "runs": given.runs,
        "samples": len(task.targets),
        "heads": HEADS,
        "late": LATE,
        "larger": LARGER,
        "ridge_strength": RIDGE_STRENGTH,
        "taught": TAUGHT,
    }
    write_result("ideas", {**facts, "methods": rows})


if __name__ == "__main__":
    main()
