"""Writing a run whose predictions are already there: one checkpoint, made by somebody else's training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from reseed.studies._cost import Cost
from reseed.studies._manifest import Manifest, environment
from reseed.studies._samples import Samples
from reseed.studies._store import run_writer
from reseed.studies._study import EVALUATION
from reseed.training import Level, probability_arrays


@final
@dataclass(frozen=True, eq=False)
class Predicted:
    """What one run answers.

    Args:
        labels: Positions among the classes, [sample].
        probabilities: What stands beside them, [sample, class]; None where there is no such.
    """

    labels: NDArray[Any]
    probabilities: NDArray[Any] | None = None

    @classmethod
    def of(cls, probabilities: NDArray[Any]) -> Predicted:
        """Take the most probable class as the answer, the lowest one at ties."""
        return cls(probabilities.argmax(1), probabilities)

    def arrays(self, targets: NDArray[np.int64], level: Level) -> dict[str, NDArray[Any]]:
        """Return what is recorded, see `probability_arrays`."""
        beside = {} if self.probabilities is None else probability_arrays(self.probabilities, targets, level)
        return beside | {"labels": self.labels}

    @property
    def answered_otherwise(self) -> int:
        """How many answers are not the most probable class, ties aside."""
        if self.probabilities is None:
            return 0
        answered = np.take_along_axis(self.probabilities, self.labels[:, None], 1)[:, 0]
        return int((answered < self.probabilities.max(1)).sum())


def write_single_run(
    root: Path,
    run: int,
    predicted: Predicted,
    samples: Samples,
    level: Level,
    *,
    seeds: dict[str, int] | None = None,
    cost: Cost | None = None,
    recipe: str = "",
) -> Manifest:
    """Write what one run answers, and make it exist."""
    known = samples.targets >= 0
    accuracy = float((predicted.labels == samples.targets)[known].mean()) if samples.has_targets else None
    with run_writer(root, run, 1, len(samples.class_names)) as writer:
        writer.write(EVALUATION, 0, predicted.arrays(samples.targets, level))
        manifest = Manifest(
            run,
            "complete",
            writer.name,
            (0,),
            samples.digest,
            seeds=seeds or {},
            accuracy=accuracy,
            cost=cost or Cost(),
            environment=environment(),
            recipe=recipe,
            answered_otherwise=predicted.answered_otherwise,
        )
        writer.finish(manifest)
    return manifest
