"""What a gate concludes: one outcome of five, and whether the change may pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, log
from typing import Literal, TypeAlias

from reseed._arguments import argument
from reseed._errors import InputError
from reseed.instability.gate._replacement import Replacement
from reseed.instability.gate._reseeding import ENOUGH_RUNS, Excess
from reseed.statistics import Estimate

Outcome: TypeAlias = Literal["same as reseeding", "changed", "worse", "unreliable baseline", "not enough data"]
FEW_SAMPLES = 30
_LEVEL = 0.95


@dataclass(frozen=True)
class Limits:
    """What a change may do at most.

    Attributes:
        max_churn: Share of answers that may differ, in [0, 1]; None: any.
        max_negative_flips: Share of samples that may have been right and be wrong, in [0, 1]; None: any.
        beyond_reseeding: Whether both limits are on what is beyond reseeding.

    Raises:
        InputError: A limit is no share, or there is none of what is beyond reseeding.
    """

    max_churn: float | None = None
    max_negative_flips: float | None = None
    beyond_reseeding: bool = False

    def __post_init__(self) -> None:
        for name in ("max_churn", "max_negative_flips"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise InputError(f"{argument(name)} must be a share between 0 and 1, got {value!r}; 2 % is 0.02.")
        if self.beyond_reseeding and self.max_churn is None and self.max_negative_flips is None:
            raise InputError(
                f"{argument('beyond_reseeding')} says what limits are on, but there is none; pass "
                f"{argument('max_churn')} or {argument('max_negative_flips')}."
            )


@dataclass(frozen=True)
class Failure:
    """What does not let a change pass.

    Attributes:
        test: What is not passed: a limit by its name, or the change as a whole.
        says: Why, in a sentence.
    """

    test: Literal["change", "max_churn", "max_negative_flips"]
    says: str


@dataclass(frozen=True)
class Verdict:
    """What a gate concludes.

    Attributes:
        outcome: The one of five that says most.
        because: Why, in a sentence.
        failures: What does not let the change pass.
    """

    outcome: Outcome
    because: str
    failures: tuple[Failure, ...]

    @property
    def passed(self) -> bool:
        """Whether the change may pass."""
        return not self.failures


def verdict(found: Replacement, limits: Limits, doubts: Sequence[str] = ()) -> Verdict:
    """Concludes what a change is, and whether it may pass.

    The outcome is the first that holds of

    1. not enough data: fewer than 30 samples;
    2. worse: accuracy is lower by more than chance, see `Correctness.is_worse`;
    3. not enough data: a limit is kept, but by so few samples that they could not show it to be kept even if none
       differed, 1 - 0.025^(1 / n) > limit;
    4. unreliable baseline: no side has three runs, their seeds did not make them different, or a few of them stand out
       so far that what a pair of runs differs by is not known within half its own size;
    5. changed: more answers differ than reseeding makes differ, by an interval that excludes 0;
    6. same as reseeding; also where no answer differs at all, whatever is known of reseeding.

    A change passes that is neither worse nor judged by too little data, and keeps the limits as measured; limits beyond
    reseeding need a baseline.

    Args:
        found: What changes.
        limits: What may change at most.
        doubts: Why runs of a side say too little of reseeding, a sentence each.

    Example:
        >>> from reseed.instability import replacement
        >>> right, wrong = ["a"] * 40, ["a"] * 20 + ["b"] * 20
        >>> found = verdict(replacement(right, wrong, right), Limits(max_churn=0.6))
        >>> found.outcome, found.passed
        ('worse', False)
    """
    doubts = [*_doubts(found), *doubts]
    broken = list(_broken(found, limits, doubts))
    few = _few(found)
    short = [few] if few else list(_short(found, limits))
    worse = _worse(found) if found.correctness is not None and found.correctness.is_worse else None
    whole = [Failure("change", says) for says in (*short, worse) if says]
    failures = (*whole, *broken)
    if few:
        return Verdict("not enough data", few, failures)
    if worse:
        return Verdict("worse", worse, failures)
    if short:
        return Verdict("not enough data", short[0], failures)
    if not found.churn.value:
        return Verdict("same as reseeding", "no answer differs.", failures)
    if found.beyond is None or doubts:
        return Verdict("unreliable baseline", doubts[0], failures)
    shown = f"churn is {points(found.beyond.beyond, 'points')} beyond that of reseeding"
    if found.beyond.beyond.low > 0:
        return Verdict("changed", f"{shown}, an interval above 0.", failures)
    return Verdict("same as reseeding", f"{shown}, an interval that includes 0.", failures)


def _few(found: Replacement) -> str | None:
    if found.samples >= FEW_SAMPLES:
        return None
    return f"{found.samples} samples are fewer than the {FEW_SAMPLES} that intervals need."


def _short(found: Replacement, limits: Limits) -> Iterator[str]:
    """Yields which limits are kept by samples that are too few to show that."""
    correct = found.correctness
    flips = None if correct is None else (correct.negative_flips.value, correct.samples)
    for name, measured in (("max_churn", (found.churn.value, found.samples)), ("max_negative_flips", flips)):
        limit = getattr(limits, name)
        if limit is None or not 0 < limit < 1 or measured is None:
            continue  # that none at all may differ is said of these samples alone
        value, samples = measured
        needed = ceil(log((1 - _LEVEL) / 2) / log(1 - limit))
        if value <= limit and samples < needed:
            yield (
                f"{samples} samples cannot show a limit of {percent(limit)} to be kept ({name}), even where none is "
                f"broken; that takes {needed}."
            )


def _doubts(found: Replacement) -> Iterator[str]:
    runs = max(found.old_runs, found.new_runs)
    if runs < ENOUGH_RUNS:
        yield (
            f"what reseeding alone changes is not known: it takes {ENOUGH_RUNS} runs of a side, OLD has "
            f"{found.old_runs} and NEW {found.new_runs}."
        )
    elif found.beyond is not None and found.beyond.unevenness > 0.5:
        yield (
            f"runs differ too unevenly to say what reseeding alone changes: {points(found.beyond.reseeding)}, "
            "since a few of them stand out. Look at their accuracies, or add runs."
        )


def _worse(found: Replacement) -> str:
    assert found.correctness is not None  # noqa: S101  # without gold labels nothing is worse
    return f"accuracy changed by {points(found.correctness.difference, 'points')}."


def _broken(found: Replacement, limits: Limits, doubts: Sequence[str]) -> Iterator[Failure]:
    churn = _failure("max_churn", "churn", limits.max_churn, found.churn, found.beyond, limits, doubts)
    if churn is not None:
        yield churn
    if limits.max_negative_flips is None:
        return
    if found.correctness is None:
        raise InputError(
            f"{argument('max_negative_flips')} is {limits.max_negative_flips!r}, but no gold label is known, so no "
            f"flip is known to be negative; pass {argument('targets')}."
        )
    flips, beyond = found.correctness.negative_flips, found.correctness.beyond
    limit = limits.max_negative_flips
    failure = _failure("max_negative_flips", "negative flips", limit, flips, beyond, limits, doubts)
    if failure is not None:
        yield failure


def _failure(
    test: Literal["max_churn", "max_negative_flips"],
    what: str,
    limit: float | None,
    plain: Estimate,
    beyond: Excess | None,
    limits: Limits,
    doubts: Sequence[str],
) -> Failure | None:
    """Returns how a limit is not kept; None where it is, or there is none."""
    if limit is None:
        return None
    if limits.beyond_reseeding and (beyond is None or doubts):
        return Failure(test, f"{what} beyond reseeding: it cannot be judged, {doubts[0]}")
    judged, called = plain, what
    if limits.beyond_reseeding and beyond is not None:
        judged, called = beyond.beyond, f"{what} beyond reseeding"
    if judged.value <= limit:
        return None
    kept = "; the interval includes the limit" if judged.low <= limit else ""
    return Failure(test, f"{called}: {points(judged)} is above the limit of {percent(limit)}{kept}.")


def percent(share: float) -> str:
    """Returns a share in percent, with two decimals where it is small."""
    return f"{100 * share:.{2 if abs(share) < 0.1 else 1}f} %"


def points(found: Estimate, unit: str = "%") -> str:
    """Returns an estimate with its interval, in percent or percentage points."""
    digits = 2 if max(abs(found.low), abs(found.high)) < 0.1 else 1
    value, low, high = (f"{100 * number:.{digits}f}" for number in (found.value, found.low, found.high))
    return f"{value} {unit} [{low}, {high}]"
