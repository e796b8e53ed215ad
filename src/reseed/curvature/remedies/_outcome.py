"""What a comparison of remedies found: the largest rate that each trains at, and what is paid for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from reseed._errors import InputError
from reseed.curvature.remedies._concordance import Concordance, concordance
from reseed.curvature.remedies._trial import StabilityTrial
from reseed.scores import Chart, Series
from reseed.statistics import json_ready, mean_numbers, t_interval

_CARRIED = ("accuracy", "label_entropy", "early_ratio", "share_above")
"""Numbers of the largest rate that stand in the row of a remedy."""


@final
@dataclass(frozen=True, eq=False)
class StabilityTest:
    """Remedies against unstable training, each at several learning rates.

    Attributes:
        trials: What was trained: every remedy at every one of its rates.
        level: The share of chance's wrong answers that a run must be rid of to count as trained.
        notes: What a reader should know.

    Raises:
        InputError: There is no trial, or two are of one remedy at one rate.
    """

    trials: tuple[StabilityTrial, ...]
    level: float = 0.5
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.trials:
            raise InputError("trials is empty; give at least the one of the control.")
        if len({(one.remedy, one.rate) for one in self.trials}) < len(self.trials):
            raise InputError("trials has two of one remedy at one rate; give each once.")

    @property
    def by_remedy(self) -> dict[str, list[StabilityTrial]]:
        """The trials of each remedy, by ascending rate."""
        names = dict.fromkeys(one.remedy for one in self.trials)
        rising = sorted(self.trials, key=lambda one: one.rate)
        return {name: [one for one in rising if one.remedy == name] for name in names}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One for each trial, as JSON can hold it; see `StabilityTrial.numbers`."""
        return [one.numbers(self.level) for each in self.by_remedy.values() for one in each]

    @property
    def common_rate(self) -> float | None:
        """The largest rate at which every run of every remedy trained; None where there is none."""
        fitting = [{one.rate for one in each if one.trained(self.level).all()} for each in self.by_remedy.values()]
        return max(set.intersection(*fitting), default=None)

    @property
    def remedies(self) -> list[dict[str, Any]]:
        """One row for each remedy, as JSON can hold it.

        ``largest_lr``: the largest rate at which every run trained, and whether it is the largest that was tried;
        numbers of the trial at it; ``edge_lr``, see `StabilityTrial.edge`; and accuracy and label entropy at the
        `common_rate`.
        """
        return [self._of_remedy(name, each) for name, each in self.by_remedy.items()]

    @cached_property
    def early(self) -> Concordance:
        """Whether the runs that trained were, early on, less far above the threshold than those that did not."""
        return concordance(self.trials, self.level, lambda one: one.early)

    @cached_property
    def initial(self) -> Concordance:
        """The same of the sharpness before the first step, which warm-up and clipping cannot change."""
        return concordance(self.trials, self.level, lambda one: one.sharpness[:, 0])

    @property
    def claim(self) -> str:
        """What the concordances say, in a sentence or two."""
        if not self.early.pairs:
            return "At no rate did some runs train and others not, so nothing can be said of what tells them apart."
        told = f"{self._told(self.early)} early in the training"
        if self.initial.pairs:
            told += f"; {self._told(self.initial)} before the first step"
        return f"At equal rates, of two runs of which one trained, that one was the flatter one in {told}."

    @property
    def numbers(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        return {
            "level": self.level,
            "common_lr": self.common_rate,
            "remedies": self.remedies,
            **self.early.numbers("early"),
            **self.initial.numbers("initial"),
            "claim": self.claim,
            "trials": self.rows,
        }

    @property
    def charts(self) -> tuple[Chart, ...]:
        """Which runs train, how accurate and how stable they are, and how far above the threshold, by the rate."""
        return tuple(self._charts())

    def _of_remedy(self, name: str, trials: list[StabilityTrial]) -> dict[str, Any]:
        fitting = [one for one in trials if one.trained(self.level).all()]
        best = fitting[-1].numbers(self.level) if fitting else {}
        first, common = trials[0], self.common_rate
        level = next((one.numbers(self.level) for one in trials if one.rate == common), {})
        found: dict[str, Any] = {
            "remedy": name,
            "runs": len(first.accuracy),
            "largest_lr": fitting[-1].rate if fitting else None,
            "is_largest_tried": bool(fitting) and fitting[-1] is trials[-1],
            "lrs": [one.rate for one in trials],
            **mean_numbers("initial_sharpness", first.sharpness[:, 0]),
            "edge_lr": first.edge,
        }
        for kind, row in (("", best), ("common_", level)):
            for number in _CARRIED if not kind else _CARRIED[:2]:
                found |= {f"{kind}{number}{end}": row.get(f"{number}{end}") for end in ("_mean", "_ci95")}
        return json_ready(found)

    @staticmethod
    def _told(found: Concordance) -> str:
        rates = f"{found.rates} rate{'s' * (found.rates != 1)}"
        return f"{found.share:.0%} of {found.pairs} pairs (at {rates}; p = {found.p_value:.2g})"

    def _charts(self) -> Iterator[Chart]:
        largest = {row["remedy"]: row["largest_lr"] for row in self.remedies if row["largest_lr"] is not None}
        most = max(largest, key=lambda name: largest[name], default=None)
        said = "No remedy trains at any rate." if most is None else f"{most} trains up to {largest[most]:g}."
        yield self._lines("Runs that train", said, "share of the runs", lambda one: one.trained(self.level) * 1.0, 0, 1)
        at = f"at the largest rate that all train at, {self.common_rate:g}" if self.common_rate else "nowhere alike"
        yield self._lines("Accuracy", f"They can be compared {at}.", "accuracy", lambda one: one.accuracy, 0, 1)
        yield Chart(
            "lines",
            "Label entropy",
            f"Of the runs that ended; they can be compared {at}.",
            "log10 of the learning rate",
            "label entropy, nats",
            tuple(_entropies(name, each) for name, each in self.by_remedy.items()),
        )
        words = "The highest ratio in the first quarter of the steps; 1 is the edge."
        yield self._lines("Early sharpness over threshold", words, "ratio", lambda one: one.early, 0, np.inf)

    def _lines(
        self,
        title: str,
        sentence: str,
        y: str,
        number: Callable[[StabilityTrial], NDArray[np.float64]],
        bottom: float,
        top: float,
    ) -> Chart:
        series = []
        for name, trials in self.by_remedy.items():
            found = []
            for one in trials:
                values = number(one)
                found.append(t_interval(values[~np.isnan(values)], bottom=bottom, top=top))
            series.append(_series(name, trials, found))
        return Chart("lines", title, sentence, "log10 of the learning rate", y, tuple(series))


def _entropies(name: str, trials: list[StabilityTrial]) -> Series:
    nothing = (float("nan"),) * 3
    each = [one.label_entropy for one in trials]
    return _series(name, trials, [nothing if one is None else (one.value, one.low, one.high) for one in each])


def _series(name: str, trials: list[StabilityTrial], found: list[tuple[float, float, float]]) -> Series:
    value, low, high = (tuple(map(float, ends)) for ends in zip(*found, strict=True))
    return Series(name, tuple(float(np.log10(one.rate)) for one in trials), value, low, high)
