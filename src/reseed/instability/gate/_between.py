"""Shares of answers that differ between two batches of runs and within one, run by run and sample by sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Shaped

Event = Callable[[Shaped[np.ndarray, " sample"], Shaped[np.ndarray, "run sample"]], Bool[np.ndarray, "run sample"]]


@dataclass(frozen=True, eq=False)
class Between:
    """How often something happens from a run of one batch to a run of the other.

    Attributes:
        old: share of the second batch's runs to which it happens, [run, sample] of the first.
        new: share of the first batch's runs from which it happens, [run, sample] of the second.
    """

    old: Float[np.ndarray, "run sample"]
    new: Float[np.ndarray, "run sample"]

    @property
    def samples(self) -> Float[np.ndarray, " sample"]:
        """The share of pairs of runs to which it happens."""
        return np.asarray(self.old.mean(0))

    @property
    def value(self) -> float:
        """The share of samples and pairs of runs."""
        return float(self.old.mean())


def between(old: Shaped[np.ndarray, "run sample"], new: Shaped[np.ndarray, "run sample"], event: Event) -> Between:
    """Counts an event over all pairs of a run of the one and a run of the other batch."""
    by_old, by_new = np.empty(old.shape), np.zeros(new.shape)
    for row, answers in enumerate(old):
        happens = event(answers, new)
        by_old[row] = happens.mean(0)
        by_new += happens
    return Between(by_old, by_new / len(old))


def within(labels: Shaped[np.ndarray, "run sample"]) -> Float[np.ndarray, "run sample"]:
    """Returns which share of the other runs answers otherwise than each run; needs two runs."""
    others = np.stack([differs(row, labels).sum(0) for row in labels])
    return np.asarray(others / (len(labels) - 1))


def differs(answers: Shaped[np.ndarray, " sample"], others: Shaped[np.ndarray, "run sample"]) -> np.ndarray:
    """Tells where other runs answer otherwise."""
    return np.asarray(others != answers)


def is_lost(was_right: Shaped[np.ndarray, " sample"], are_right: Shaped[np.ndarray, "run sample"]) -> np.ndarray:
    """Tells where a run was right and others are wrong."""
    return np.asarray(was_right & ~are_right)
