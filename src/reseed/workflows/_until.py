"""How many runs? As many as a precision takes."""

from __future__ import annotations

import math
from collections.abc import Callable

from reseed._arguments import argument
from reseed._bounds import check_bound
from reseed._errors import InputError
from reseed.instability import estimate
from reseed.studies import Study

FIRST_RUNS = 10
"""Runs before the first look: with fewer, the half-width is itself little more than a guess."""
_LEAST_STEP = 5


def half_width(study: Study) -> float:
    """Return the half-width, in nats, of the 95 % interval of a study's mean label entropy over other runs.

    The jackknife's, over runs on the same samples: the part of the uncertainty that more runs make smaller.

    Raises:
        InputError: The study has fewer than three complete runs.
    """
    found = estimate(study.final("labels"), "label_entropy", "jackknife")
    return (found.high - found.low) / 2  # upwards it reaches further than down


def next_runs(runs: int, reached: float, until: float, most: int) -> int:
    """Return how many runs to have next, when ``runs`` of them reach a half-width that is too large.

    A half-width falls like one over the square root of the number of runs; it is not trusted beyond doubling.

    Args:
        runs: Runs there are.
        reached: Their half-width.
        until: The half-width that is wanted.
        most: Runs there may be.

    Examples:
        >>> next_runs(10, 0.006, 0.005, 50), next_runs(10, 0.02, 0.005, 50), next_runs(40, 0.006, 0.005, 50)
        (15, 20, 50)
    """
    expected = math.ceil(runs * (reached / until) ** 2)
    return min(most, max(runs + _LEAST_STEP, min(2 * runs, expected)))


def train_until(train: Callable[[int], Study], until: float, most: int, announce: Callable[[str], None]) -> Study:
    """Add runs to a study until its mean label entropy is known well enough.

    Args:
        train: Has so many runs finished, and returns the study.
        until: The half-width to reach, see `half_width`.
        most: Runs there may be.
        announce: Takes a line for the user at every look.

    Raises:
        InputError: ``until`` is not above zero, or ``most`` is too small to look, or more than a study can have.
    """
    if not until > 0:
        raise InputError(
            f"{argument('until')} is a half-width in nats, above zero, got {until!r}; pass for example 0.005."
        )
    if most < FIRST_RUNS:
        raise InputError(
            f"{argument('until')} looks after {FIRST_RUNS} runs, but {argument('runs')}, the most there may be, is "
            f"{most}."
        )
    check_bound("runs", most, argument("runs"))
    runs = FIRST_RUNS
    while True:
        study = train(runs)
        runs = max(runs, study.header.runs)  # a study that is there may have more
        reached = half_width(study)
        found = f"{len(study.manifests)} runs: mean label entropy known to ± {reached:.2g} nats (95 %, over runs)"
        if reached <= until:
            announce(f"{found}; {until:g} was asked for")
            return study
        if runs >= most:
            announce(f"{found}, not to ± {until:g}; allow more than {most} runs to come closer")
            return study
        runs = next_runs(runs, reached, until, most)
        announce(f"{found}; going on to {runs}")
