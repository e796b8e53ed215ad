"""How well probabilities are calibrated: those of a method's runs, beside the control's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float

from reseed._parts import Parts
from reseed.instability.comparison._compared_study import ComparedRuns
from reseed.instability.intervals._run_means import difference_of_means, mean_of, right
from reseed.instability.probabilities._calibration_error import calibration_error
from reseed.statistics import Estimate, Method, interval

_LEAST = float(np.finfo(np.float32).tiny)
_LEVEL = 0.95
_RunSample = Float[np.ndarray, "run known"]


@dataclass(frozen=True)
class Calibration:
    """NLL and calibration error, and by how much they exceed the control's; None where probabilities are not there."""

    nll: Estimate | None
    ece: Estimate | None
    nll_difference: Estimate | None
    ece_difference: Estimate | None


def calibration(
    method: ComparedRuns, control: ComparedRuns | None, covers: Method, parts: Parts, name: str, *, tempered: bool
) -> Calibration:
    """Returns how well a method's probabilities are calibrated.

    Args:
        method: Its runs.
        control: The control's; None for the control itself.
        covers: What intervals cover; those of the calibration error always cover other runs only.
        parts: Take note of what cannot be made, since a comparison can do without.
        name: The method's.
        tempered: Whether the probabilities after temperature scaling are meant.
    """
    after = " after temperature scaling" * tempered

    def surprise() -> tuple[Estimate | None, Estimate | None]:
        own = _surprise(method, tempered=tempered)
        other = None if control is None else _surprise(control, tempered=tempered)
        if own is None:
            return None, None
        return (
            mean_of(own, covers, _LEVEL, bottom=0.0),
            None if other is None else difference_of_means(own, other, covers, _LEVEL),
        )

    def errors() -> tuple[Estimate | None, Estimate | None]:
        own = _errors(method, tempered=tempered)
        other = None if control is None else _errors(control, tempered=tempered)
        if own is None:
            return None, None
        mean = partial(_over_runs, samples=len(method.known))
        return mean(own, bottom=0.0, top=1.0), None if other is None else mean(own, other, bottom=-1.0, top=1.0)

    nothing: tuple[Estimate | None, Estimate | None] = (None, None)
    nll, nll_difference = parts.make(f"{name}: the NLL{after} is missing", surprise, nothing)
    ece, ece_difference = parts.make(f"{name}: the calibration error{after} is missing", errors, nothing)
    return Calibration(nll, ece, nll_difference, ece_difference)


def _surprise(runs: ComparedRuns, *, tempered: bool) -> _RunSample | None:
    """Returns the negative log-probability of each target."""
    found = runs.tempered_own_probability if tempered else runs.own_probability
    return None if found is None else -np.log(np.maximum(found.astype(np.float64), _LEAST))


def _errors(runs: ComparedRuns, *, tempered: bool) -> Float[np.ndarray, " run"] | None:
    """Returns the calibration error of each run."""
    confidence = runs.tempered_confidence if tempered else runs.confidence
    if confidence is None:
        return None
    is_right = right(runs.labels[:, runs.known], runs.targets, "labels") > 0
    return np.array([calibration_error(*pair) for pair in zip(confidence, is_right, strict=True)])


def _over_runs(
    values: Float[np.ndarray, " run"],
    others: Float[np.ndarray, " run"] | None = None,
    *,
    samples: int,
    bottom: float = -np.inf,
    top: float = np.inf,
) -> Estimate:
    """Returns the mean over runs, or by how much it exceeds that of other, independent runs."""
    batches = [values] if others is None else [values, others]
    value = float(values.mean()) - (0.0 if others is None else float(others.mean()))
    variance = sum(float(batch.var(ddof=1)) / len(batch) for batch in batches)
    runs = min(map(len, batches))
    return interval(value, variance, "jackknife", runs, samples, level=_LEVEL, bottom=bottom, top=top)
