"""Prints the bias table of `numbers.md`: the expected label entropy of N runs, by exact binomial sums.

A sample's runs answer one of two labels, with probability P and 1 - P. The number of runs that give the first is
binomial, so the expectation of an estimator is a sum over N + 1 outcomes: nothing is simulated.
"""

import numpy as np
from scipy.special import entr
from scipy.stats import binom

from reseed.instability import label_entropy

RUNS = (5, 10, 20, 50)
ESTIMATORS = {"plug-in": None, "Miller-Madow": "miller-madow", "digamma": "digamma"}


def expected_entropy(probability: float, runs: int, correction: str | None) -> float:
    """Returns the expectation of label entropy over all outcomes of so many runs."""
    first = np.arange(runs + 1)  # how many runs give the first label: one outcome a column
    labels = (np.arange(runs)[:, None] >= first).astype(int)  # [run, outcome]
    values = label_entropy(labels, correction=correction)
    return float(binom.pmf(first, runs, probability) @ values)


def table() -> list[str]:
    """Returns the table in Markdown, line by line."""
    lines = ["| P | true value | estimator | " + " | ".join(f"N = {runs}" for runs in RUNS) + " |"]
    lines.append("|---|---|---|" + "---|" * len(RUNS))
    for probability in (0.5, 0.9):
        truth = entr([probability, 1 - probability]).sum()
        for name, correction in ESTIMATORS.items():
            values = " | ".join(f"{expected_entropy(probability, runs, correction):.4f}" for runs in RUNS)
            lines.append(f"| {probability} | {truth:.4f} | {name} | {values} |")
    return lines


if __name__ == "__main__":
    print("\n".join(table()))
