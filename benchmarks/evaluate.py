"""Measures what `reseed.instability.evaluate` takes on studies that are read in blocks, beside all in one piece.

Studies of made-up predictions of a million samples in 10 classes, recorded at one checkpoint: labels of 50 and of 200
runs, and labels and scores of 50. Every measurement is a fresh process that opens the study first; the peak is that of
resident memory above what the open study takes. The peer is what one would write with numpy and scipy for the same
study: labels of all runs stacked as [run, sample], counts of each class, `scipy.stats.entropy` on them, jitter, mode
share, the unstable samples, and the jackknife over runs of mean label entropy; scores as mean and deviation of the
stacked array. It makes fewer numbers than `evaluate`: no jackknife of the other two means, no pairs of labels, no
rarefaction, no distribution of answers. What both make must agree to 1e-9.

Prints medians and writes `evaluate.json` beside this file. Run it with `python benchmarks/evaluate.py`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
from _cost_model import Size
from _environment import write_result
from scale import make_study

from reseed.instability import evaluate
from reseed.studies import Study
from reseed.studies._cost import peak_resident as peak

SIZES = [
    Size(50, 1, 1_000_000, 10, "labels"),
    Size(50, 1, 1_000_000, 10, "scores"),
    Size(200, 1, 1_000_000, 10, "labels"),
]
STACKED_RUNS = 50  # the peer is measured up to here
REPETITIONS = 3
COMPARED = ("label_entropy_mean", "label_entropy_error", "jitter", "unstable_fraction", "mode_share", "confidence_std")


def blocks(study: Study) -> dict[str, float]:
    """Return some of the numbers that `evaluate` makes."""
    found = evaluate(study)
    low, high = found.summary["label_entropy_ci95"]
    return {
        **{name: found.summary[name] for name in ("label_entropy_mean", "jitter", "unstable_fraction")},
        "label_entropy_error": (high - low) / 2,
        "mode_share": float(found.samples["mode_share"].to_numpy().mean()),
        "confidence_std": float(found.samples["confidence_std"].to_numpy().mean()),
    }


def stacked(study: Study) -> dict[str, float]:
    """Return the same numbers from all runs at once."""
    import scipy.stats

    labels = study.labels.isel(checkpoint=-1).to_numpy()
    runs, samples = labels.shape
    counts = np.stack([(labels == label).sum(axis=0) for label in range(len(study.header.class_names))])
    entropy = scipy.stats.entropy(counts, axis=0)
    without, every = np.empty(runs), np.arange(samples)
    for run in range(runs):
        counts[labels[run], every] -= 1
        without[run] = scipy.stats.entropy(counts, axis=0).mean()
        counts[labels[run], every] += 1
    variance = (runs - 1) / runs * ((without - without.mean()) ** 2).sum() + entropy.var() / samples
    jitter = (runs * runs - (counts * counts).sum(axis=0)) / (runs * (runs - 1))
    found = {
        "label_entropy_mean": float(entropy.mean()),
        "label_entropy_error": float(scipy.stats.t.ppf(0.975, runs - 1) * np.sqrt(variance)),
        "jitter": float(jitter.mean()),
        "unstable_fraction": float((labels != labels[0]).any(axis=0).mean()),
        "mode_share": float((counts.max(axis=0) / runs).mean()),
        "confidence_std": float("nan"),
    }
    for name in ("confidence", "own_probability", "margin"):
        if name in study.recorded_names():
            scores = study.recorded(name).isel(checkpoint=-1).to_numpy()
            scores.mean(axis=0, dtype=np.float64)
            found[f"{name}_std"] = float(scores.std(axis=0, dtype=np.float64).mean())
    return found


def look(way: str, folder: str) -> None:
    """Open a study and measure it in one of the two ways; print seconds, peaks and numbers as JSON."""
    import pyarrow.parquet  # noqa: F401
    import scipy.stats  # noqa: F401
    import xarray  # noqa: F401
    import zarr  # noqa: F401

    base = peak()
    study = Study.open(folder)
    opened = peak()
    wall, processor = time.perf_counter(), time.process_time()
    numbers = {"blocks": blocks, "stacked": stacked}[way](study)
    taken = {"wall_s": time.perf_counter() - wall, "processor_s": time.process_time() - processor}
    print(json.dumps({**taken, "open_bytes": opened - base, "bytes": peak() - opened, "numbers": numbers}))


def compare(size: Size) -> dict[str, object]:
    """Measure one study in both ways, in turns."""
    ways = ("blocks", "stacked") if size.runs <= STACKED_RUNS else ("blocks",)
    rounds: dict[str, list[dict[str, object]]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory() as folder:
        make_study(Path(folder), size)
        for _ in range(REPETITIONS):
            for way in ways:
                words = [sys.executable, __file__, "look", way, folder]
                done = subprocess.run(words, capture_output=True, text=True, check=True)
                rounds[way].append(json.loads(done.stdout.splitlines()[-1]))
    numbers = [rounds[way][0].pop("numbers") for way in ways]
    for some in numbers[1:]:
        np.testing.assert_allclose(
            [some[name] for name in COMPARED], [numbers[0][name] for name in COMPARED], atol=1e-9
        )
    for way in ways:
        for one in rounds[way]:
            one.pop("numbers", None)
    keys = ("wall_s", "processor_s", "open_bytes", "bytes")
    median = {way: {key: statistics.median(one[key] for one in rounds[way]) for key in keys} for way in ways}
    for way in ways:
        values = median[way]
        print(
            f"{size}, {way}: {values['processor_s']:.1f} s of processor time, {values['wall_s']:.1f} s, "
            f"{values['bytes'] / 1e6:.0f} MB above the {values['open_bytes'] / 1e6:.0f} MB of the open study"
        )
    return {
        "size": asdict(size),
        "rounds": rounds,
        "median": median,
        "numbers": {name: value for name, value in numbers[0].items() if value == value},
    }


def main() -> None:
    """Measure all studies and write the raw numbers beside this file."""
    load = os.getloadavg()[0]
    result = {
        "repetitions": REPETITIONS,
        "clock": "wall time, and processor time of all threads, which other work on the machine changes less",
        "load_average_at_the_start": load,
        "studies": [compare(size) for size in SIZES],
    }
    write_result("evaluate", result)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["look", way, folder]:
            look(way, folder)
        case _:
            main()
