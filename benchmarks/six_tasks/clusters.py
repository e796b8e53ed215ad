"""Confident outputs and retraining where classes overlap and samples are few: made-up clusters.

    python benchmarks/six_tasks/clusters.py --out studies

draws ten Gaussian classes in 30 dimensions, their centres on a sphere of radius 3, of which 600 points are learned and
2,000 are evaluated, trains two hidden layers of 128 units (Adam at 1e-3, batches of 64, 30 epochs) under each loss with
usual and with small initial weights, and writes `clusters.json` beside this file: the environment, the setting, and
`comparison.json` as it is. An interrupted call continues.
"""

import argparse
from pathlib import Path

import numpy as np
from images import Task, compare

CLASSES, DIMENSIONS, RADIUS = 10, 30, 3.0
TRAIN, EVALUATED = 600, 2000
TASK = Task(
    "mlp",
    {
        "data.eval_fraction": EVALUATED / (TRAIN + EVALUATED),
        "model.hidden": [128, 128],
        "optimizer.name": "adam",
        "optimizer.lr": 1e-3,
        "batch_size": 64,
        "epochs": 30,
    },
    (
        "label-smoothing",
        "label-smoothing:epsilon=0.3",
        "confidence-penalty:beta=0.1",
        "confidence-penalty:beta=0.3",
        "confidence-penalty:beta=1",
        "init-scale:factor=0.3",
        "init-scale:factor=0.3+label-smoothing",
        "init-scale:factor=0.3+confidence-penalty:beta=1",
    ),
    runs=30,
)


def write_clusters(path: Path) -> None:
    """Draws the points and writes them as a table."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(CLASSES, DIMENSIONS))
    centres *= RADIUS / np.linalg.norm(centres, axis=1, keepdims=True)
    labels = np.arange(TRAIN + EVALUATED) % CLASSES
    points = centres[labels] + random.normal(size=(len(labels), DIMENSIONS))
    np.savez(path, x=points.astype(np.float32), y=labels)


def main() -> None:
    """Trains and compares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the folder of all studies")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / "clusters.npz"
    write_clusters(path)
    compare("clusters", TASK, given.out / "clusters", TASK.runs, path)


if __name__ == "__main__":
    main()
