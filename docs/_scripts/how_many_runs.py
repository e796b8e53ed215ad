"""Prints the table "how many runs" of `numbers.md` from a study that is already there.

    reseed measure digits --runs 50 --out digits-50
    python docs/_scripts/how_many_runs.py digits-50

The unstable fraction of R runs is rarefied, which is exact. Everything else is the median over 200 random subsets of
R runs, drawn without replacement; at R = all runs there is one subset.
"""

import sys
from typing import Any

import numpy as np

import reseed
from reseed.instability import estimate, flip_probability_upper_bound, rarefaction

RUNS = (2, 5, 10, 20, 50)
SUBSETS = 200
STATISTICS = ("jitter", "label_entropy")


def typical(labels: np.ndarray, runs: int, statistic: str) -> tuple[float, ...]:
    """Returns value, two-way half width and the half width of runs alone: medians over subsets of so many runs."""
    generator = np.random.default_rng(0)
    rows = []
    for _ in range(SUBSETS if runs < len(labels) else 1):
        chosen = labels[generator.choice(len(labels), runs, replace=False)]
        both, alone = (estimate(chosen, statistic, method) for method in ("two-way", "jackknife"))
        rows.append((both.value, (both.high - both.low) / 2, (alone.high - alone.low) / 2))
    return tuple(np.median(rows, axis=0).tolist())


def curve(labels: np.ndarray) -> list[dict[str, Any]]:
    """Returns what each number of runs tells; jitter and label entropy from three runs on."""
    sizes = [runs for runs in RUNS if runs <= len(labels)]
    unstable = rarefaction(labels, sizes).unstable_fraction.tolist()
    return [
        {
            "runs": runs,
            "unstable_fraction": fraction,
            "flip_upper_bound": float(flip_probability_upper_bound(runs)),
            **({name: typical(labels, runs, name) for name in STATISTICS} if runs > 2 else {}),
        }
        for runs, fraction in zip(sizes, unstable, strict=True)
    ]


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Returns the table in Markdown, line by line."""
    lines = ["| runs | unstable samples | zero flips leave | jitter | label entropy, nats |", "|---|---|---|---|---|"]
    for row in rows:
        cells = ["{:.4f} ± {:.4f} (± {:.4f})".format(*row[name]) if name in row else "-" for name in STATISTICS]
        bound = f"≤ {row['flip_upper_bound']:.3f}"
        lines.append(f"| {row['runs']} | {row['unstable_fraction']:.1%} | {bound} | {' | '.join(cells)} |")
    return lines


def flip_bounds(*sizes: int) -> list[str]:
    """Returns the table of what so many runs without a flip leave possible."""
    bounds = (f"{flip_probability_upper_bound(runs):.3f}" for runs in sizes)
    return [
        f"| runs without a flip | {' | '.join(map(str, sizes))} |",
        "|---|" + "---|" * len(sizes),
        f"| flip probability, 95 % upper bound | {' | '.join(bounds)} |",
    ]


def main(folder: str) -> None:
    """Prints the table in Markdown."""
    print("\n".join(table(curve(reseed.Study.open(folder).final("labels").astype(np.int64)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
