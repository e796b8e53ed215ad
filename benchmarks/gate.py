"""How often a gate calls one more seed a change, and what share of intervals hold what they should.

    python benchmarks/gate.py [--gates 1000]

Retrainings of one recipe on both sides, simulated: 300 samples of two classes, each of its own difficulty, about
which runs differ alone (logistic noise) and together (one normal number a run, times the sample's load). `common` is
the scale of the latter: 0, 0.3, or 1, where it rules and a few runs stand out. For each number of runs and scale, the
share of gates with each outcome, and of intervals that hold the truth: 0 for the difference of accuracy and beyond
reseeding, for churn and negative flips what 4,000 single pairs of runs have. Written to `gate.json`.
"""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

import numpy as np
from _environment import write_result
from numpy.typing import NDArray

from reseed.instability import Limits, replacement, verdict

SAMPLES, PAIRS = 300, 4000
RUNS = ((1, 1), (3, 1), (5, 1), (10, 1), (1, 5), (5, 2), (3, 3), (5, 5))
COMMON = (0.0, 0.3, 1.0)


def drawn(generator: np.random.Generator, runs: tuple[int, int], common: float) -> list[NDArray[np.int64]]:
    """Return the answers of two sides, [run, sample] each."""
    base, load = generator.normal(1.5, 2, SAMPLES), generator.normal(0, 1, SAMPLES)
    noise = [
        generator.normal(0, common, (count, 1)) * load + generator.logistic(0, 0.5, (count, SAMPLES)) for count in runs
    ]
    return [(base + part > 0).astype(np.int64) for part in noise]


def simulated(runs: tuple[int, int], common: float, gates: int) -> dict[str, Any]:
    """Return the outcomes and the coverage of many gates."""
    generator = np.random.default_rng(0)
    pairs = np.array([drawn(generator, (1, 1), common) for _ in range(PAIRS)])[:, :, 0]
    churn, lost = float((pairs[:, 0] != pairs[:, 1]).mean()), float((pairs[:, 0] > pairs[:, 1]).mean())
    outcomes: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for _ in range(gates):
        old, new = drawn(generator, runs, common)
        found = replacement(old, new, np.ones(SAMPLES, np.int64))
        outcomes[verdict(found, Limits()).outcome] += 1
        assert found.correctness is not None
        truths = [
            ("churn", found.churn, churn),
            ("negative flips", found.correctness.negative_flips, lost),
            ("accuracy difference", found.correctness.difference, 0.0),
        ]
        if found.beyond is not None:
            truths.append(("beyond reseeding", found.beyond.beyond, 0.0))
        for name, estimate, truth in truths:
            held[name] += estimate.low <= truth <= estimate.high
    return {
        "runs": list(runs),
        "common": common,
        "outcomes": {name: count / gates for name, count in outcomes.items()},
        "coverage": {name: count / gates for name, count in held.items()},
    }


def main() -> None:
    """Simulate all cases and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--gates", type=int, default=1000)
    given = parser.parse_args()
    cases = [simulated(runs, common, given.gates) for common in COMMON for runs in RUNS]
    write_result("gate", {"gates": given.gates, "samples": SAMPLES, "cases": cases})


if __name__ == "__main__":
    main()
