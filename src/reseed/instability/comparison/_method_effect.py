"""What a method does, from its runs, the control's and a second control's."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from reseed._parts import Parts
from reseed.instability.comparison._calibration import calibration
from reseed.instability.comparison._compared_study import ComparedRuns
from reseed.instability.evaluation._evaluate import HIGH_LABEL_ENTROPY
from reseed.instability.evaluation._negative_flips import retraining_negative_flip_rate
from reseed.instability.intervals._beyond_null import reduction_beyond_null
from reseed.instability.intervals._estimate import estimate
from reseed.instability.intervals._reduction import label_entropy_reduction
from reseed.instability.intervals._run_means import difference_of_means, mean_of, right
from reseed.statistics import Estimate, Method

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
        nll_difference: NLL less the control's, samples paired.
        ece_difference: Calibration error less the control's; its interval covers other runs only.
        tempered_nll: NLL after temperature scaling.
        tempered_ece: Calibration error after it.
        tempered_nll_difference: NLL after it less the control's after it.
        tempered_ece_difference: Calibration error after it less the control's after it.
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
    nll_difference: Estimate | None = None
    ece_difference: Estimate | None = None
    tempered_nll: Estimate | None = None
    tempered_ece: Estimate | None = None
    tempered_nll_difference: Estimate | None = None
    tempered_ece_difference: Estimate | None = None

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

    def keeps_accuracy(self, margin: float) -> bool | None:
        """Whether a loss of accuracy by so many percentage points or more is excluded; None where it is not known.

        The test of non-inferiority: the lower end of the difference's interval is above ``-margin``.
        """
        found = self.accuracy_difference
        return None if found is None or math.isnan(found.low) else bool(100 * found.low > -margin)


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
    calibrated, tempered = (calibration(method, control, covers, parts, name, tempered=one) for one in (False, True))
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
        nll=calibrated.nll,
        ece=calibrated.ece,
        nll_difference=calibrated.nll_difference,
        ece_difference=calibrated.ece_difference,
        tempered_nll=tempered.nll,
        tempered_ece=tempered.ece,
        tempered_nll_difference=tempered.nll_difference,
        tempered_ece_difference=tempered.ece_difference,
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
