"""What a comparison reads of a study: the first runs' last predictions, once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int, Integer

from reseed.instability.labels._label_entropy import label_entropy
from reseed.studies import Study
from reseed.training import TEMPERED


@dataclass(frozen=True, eq=False)
class ComparedRuns:
    """The last predictions of a study's first runs; what concerns the truth is of samples with a known target only.

    Attributes:
        labels: Predicted labels [run, sample].
        known: Positions of samples with a known target.
        targets: Theirs, [known].
        own_probability: Probability of the target, [run, known]; None where it was not recorded.
        confidence: Probability of the label that is answered, [run, known]; None where it was not recorded.
        tempered_own_probability: Probability of the target after temperature scaling, [run, known], where recorded.
        tempered_confidence: Probability of the label that is answered, after it.
    """

    labels: Integer[np.ndarray, "run sample"]
    known: Int[np.ndarray, " known"]
    targets: Int[np.ndarray, " known"]
    own_probability: Float[np.ndarray, "run known"] | None
    confidence: Float[np.ndarray, "run known"] | None
    tempered_own_probability: Float[np.ndarray, "run known"] | None
    tempered_confidence: Float[np.ndarray, "run known"] | None

    @cached_property
    def label_entropy(self) -> Float[np.ndarray, " sample"]:
        """Label entropy over the runs."""
        return np.asarray(label_entropy(self.labels))


def runs_of(study: Study, runs: int) -> ComparedRuns:
    """Returns what is compared of a study's first ``runs`` complete runs."""
    known = np.flatnonzero(study.targets >= 0)
    recorded = study.recorded_names()
    scores = [
        study.final(name)[:runs, known] if len(known) and name in recorded else None
        for name in ("own_probability", "confidence", f"{TEMPERED}own_probability", f"{TEMPERED}confidence")
    ]
    return ComparedRuns(study.final("labels")[:runs], known, study.targets[known], *scores)
