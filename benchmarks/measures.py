"""Times label entropy, jitter and mode share together against two ways of computing them with numpy and scipy.

Fifty runs of a million samples in 150 classes (int16, 100 MB), on two kinds of data: `realistic`, where all runs agree
on 85 % of the samples and the others waver between two to four labels, and `worst`, where every label is uniformly
random. The peers compute the same three measures:

- loop: `numpy.unique` and `scipy.stats.entropy` for each sample, on the first 20,000 samples, scaled linearly to all;
- one-hot: `(labels[..., None] == classes).sum(axis=0)` in blocks of samples, so that it fits in memory, on the first
  100,000 samples, scaled linearly to all.

Prints the ratios and writes `measures.json` beside this file. Run it with `python benchmarks/measures.py`.
"""

import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import scipy.stats
from _environment import write_result

from reseed.instability import label_statistics

RUNS, SAMPLES, CLASSES = 50, 1_000_000, 150
LOOP_SAMPLES, ONE_HOT_SAMPLES, ONE_HOT_BLOCK = 20_000, 100_000, 500
REPETITIONS = {"reseed": 5, "loop": 3, "one-hot": 3}
Measures = tuple[np.ndarray, np.ndarray, np.ndarray]


def make_labels(kind: str) -> np.ndarray:
    """Draws labels [run, sample] of one of the two kinds."""
    rng = np.random.default_rng(20230719)
    if kind == "worst":
        return rng.integers(0, CLASSES, (RUNS, SAMPLES), dtype=np.int16)
    choices = rng.integers(0, CLASSES, (4, SAMPLES), dtype=np.int16)
    labels = np.repeat(choices[:1], RUNS, axis=0)
    wavering = np.flatnonzero(rng.random(SAMPLES) < 0.15)
    among = rng.integers(2, 5, len(wavering))
    stay = rng.random(len(wavering))
    for run in range(RUNS):
        pick = np.where(rng.random(len(wavering)) < stay, 0, rng.integers(0, among))
        labels[run, wavering] = choices[pick, wavering]
    return labels


def reseed_measures(labels: np.ndarray) -> Measures:
    """Computes the measures with reseed."""
    found = label_statistics(labels)
    return found.label_entropy, found.jitter, found.mode_share


def loop_measures(labels: np.ndarray) -> Measures:
    """Computes the measures sample by sample."""
    runs, samples = labels.shape
    entropy, jitter, share = np.empty(samples), np.empty(samples), np.empty(samples)
    for i in range(samples):
        counts = np.unique(labels[:, i], return_counts=True)[1]
        entropy[i] = scipy.stats.entropy(counts)
        jitter[i] = (runs * runs - (counts * counts).sum()) / (runs * (runs - 1))
        share[i] = counts.max() / runs
    return entropy, jitter, share


def one_hot_measures(labels: np.ndarray) -> Measures:
    """Computes the measures from one-hot labels, a block of samples at a time."""
    runs, samples = labels.shape
    entropy, jitter, share = np.empty(samples), np.empty(samples), np.empty(samples)
    classes = np.arange(CLASSES, dtype=labels.dtype)
    for start in range(0, samples, ONE_HOT_BLOCK):
        at = slice(start, start + ONE_HOT_BLOCK)
        counts = (labels[:, at, None] == classes).sum(axis=0)
        p = counts / runs
        entropy[at] = -np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=1)
        jitter[at] = (runs * runs - (counts * counts).sum(axis=1)) / (runs * (runs - 1))
        share[at] = counts.max(axis=1) / runs
    return entropy, jitter, share


def seconds(function: Callable[[np.ndarray], Measures], labels: np.ndarray, repetitions: int) -> list[float]:
    """Times a function on some labels, after a warm-up."""
    times = []
    function(labels[:, : labels.shape[1] // 10])  # warms up caches and the allocator
    for _ in range(repetitions):
        start = time.perf_counter()
        function(labels)
        times.append(time.perf_counter() - start)
    return times


def peak_megabytes(kind: str) -> float:
    """Measures the peak of memory that reseed allocates on top of the labels themselves."""
    labels = make_labels(kind)
    tracemalloc.start()
    reseed_measures(labels)
    return tracemalloc.get_traced_memory()[1] / 1e6


def compare(kind: str) -> dict[str, object]:
    """Times all three on one kind of data, after checking that they agree."""
    labels = make_labels(kind)
    for peer in (loop_measures, one_hot_measures):
        for ours, theirs in zip(reseed_measures(labels[:, :2000]), peer(labels[:, :2000]), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-12)
    times = {
        "reseed": seconds(reseed_measures, labels, REPETITIONS["reseed"]),
        "loop": seconds(loop_measures, labels[:, :LOOP_SAMPLES], REPETITIONS["loop"]),
        "one-hot": seconds(one_hot_measures, labels[:, :ONE_HOT_SAMPLES], REPETITIONS["one-hot"]),
    }
    scale = {"reseed": 1.0, "loop": SAMPLES / LOOP_SAMPLES, "one-hot": SAMPLES / ONE_HOT_SAMPLES}
    full = {name: statistics.median(times[name]) * scale[name] for name in times}
    peak = float(
        subprocess.run([sys.executable, __file__, "peak", kind], check=True, capture_output=True, text=True).stdout
    )
    result: dict[str, object] = {
        "agreeing_samples": float((labels.min(axis=0) == labels.max(axis=0)).mean()),
        "measured_samples": {"reseed": SAMPLES, "loop": LOOP_SAMPLES, "one-hot": ONE_HOT_SAMPLES},
        "seconds": times,
        "seconds_for_all_samples": full,
        "ratio_to_loop": full["loop"] / full["reseed"],
        "ratio_to_one_hot": full["one-hot"] / full["reseed"],
        "input_megabytes": labels.nbytes / 1e6,
        "peak_megabytes_beside_input": peak,
        "peak_with_input_over_input": (peak * 1e6 + labels.nbytes) / labels.nbytes,
    }
    spread = {name: (max(some) - min(some)) / statistics.median(some) for name, some in times.items()}
    result["spread_over_median"] = spread
    print(f"{kind}: {result['agreeing_samples']:.1%} of {SAMPLES:,} samples agree in all {RUNS} runs")
    print(
        f"  reseed {full['reseed']:.3f} s (median of {REPETITIONS['reseed']}, spread {spread['reseed']:.0%}), "
        f"peak {peak:.0f} MB beside {labels.nbytes / 1e6:.0f} MB of labels"
    )
    print(
        f"  {result['ratio_to_loop']:.0f}x faster than the loop ({full['loop']:.1f} s, scaled from "
        f"{LOOP_SAMPLES:,} samples, spread {spread['loop']:.0%})"
    )
    print(
        f"  {result['ratio_to_one_hot']:.0f}x faster than one-hot ({full['one-hot']:.1f} s, scaled from "
        f"{ONE_HOT_SAMPLES:,} samples, spread {spread['one-hot']:.0%})"
    )
    return result


def main() -> None:
    """Runs the comparison, or in a subprocess the measurement of memory."""
    if sys.argv[1:2] == ["peak"]:
        print(peak_megabytes(sys.argv[2]))
        return
    report: dict[str, object] = {
        "work": {"runs": RUNS, "samples": SAMPLES, "classes": CLASSES, "dtype": "int16"},
        "measures": ["label entropy", "jitter", "mode share"],
        "repetitions": REPETITIONS,
        "data": {kind: compare(kind) for kind in ("realistic", "worst")},
    }
    write_result("measures", report)


if __name__ == "__main__":
    main()
