"""Prints what a second, identical control seems to improve: the null of the `high` subset in `numbers.md`.

    reseed measure massive --model text-tfidf --runs 10 --out control
    reseed measure massive --model text-tfidf --runs 10 --seed 1 --out again
    python docs/_scripts/selection_bias.py control again

The two studies are of one recipe and differ in the base seed alone.
"""

import sys
from dataclasses import asdict
from typing import Any

import numpy as np

import reseed
from reseed.instability import label_entropy_reduction


def null_reductions(control: np.ndarray, again: np.ndarray) -> dict[str, dict[str, Any]]:
    """Returns by how much the second control seems to lower label entropy, of all samples and of the high ones."""
    return {
        name: asdict(label_entropy_reduction(again, control, subset=subset))
        for name, subset in {"all": None, "high": "high"}.items()
    }


def lines(reductions: dict[str, dict[str, Any]]) -> list[str]:
    """Returns a line for each reduction."""
    told = "{}: {value:+.1f} % [{low:+.1f}, {high:+.1f}] of {samples} samples, {runs} runs each"
    return [told.format(name, **found) for name, found in reductions.items()]


def main(control: str, again: str) -> None:
    """Prints both reductions with their intervals."""
    first, second = (reseed.Study.open(folder).final("labels") for folder in (control, again))
    print("\n".join(lines(null_reductions(first, second))))


if __name__ == "__main__":
    main(*sys.argv[1:])
