"""Writing a run whose predictions are already there: one checkpoint, made by somebody else's training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from reseed.studies._cost import Cost
from reseed.studies._manifest import Manifest, environment
from reseed.studies._samples import Samples
from reseed.studies._store import run_writer
from reseed.studies._study import EVALUATION
from reseed.training import Level, probability_arrays


def write_single_run(
    root: Path,
    run: int,
    predictions: NDArray[Any],
    samples: Samples,
    level: Level,
    *,
    seeds: dict[str, int] | None = None,
    cost: Cost | None = None,
    recipe: str = "",
) -> Manifest:
    """Write one run of label indices [sample] or probabilities [sample, class], and make it exist."""
    arrays = (
        {"labels": predictions} if predictions.ndim == 1 else probability_arrays(predictions, samples.targets, level)
    )
    known = samples.targets >= 0
    accuracy = float((arrays["labels"] == samples.targets)[known].mean()) if samples.has_targets else None
    with run_writer(root, run, 1, len(samples.class_names)) as writer:
        writer.write(EVALUATION, 0, arrays)
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
        )
        writer.finish(manifest)
    return manifest
