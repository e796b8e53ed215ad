"""Times Rashomon capacity against a loop over samples of the Blahut-Arimoto iteration in numpy.

Fifty models, 10,000 samples, ten classes, in double precision, of two kinds: `classifier`, where models share strong
scores of each sample and add their own to them, and `dirichlet`, where every distribution is uniformly random. Both
stop where the duality gap max_m KL(p_m || q) - C is at most 1e-9 bits. The loop runs on the first samples only and is
scaled linearly to all; on these samples the two must agree to 1e-6. Times are processor time of all threads, in
turns, because it varies less than wall time on a machine that has other work.

Prints the ratios and writes `capacity.json` beside this file. Run it with `python benchmarks/capacity.py`.
"""

import statistics
import time

import numpy as np
from _environment import write_result

from reseed.instability import rashomon_capacity

MODELS, SAMPLES, CLASSES = 50, 10_000, 10
TOLERANCE = 1e-9
LOOP_SAMPLES, LOOP_ITERATIONS = 50, 100_000
REPETITIONS = 3


def make_probabilities(kind: str) -> np.ndarray:
    """Draws probabilities [model, sample, class] of one of the two kinds."""
    rng = np.random.default_rng(20220601)
    if kind == "dirichlet":
        return rng.dirichlet(np.ones(CLASSES), (MODELS, SAMPLES))
    scores = 3 * rng.standard_normal((1, SAMPLES, CLASSES)) + rng.standard_normal((MODELS, SAMPLES, CLASSES))
    weights = np.exp(scores - scores.max(axis=2, keepdims=True))
    return weights / weights.sum(axis=2, keepdims=True)


def blahut_arimoto(p: np.ndarray) -> tuple[float, int]:
    """Returns one sample's capacity in bits and the iterations it took; no probability may be 0."""
    weights = np.full(len(p), 1 / len(p))
    logs = np.log2(p)
    own = (p * logs).sum(axis=1)
    iteration = 0
    while iteration < LOOP_ITERATIONS:
        iteration += 1
        divergence = own - p @ np.log2(weights @ p)
        capacity = weights @ divergence
        if divergence.max() - capacity <= TOLERANCE:
            break
        weights *= np.exp2(divergence - divergence.max())
        weights /= weights.sum()
    return float(capacity), iteration


def compare(kind: str) -> dict[str, object]:
    """Times both on one kind of data."""
    probabilities = make_probabilities(kind)
    values = rashomon_capacity(probabilities, tolerance=TOLERANCE)
    times: dict[str, list[float]] = {"reseed": [], "loop": []}
    for _ in range(REPETITIONS):
        start = time.process_time()
        rashomon_capacity(probabilities, tolerance=TOLERANCE)
        times["reseed"].append(time.process_time() - start)
        start = time.process_time()
        found = [blahut_arimoto(probabilities[:, i]) for i in range(LOOP_SAMPLES)]
        times["loop"].append(time.process_time() - start)
    difference = float(np.abs(np.array([value for value, _ in found]) - values[:LOOP_SAMPLES]).max())
    assert difference <= 1e-6, difference
    iterations = [count for _, count in found]
    full = {
        "reseed": statistics.median(times["reseed"]),
        "loop": statistics.median(times["loop"]) * SAMPLES / LOOP_SAMPLES,
    }
    spread = {name: (max(some) - min(some)) / statistics.median(some) for name, some in times.items()}
    given_up = sum(count == LOOP_ITERATIONS for count in iterations)
    print(f"{kind}: {MODELS} models x {SAMPLES:,} samples x {CLASSES} classes, gap {TOLERANCE} bits")
    print(f"  reseed {full['reseed']:.2f} s of processor time (median of {REPETITIONS}, spread {spread['reseed']:.0%})")
    print(
        f"  {full['loop'] / full['reseed']:.0f}x faster than the loop ({full['loop']:.0f} s, scaled from "
        f"{LOOP_SAMPLES} samples, spread {spread['loop']:.0%}; median {statistics.median(iterations):.0f} iterations, "
        f"{given_up} samples given up after {LOOP_ITERATIONS:,})"
    )
    print(f"  largest difference {difference:.1e} bits")
    return {
        "seconds": times,
        "seconds_for_all_samples": full,
        "spread_over_median": spread,
        "ratio_to_loop": full["loop"] / full["reseed"],
        "loop_iterations": iterations,
        "loop_samples_given_up": given_up,
        "largest_difference_bits": difference,
    }


def main() -> None:
    """Runs the comparison."""
    report: dict[str, object] = {
        "work": {"models": MODELS, "samples": SAMPLES, "classes": CLASSES, "dtype": "float64", "gap_bits": TOLERANCE},
        "measured_samples": {"reseed": SAMPLES, "loop": LOOP_SAMPLES},
        "clock": "processor time of all threads",
        "repetitions": REPETITIONS,
        "data": {kind: compare(kind) for kind in ("classifier", "dirichlet")},
    }
    write_result("capacity", report)


if __name__ == "__main__":
    main()
