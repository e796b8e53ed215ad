"""A gate: what changes, what that is, whether it may pass, and who changed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from reseed.instability.gate._replacement import Replacement
from reseed.instability.gate._reseeding import Excess
from reseed.instability.gate._verdict import Limits, Verdict
from reseed.statistics import Estimate

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class Gate:
    """A model beside the one that it shall replace.

    Attributes:
        old: What the model in use is called.
        new: What its replacement is called.
        found: What changes.
        limits: What may change at most.
        verdict: What that is, and whether it may pass.
        changed: Who changed, a row for each sample to which the runs of both sides mostly give different answers, the
            most different first: ``sample_id``, ``text`` where it is known, ``gold`` where it is known, ``old`` and
            ``new`` answer, ``differs`` (share of pairs of runs) and ``change``: ``negative flip``, ``win``, or
            ``other``; without a gold label, ``unknown``.
        notes: What a reader should know before believing the numbers.
    """

    old: str
    new: str
    found: Replacement
    limits: Limits
    verdict: Verdict
    changed: pa.Table
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the change may pass."""
        return self.verdict.passed

    @property
    def headline(self) -> str:
        """The first line: pass or fail, and what the change is."""
        return f"{'PASS' if self.passed else 'FAIL'}: {self.verdict.outcome}: {self.verdict.because}"

    @property
    def summary(self) -> dict[str, Any]:
        """JSON-ready numbers, every estimate with its 95 % interval beside it."""
        found, correct = self.found, self.found.correctness
        told: dict[str, Any] = {
            "reseed": version("reseed"),
            "passed": self.passed,
            "outcome": self.verdict.outcome,
            "because": self.verdict.because,
            "failures": [failure.says for failure in self.verdict.failures],
            "old": self.old,
            "new": self.new,
            "old_runs": found.old_runs,
            "new_runs": found.new_runs,
            "samples": found.samples,
            "samples_with_gold": correct.samples if correct else 0,
            "changed_samples": self.changed.num_rows,
            "resampled": found.resampled,
            "limits": asdict(self.limits),
            **_told("churn", found.churn),
            **_beyond("churn", found.beyond),
        }
        if correct is not None:
            told |= _told("negative_flips", correct.negative_flips) | _beyond("negative_flips", correct.beyond)
            told |= _told("wins", correct.wins)
            told |= _told("old_accuracy", correct.old_accuracy) | _told("new_accuracy", correct.new_accuracy)
            told |= _told("accuracy_difference", correct.difference)
            told["mcnemar_p_value"], told["mcnemar_pairs"] = correct.p_value, correct.pairs
            told["detectable_accuracy_difference"] = correct.least_detectable
        return told | {"notes": list(self.notes)}


def _told(name: str, found: Estimate) -> dict[str, Any]:
    return {name: found.value, f"{name}_ci95": [found.low, found.high]}


def _beyond(name: str, found: Excess | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {
        **_told(f"{name}_of_reseeding", found.reseeding),
        **_told(f"{name}_beyond_reseeding", found.beyond),
        f"detectable_{name}_beyond_reseeding": found.least_detectable,
        f"{name}_reseeding_sides": found.sides,
    }
