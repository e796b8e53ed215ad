"""What foretells flips: how well one run's values rank the samples that the other runs answer differently."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from reseed._errors import InputError
from reseed.scores._columns import HIGHER, LOWER, Direction
from reseed.scores._figures import MOST_RANKED, Figure, HeldOut, figures
from reseed.scores._ranks import TENTH
from reseed.scores._scores import RunRows
from reseed.scores._targets import Targets
from reseed.statistics import Estimate, check_level, counted_once, interval, jackknife_variance, no_estimate

_ASKED = 8  # runs whose tau-b tells what leaving out another run does to it
RANGES = {"auroc": (0.0, 1.0), "lift": (0.0, float(TENTH)), "kendall": (-1.0, 1.0)}
"""Figures of `Foretold`, and the ends of their ranges."""


@final
@dataclass(frozen=True)
class Foretold:
    """How well a column of one run ranks the samples that the other runs answer differently.

    Attributes:
        auroc: How likely it ranks a sample that flips above one that does not, see `auroc`; 0.5 is chance.
        lift: Share of flipping samples in the tenth ranked highest over the share among all, see `lift`; 1 is chance.
        kendall: Tau-b with the label entropy over the other runs, see `kendall_tau`; 0 is chance.
        flipping: Share of samples that the other runs answer differently.
        runs: Runs that foretold, each the others.
        samples: Samples.
    """

    auroc: Estimate
    lift: Estimate
    kendall: Estimate
    flipping: float
    runs: int
    samples: int


@final
@dataclass(frozen=True, eq=False)
class RunColumn:
    """A column of single runs that may foretell something.

    Attributes:
        rows: Its values [run, sample]; where they are NaN, a sample is left out for that run.
        places: Where these runs are among those that are foretold, [run].
        direction: ``lower_is_worse`` turns its sign.
    """

    rows: RunRows
    places: tuple[int, ...]
    direction: Direction = HIGHER


def foretold(values: RunRows, targets: Targets, direction: Direction = HIGHER, *, level: float = 0.95) -> Foretold:
    """Measure how well the values of one run rank the samples that the other runs answer differently.

    Each run r in turn is held out. Its values are compared with the label entropy over the final labels of all others;
    a sample flips where that is above 0. The figures are means over runs.

    Intervals speak of other runs and other samples. The variance over runs is that of the jackknife: run s is left out
    both as one that foretells and from what the others foretell, (R - 1) / R sum_s (T_s - mean T)^2. The plain spread
    over runs would be too narrow, since they share what they foretell; it is taken only where nothing flips once a run
    is left out, as of three runs. The variance over samples is the sum of squares of what each sample adds to the mean
    over runs (DeLong's components for AUROC, the infinitesimal jackknife for the others). What both hold is taken off
    once, see `counted_once`. Student's t, with one degree of freedom less than runs; of a single run over samples
    alone.

    For tau-b, what leaving a run out does to the others is taken from eight of them; of more than 20,000 samples so
    many are drawn, always the same.

    Args:
        values: The column, [run, sample]; one run is read at a time. NaN leaves a sample out for that run.
        targets: What is foretold: `Targets.of` the final labels of the same runs.
        direction: ``lower_is_worse`` turns the sign of the values.
        level: Of the intervals.

    Raises:
        InputError: Values of other runs or samples than the targets'.

    Examples:
        >>> targets = Targets.of([[0, 0, 1, 2], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
        >>> margins = np.array([[0.9, 0.8, 0.2, 0.1]] * 4)
        >>> found = foretold(margins, targets, "lower_is_worse")
        >>> round(found.auroc.value, 4), found.flipping
        (0.9167, 0.4375)

    References:
        DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating
        characteristic curves", Biometrics 1988. Efron and Stein, "The jackknife estimate of variance", Annals of
        Statistics 1981.
    """
    return foretold_columns({"": RunColumn(values, tuple(range(targets.runs)), direction)}, targets, level=level)[""]


def foretold_columns(
    columns: Mapping[str, RunColumn], targets: Targets, *, level: float = 0.95, with_kendall: bool = True
) -> dict[str, Foretold]:
    """Do the same for many columns; all columns of a run are read before those of the next one.

    A column that speaks of some of the runs is compared on these; what they foretell are all others.

    Args:
        columns: The columns by name.
        targets: See `foretold`.
        level: See `foretold`.
        with_kendall: Whether tau-b, which takes most of the time, is wanted; it is NaN where it is not.

    Raises:
        InputError: See `foretold`.
    """
    check_level(level)
    for name, column in columns.items():
        _check(name, column, targets)
    sums = {name: {figure: _Sums(targets.samples) for figure in RANGES} for name in columns}
    flipping: dict[str, list[float]] = {name: [] for name in columns}
    speaking = sorted({place for column in columns.values() for place in column.places})
    asked = {place for column in columns.values() for place in _spread(sorted(column.places)) if with_kendall}
    for run in speaking:
        held = HeldOut.of(targets, run, with_others=run in asked)
        for name, column in columns.items():
            if run not in column.places:
                continue
            row = np.asarray(column.rows[column.places.index(run)], np.float64)
            found = figures(-row if column.direction == LOWER else row, held, with_kendall=with_kendall)
            for adding, figure in zip(sums[name].values(), found, strict=True):
                adding.add(run, figure)
            flipping[name].append(float(held.flips.mean()))
    return {
        name: Foretold(
            **{figure: made.estimate(figure, targets, level) for figure, made in sums[name].items()},
            flipping=float(np.mean(flipping[name])),
            runs=len(column.places),
            samples=targets.samples,
        )
        for name, column in columns.items()
    }


def _check(name: str, column: RunColumn, targets: Targets) -> None:
    what, shape = f"the column {name!r}" if name else "values", tuple(column.rows.shape)
    if shape != (len(column.places), targets.samples) or not column.places:
        raise InputError(
            f"{what} has the shape {list(shape)}; its {len(column.places)} runs and the {targets.samples} samples "
            f"of the targets make [{len(column.places)}, {targets.samples}], of one run or more."
        )
    if len(set(column.places)) < len(column.places) or not set(column.places) <= set(range(targets.runs)):
        raise InputError(
            f"{what} is of runs at the places {list(column.places)}; give each run once, by its place below "
            f"{targets.runs} among those of the targets."
        )


def _spread(places: Sequence[int]) -> Iterator[int]:
    """Yield some of the places, from the first one to the last."""
    for at in np.linspace(0, len(places) - 1, min(_ASKED, len(places))).round():
        yield places[int(at)]


@final
class _Sums:
    """The figures of the runs of one column so far, and what their variance is made of."""

    def __init__(self, samples: int) -> None:
        self._places: list[int] = []
        self._values: list[float] = []
        self._changes: list[Float[np.ndarray, " run"]] = []
        self._pull, self._squares = np.zeros(samples), 0.0

    def add(self, run: int, figure: Figure) -> None:
        """Add the figure of the run at a place, unless it has no value."""
        if math.isnan(figure.value):
            return
        self._places.append(run)
        self._values.append(figure.value)
        self._changes.append(figure.changes)
        self._pull[figure.at] += figure.pull
        self._squares += float(figure.pull @ figure.pull)

    def estimate(self, figure: str, targets: Targets, level: float) -> Estimate:
        """Return the mean over runs with its interval."""
        (bottom, top), count = RANGES[figure], len(self._values)
        samples = min(targets.samples, MOST_RANKED) if figure == "kendall" else targets.samples
        if not count:
            return no_estimate("two-way", 0, samples)
        values, summed = np.array(self._values), float(self._pull @ self._pull)
        over_samples, method = summed / count**2, "samples"
        variance = over_samples
        if count > 1:
            own = (self._squares - summed / count) / (count * (count - 1))
            over_runs = _over_runs(values, np.stack(self._changes), self._places)
            variance, method = counted_once(over_runs, over_samples, own), "two-way"
        value = float(values.mean())
        return interval(value, variance, method, count, samples, level=level, bottom=bottom, top=top)


def _over_runs(
    values: Float[np.ndarray, " run"], changes: Float[np.ndarray, "run other"], places: Sequence[int]
) -> float:
    """Return the variance of the mean over runs, from what it is without each of all runs."""
    known = ~np.isnan(changes)
    if not known.any(0).all():
        return float(values.var(ddof=1) / len(values))
    left_out = values.mean() + np.where(known, changes, 0.0).sum(0) / known.sum(0)
    left_out[places] += (values.mean() - values) / (len(values) - 1)
    # Runs that foretell nothing themselves weigh less than the others: each kind is held against its own mean.
    speaks = np.isin(np.arange(len(left_out)), places)
    return sum(jackknife_variance(part) for part in (left_out[speaks], left_out[~speaks]) if len(part))
