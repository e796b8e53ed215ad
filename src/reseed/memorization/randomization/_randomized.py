"""One version of a training set in a randomisation test, and what networks made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Float

from reseed._errors import InputError
from reseed.memorization.randomization._fitting import SlowDown, slow_down, steps_to_fit
from reseed.statistics import Estimate, estimate_numbers, json_ready, mean_numbers


@final
@dataclass(frozen=True, eq=False)
class Randomized:
    """How trainings on one version of the data went.

    Attributes:
        name: Of the version, such as ``random-labels``.
        said: What readers call it.
        steps: After how many optimiser's steps each checkpoint was, [checkpoint].
        steps_per_epoch: How many steps a pass takes.
        train_accuracy: On what was trained on, with the labels that were trained on, [run, checkpoint].
        test_accuracy: On the evaluation samples, [run, checkpoint]; NaN where none has a known label.
        label_entropy: Of the final answers to the evaluation samples over runs, in nats; None of a single run.
        rate: Which share of the labels was drawn anew; None where labels are as they were.
    """

    name: str
    said: str
    steps: tuple[int, ...]
    steps_per_epoch: int
    train_accuracy: Float[np.ndarray, "run checkpoint"]
    test_accuracy: Float[np.ndarray, "run checkpoint"]
    label_entropy: Estimate | None = None
    rate: float | None = None

    def __post_init__(self) -> None:
        shape = self.train_accuracy.shape
        if self.test_accuracy.shape != shape or shape[1:] != (len(self.steps),):
            raise InputError(
                f"the version {self.name!r} has accuracies {list(shape)} and {list(self.test_accuracy.shape)} for "
                f"{len(self.steps)} checkpoints; both must be [run, checkpoint]."
            )

    def steps_to_fit(self, level: float = 1.0) -> Float[np.ndarray, " run"]:
        """Return when each run fitted its training set; see `reseed.memorization.steps_to_fit`."""
        return steps_to_fit(self.train_accuracy, self.steps, level=level)

    def slow_down(self, baseline: Randomized, level: float = 1.0) -> SlowDown:
        """Return how many times as long as another version this one took; see `reseed.memorization.slow_down`."""
        return slow_down(self.steps_to_fit(level), baseline.steps_to_fit(level))

    @property
    def best_test_accuracy(self) -> Float[np.ndarray, " run"]:
        """The highest along each run: what stopping at the best moment would give, chosen with the same samples."""
        return np.asarray(self.test_accuracy.max(1), np.float64)

    def numbers(self, baseline: Randomized, level: float = 1.0) -> dict[str, Any]:
        """Return everything as JSON can hold it, every mean over runs with Student's interval; None: no value.

        Intervals are cut off where no value can be.

        Args:
            baseline: The version with true labels.
            level: Of the training accuracy that counts as fitted.
        """
        to_fit, slower = self.steps_to_fit(level), self.slow_down(baseline, level)
        fitted = to_fit[~np.isnan(to_fit)]
        final_train, final_test = self.train_accuracy[:, -1], self.test_accuracy[:, -1]
        found = {
            "version": self.name,
            "said": self.said,
            "label_rate": self.rate,
            "runs": len(to_fit),
            "runs_fitted": len(fitted),
            **mean_numbers("steps_to_fit", fitted, bottom=0.0),
            **mean_numbers("epochs_to_fit", fitted / self.steps_per_epoch, bottom=0.0),
            "slow_down": slower.ratio,
            "slow_down_ci95": [slower.low, slower.high],
            **mean_numbers("train_accuracy", final_train, bottom=0.0, top=1.0),
            **mean_numbers("test_accuracy", final_test, bottom=0.0, top=1.0),
            **mean_numbers("best_test_accuracy", self.best_test_accuracy, bottom=0.0, top=1.0),
            **mean_numbers("generalisation_gap", final_train - final_test, bottom=-1.0, top=1.0),
        }
        if self.label_entropy is not None:
            found |= estimate_numbers("label_entropy", self.label_entropy)
        return json_ready(found)
