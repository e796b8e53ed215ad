"""What arithmetic alone does to predictions, and what it costs: equal seeds, another way to compute.

Each way trains the same runs of the same seeds. Its churn against the reference (one run at a time, one thread, single
precision) is the mean share of evaluation samples on which the two trainings of one seed disagree; beside it stands the
churn between seeds of the reference. Times are those of whole studies, probe and recording of the last step included,
as ratios to the reference. `clinc150` and `mnist` are read from the folder in RESEED_DATA.

    python benchmarks/arithmetic.py                 # on the CPU
    python benchmarks/arithmetic.py --device cuda   # also: does a GPU that adds in no fixed order change answers?
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from _environment import write_result

from reseed.data import DataConfig
from reseed.instability import churn, jitter
from reseed.studies import train_study
from reseed.training import Recipe, RecordConfig, default_recipe

RUNS = 6


def cases() -> dict[str, Recipe]:
    """Name the recipes."""
    return {
        "digits mlp": default_recipe("mlp"),
        "clinc150 tf-idf head, 3 epochs": replace(default_recipe("text-tfidf", DataConfig("clinc150")), epochs=3),
        "mnist cnn, 60 steps": replace(default_recipe("cnn", DataConfig("mnist")), steps=60),
    }


def ways(recipe: Recipe, device: str) -> dict[str, tuple[Recipe, dict[str, object]]]:
    """Name the ways to compute, the reference first."""
    mixed = replace(recipe, precision="bfloat16")
    serial: dict[str, object] = {"engine": "serial", "threads": 1, "device": device}
    named: dict[str, tuple[Recipe, dict[str, object]]] = {
        "reference": (recipe, serial),
        "again": (recipe, serial),
        "stacked": (recipe, serial | {"engine": "stacked"}),
        "bfloat16": (mixed, serial),
        "bfloat16, stacked": (mixed, serial | {"engine": "stacked"}),
    }
    if device == "cpu":
        named["two threads"] = (recipe, serial | {"threads": 2})
    else:
        named["deterministic"] = (recipe, serial | {"deterministic": True})
        named["deterministic, again"] = (recipe, serial | {"deterministic": True})
        named["on the CPU"] = (recipe, serial | {"device": "cpu"})
    return named


def compare(name: str, recipe: Recipe, device: str) -> dict[str, object]:
    """Train all ways and compare their answers."""
    labels: dict[str, np.ndarray] = {}
    seconds: dict[str, float] = {}
    accuracy: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for way, (changed, options) in ways(recipe, device).items():
            start = time.perf_counter()
            study = train_study(
                changed,
                Path(folder) / way.replace(" ", "-"),
                runs=RUNS,
                record=RecordConfig("final", level="labels"),
                probe=False,  # a GPU may fail it, which is what is measured here
                **options,  # type: ignore[arg-type]
            )
            seconds[way] = time.perf_counter() - start
            labels[way] = study.final("labels").astype("int64")
            accuracy[way] = float((labels[way] == study.targets).mean())
    reference = labels["reference"]
    rows = {}
    for way, found in labels.items():
        each = np.array([churn(one, other) for one, other in zip(reference, found, strict=True)])
        rows[way] = {
            "churn_mean": float(each.mean()),
            "churn_per_run": each.tolist(),
            "jitter": float(jitter(found).mean()),
            "accuracy": accuracy[way],
            "time_ratio": seconds[way] / seconds["reference"],
        }
        print(
            f"{name:32s} {way:18s} churn {each.mean():.5f} (largest {each.max():.5f}), between seeds "
            f"{rows[way]['jitter']:.4f}, accuracy {accuracy[way]:.4f}, time {rows[way]['time_ratio']:.2f}x"
        )
    return {"case": name, "samples": reference.shape[1], "runs": RUNS, "seconds": seconds, "ways": rows}


def main() -> None:
    """Compare all cases and write the raw numbers beside this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", default="cpu")
    device = parser.parse_args().device
    results = [compare(name, recipe, device) for name, recipe in cases().items()]
    name = "arithmetic" if device == "cpu" else f"arithmetic-{device.replace(':', '-')}"
    write_result(name, {"device": device, "cases": results})


if __name__ == "__main__":
    main()
