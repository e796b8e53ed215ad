"""Prints the table "how many runs" of `numbers.md` from a study that is already there.

    reseed measure digits --runs 50 --out digits-50
    python docs/_scripts/how_many_runs.py digits-50

The unstable fraction of R runs is rarefied, which is exact. Everything else is the median over 200 random subsets of
R runs, drawn without replacement; at R = all runs there is one subset. Half widths of 95 % intervals are measured
upwards, because downwards intervals are cut off at 0.
"""

import sys

import numpy as np

import reseed
from reseed.instability import estimate, flip_probability_upper_bound, rarefaction

RUNS = (2, 5, 10, 20, 50)
SUBSETS = 200


def typical(labels: np.ndarray, runs: int, statistic: str) -> str:
    """Returns value, two-way half width and the half width of runs alone: medians over subsets of so many runs."""
    generator = np.random.default_rng(0)
    rows = []
    for _ in range(SUBSETS if runs < len(labels) else 1):
        chosen = labels[generator.choice(len(labels), runs, replace=False)]
        both, alone = (estimate(chosen, statistic, method) for method in ("two-way", "jackknife"))
        rows.append((both.value, both.high - both.value, alone.high - alone.value))
    return "{:.4f} ± {:.4f} (± {:.4f})".format(*np.median(rows, axis=0))


def main(folder: str) -> None:
    """Prints the table in Markdown."""
    labels = reseed.Study.open(folder).final("labels").astype(np.int64)
    sizes = [runs for runs in RUNS if runs <= len(labels)]
    curve = rarefaction(labels, sizes).unstable_fraction
    print("| runs | unstable samples | zero flips leave | jitter | label entropy, nats |")
    print("|---|---|---|---|---|")
    for runs, unstable in zip(sizes, curve.tolist(), strict=True):
        means = [typical(labels, runs, name) if runs > 2 else "-" for name in ("jitter", "label_entropy")]
        print(f"| {runs} | {unstable:.1%} | ≤ {flip_probability_upper_bound(runs):.3f} | {' | '.join(means)} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
