"""Prints what a second, identical control seems to improve: the null of the `high` subset in `numbers.md`.

    reseed measure massive --model text-tfidf --runs 10 --out control
    reseed measure massive --model text-tfidf --runs 10 --seed 1 --out again
    python docs/_scripts/selection_bias.py control again

The two studies are of one recipe and differ in the base seed alone.
"""

import sys

import reseed
from reseed.instability import label_entropy_reduction


def main(control: str, again: str) -> None:
    """Prints both reductions with their intervals."""
    first, second = (reseed.Study.open(folder).final("labels") for folder in (control, again))
    for subset in (None, "high"):
        found = label_entropy_reduction(second, first, subset=subset)
        print(
            f"{subset or 'all'}: {found.value:+.1f} % [{found.low:+.1f}, {found.high:+.1f}] "
            f"of {found.samples} samples, {found.runs} runs each"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
