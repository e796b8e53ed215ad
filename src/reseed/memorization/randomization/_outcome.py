"""What a randomisation test found: a row for each version, the complexity, and the classic curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from reseed._errors import InputError
from reseed.memorization.randomization._randomized import Randomized
from reseed.scores import Chart, Scores, Series
from reseed.statistics import t_interval

LENS = "randomization"
_MOST = 12  # curves that can be told apart in one chart, and few enough points


@final
@dataclass(frozen=True, eq=False)
class RandomizationTest:
    """The versions of a training set, each trained with the same hyperparameters.

    Attributes:
        versions: What was trained; the first one has true labels.
        level: The training accuracy that counts as fitted.
        correlations: How well random signs were fitted, one for each draw of labels; see `sign_correlation`.
        notes: What a reader should know.

    Raises:
        InputError: There is no version.
    """

    versions: tuple[Randomized, ...]
    level: float = 1.0
    correlations: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.versions:
            raise InputError("versions is empty; give at least the one with true labels.")

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One for each version, as JSON can hold it; see `Randomized.numbers`."""
        return [each.numbers(self.versions[0], self.level) for each in self.versions]

    @property
    def complexity(self) -> dict[str, Any]:
        """A lower bound of the empirical Rademacher complexity, its interval over draws of labels, and their number."""
        if not self.correlations:
            return {}
        mean, low, high = t_interval(np.asarray(self.correlations), bottom=-1.0, top=1.0)
        spread = float(np.std(self.correlations, ddof=1)) if len(self.correlations) > 1 else None
        return {
            "rademacher_lower_bound_mean": mean,
            "rademacher_lower_bound_ci95": None if len(self.correlations) < 2 else [low, high],
            "rademacher_lower_bound_se": None if spread is None else spread / len(self.correlations) ** 0.5,
            "rademacher_draws": len(self.correlations),
        }

    @property
    def scores(self) -> Scores:
        """Numbers and charts under the contract of all lenses; without samples, since versions are other data."""
        summary: dict[str, Any] = dict(self.complexity)
        groups: dict[str, tuple[str, ...]] = {"Complexity": tuple(summary)} if summary else {}
        for row in self.rows:
            prefix = row["version"].replace("-", "_").replace(".", "_").replace("+", "_and_")
            found = {f"{prefix}_{name}": value for name, value in row.items() if name not in ("version", "said")}
            groups[row["said"]] = tuple(found)
            summary |= found
        return Scores(
            lens=LENS,
            ids=(),
            columns={},
            summary=summary,
            groups=groups,
            notes=self.notes,
            charts=tuple(self._charts()),
        )

    def _charts(self) -> Iterator[Chart]:
        shown = [each for each in self.versions if "+" not in each.name][:_MOST]
        yield self._curves(shown, "train")
        yield self._curves(shown, "test")
        levels = sorted((each for each in self.versions if each.rate is not None), key=lambda each: each.rate or 0)
        if len(levels) > 2:
            yield self._against_rate(levels)

    def _curves(self, versions: list[Randomized], what: str) -> Chart:
        series = []
        for each in versions:
            accuracy = each.train_accuracy if what == "train" else each.test_accuracy
            found = [t_interval(values) for values in accuracy.T]
            series.append(_line(each.said, np.asarray(each.steps) / each.steps_per_epoch, found))
        fitted = sum(bool((~np.isnan(each.steps_to_fit(self.level))).all()) for each in self.versions)
        if what == "train":
            title = "Accuracy on the training set"
            sentence = f"{fitted} of {len(self.versions)} versions are fitted to {self.level:.1%} by every run."
        else:
            title = "Accuracy on the evaluation samples"
            first, last = (each.test_accuracy[:, -1].mean() for each in (versions[0], versions[-1]))
            sentence = f"{versions[0].said}: {first:.1%} at the end; {versions[-1].said}: {last:.1%}."
        return Chart("lines", title, sentence, "epoch", "accuracy", tuple(series))

    def _against_rate(self, levels: list[Randomized]) -> Chart:
        rates = [each.rate or 0.0 for each in levels]
        errors = {
            "training set": [1 - each.train_accuracy[:, -1] for each in levels],
            "evaluation": [1 - each.test_accuracy[:, -1] for each in levels],
            "evaluation, at the best moment": [1 - each.best_test_accuracy for each in levels],
        }
        series = tuple(_line(name, rates, [t_interval(each) for each in found]) for name, found in errors.items())
        worst = 1 - levels[-1].test_accuracy[:, -1].mean()
        sentence = f"With {rates[-1]:.0%} of the labels drawn anew, {worst:.1%} of evaluation answers are wrong."
        return Chart("lines", "Error against the share of random labels", sentence, "share", "error", series)


def _line(name: str, x: Any, found: list[tuple[float, float, float]]) -> Series:
    value, low, high = (tuple(map(float, np.clip(each, 0, 1))) for each in zip(*found, strict=True))
    return Series(name, tuple(map(float, x)), value, low, high)
