"""What a method does, from its runs, the control's and a second control's."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from reseed._parts import Parts
from reseed.instability.comparison._compared_study import ComparedRuns
from reseed.instability.evaluation._evaluate import HIGH_LABEL_ENTROPY
from reseed.instability.evaluation._negative_flips import retraining_negative_flip_rate
from reseed.instability.intervals._beyond_null import reduction_beyond_null
from reseed.instability.intervals._estimate import estimate
from reseed.instability.intervals._reduction import label_entropy_reduction
from reseed.instability.intervals._run_means import difference_of_means, mean_of, right
from reseed.instability.probabilities._calibration_error import calibration_error
from reseed.statistics import Estimate, Method, interval

_LEAST = float(np.finfo(np.float32).tiny)
_LEVEL = 0.95
_Subset = Literal["high"] | None


@dataclass(frozen=True)
class MethodEffect:
    """What a method does. An estimate is None where it does not apply or what it needs was not recorded.

    Attributes:
        accuracy: Mean accuracy over runs.
        accuracy_difference: Accuracy less the control's, samples paired.
        label_entropy: Mean label entropy in nats.
        reduction: By how many percent label entropy is lower than the control's.
        high_reduction: The same over the control's high-entropy samples; only beside the null's.
        beyond_null: Reduction less the null's, in percentage points.
        high_beyond_null: The same over the control's high-entropy samples.
        unstable_fraction: Share of samples on which runs differ.
        jitter: Share of answers in which two runs differ.
        negative_flip_rate: Share of samples that a retraining gets wrong and the run before it got right.
        nll: Mean negative log-probability of the target, in nats; probabilities below 1.2e-38 count as that.
        ece: Mean expected calibration error of a run, 15 bins; its interval covers other runs only.
    """

    accuracy: Estimate | None
    accuracy_difference: Estimate | None
    label_entropy: Estimate
    reduction: Estimate | None
    high_reduction: Estimate | None
    beyond_null: Estimate | None
    high_beyond_null: Estimate | None
    unstable_fraction: Estimate
    jitter: Estimate
    negative_flip_rate: Estimate | None
    nll: Estimate | None
    ece: Estimate | None

    @property
    def is_distinguishable(self) -> bool | None:
        """Whether label entropy differs from both controls', in the same direction; None without a null.

        The intervals of the reduction and of the reduction beyond the null must exclude 0. One of them alone may do so
        because one of the controls is by chance more stable than the other.
        """
        return None if self.beyond_null is None else self.lowers_entropy or self.raises_entropy

    @property
    def lowers_entropy(self) -> bool:
        """Whether label entropy is lower than that of each control there is, by more than the interval."""
        return bool(self._reductions) and all(found.low > 0 for found in self._reductions)

    @property
    def raises_entropy(self) -> bool:
        """Whether label entropy is higher than that of each control there is, by more than the interval."""
        return bool(self._reductions) and all(found.high < 0 for found in self._reductions)

    @property
    def _reductions(self) -> list[Estimate]:
        return [found for found in (self.reduction, self.beyond_null) if found is not None]

    @property
    def loses_accuracy(self) -> bool | None:
        """Whether accuracy is lower than the control's by more than its interval; None where it is not known."""
        return None if self.accuracy_difference is None else bool(self.accuracy_difference.high < 0)


def control_effect(control: ComparedRuns, covers: Method, parts: Parts, name: str) -> MethodEffect:
    """Returns the control's own numbers, with nothing relative to itself."""
    return method_effect(control, None, None, covers, parts, name)


def method_effect(
    method: ComparedRuns,
    control: ComparedRuns | None,
    null: ComparedRuns | None,
    covers: Method,
    parts: Parts,
    name: str,
) -> MethodEffect:
    """Returns what a method does; relative to a control and beyond a null where there are any.

    Negative flips and calibration are among the ``parts`` that a comparison can do without; ``name`` is the method's.
    """
    is_right = right(method.labels[:, method.known], method.targets, "labels") if len(method.targets) else None
    difference = None
    if control is not None and is_right is not None:
        untreated = right(control.labels[:, control.known], control.targets, "labels")
        difference = difference_of_means(is_right, untreated, covers, _LEVEL, bottom=-1.0, top=1.0)
    return MethodEffect(
        accuracy=None if is_right is None else mean_of(is_right, covers, _LEVEL, bottom=0.0, top=1.0),
        accuracy_difference=difference,
        label_entropy=estimate(method.labels, "label_entropy", covers),
        reduction=None if control is None else _reduction(method, control, None, covers),
        high_reduction=None if control is None else _reduction(method, control, "high", covers),
        beyond_null=None if control is None or null is None else _beyond(method, null, control, None, covers),
        high_beyond_null=None if control is None or null is None else _beyond(method, null, control, "high", covers),
        unstable_fraction=estimate(method.labels, "unstable_fraction", covers),
        jitter=estimate(method.labels, "jitter", covers),
        negative_flip_rate=parts.make(
            f"{name}: the negative flip rate is missing", lambda: _flips(method, covers), None
        ),
        nll=parts.make(f"{name}: the NLL is missing", lambda: _nll(method, covers), None),
        ece=parts.make(f"{name}: the calibration error is missing", lambda: _ece(method, is_right), None),
    )


def _reduction(method: ComparedRuns, control: ComparedRuns, subset: _Subset, covers: Method) -> Estimate:
    with _quiet():
        return label_entropy_reduction(
            method.labels, control.labels, subset=subset, threshold=HIGH_LABEL_ENTROPY, interval=covers
        )


def _beyond(
    method: ComparedRuns, null: ComparedRuns, control: ComparedRuns, subset: _Subset, covers: Method
) -> Estimate:
    with _quiet():
        return reduction_beyond_null(
            method.labels, null.labels, control.labels, subset=subset, threshold=HIGH_LABEL_ENTROPY, interval=covers
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps quiet about ratios without value, which a comparison shows as such."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=RuntimeWarning)
        yield


def _flips(method: ComparedRuns, covers: Method) -> Estimate | None:
    if not len(method.targets):
        return None
    return retraining_negative_flip_rate(method.labels[:, method.known], method.targets, method=covers)


def _nll(method: ComparedRuns, covers: Method) -> Estimate | None:
    if method.own_probability is None:
        return None
    return mean_of(-np.log(np.maximum(method.own_probability.astype(np.float64), _LEAST)), covers, _LEVEL, bottom=0.0)


def _ece(method: ComparedRuns, is_right: Float[np.ndarray, "run known"] | None) -> Estimate | None:
    if is_right is None or method.confidence is None:
        return None
    pairs = zip(method.confidence, is_right > 0, strict=True)
    errors = np.array([calibration_error(confidence, hits) for confidence, hits in pairs])
    runs, samples = is_right.shape
    variance = float(errors.var(ddof=1) / runs)
    return interval(float(errors.mean()), variance, "jackknife", runs, samples, level=_LEVEL, bottom=0.0, top=1.0)
