"""What each run of a study foretells, and what the other runs then do."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed._errors import StudyError
from reseed.instability._label_entropy import label_entropy
from reseed.instability._single_run_signals import BURN_IN, single_run_signals
from reseed.studies import Study

_SCORES = ("margin", "confidence", "entropy", "own_probability")
_LEAST_RUNS = 3


def held_out_runs(study: Study, burn_in: float = BURN_IN) -> Iterator[tuple[dict[str, Any], NDArray[np.float64]]]:
    """Yields, for each run of a study, its signals and the label entropy [sample] over the final labels of the others.

    Raises:
        StudyError: fewer than three runs are complete, or one checkpoint or no margins were recorded.
    """
    runs = len(study.manifests)
    if runs < _LEAST_RUNS:
        raise StudyError(
            f"the study {str(study.path)!r} has {runs} complete runs; {_LEAST_RUNS} or more are needed to tell how "
            "well one predicts the others."
        )
    if not has_trajectories(study):
        raise StudyError(
            f"the study {str(study.path)!r} holds no margins at several checkpoints; measure it with --every epoch "
            "and --level scores."
        )
    final = study.final("labels")
    for run in range(runs):
        yield run_signals(study, run, burn_in), np.asarray(label_entropy(np.delete(final, run, 0)))


def has_trajectories(study: Study) -> bool:
    """Tells whether a study recorded what the one-run estimate needs."""
    return {"margin", "confidence"} <= set(study.recorded_names()) and study.labels.sizes["checkpoint"] > 1


def run_signals(study: Study, run: int, burn_in: float = BURN_IN) -> dict[str, Any]:
    """Returns the signals of one run of a study, the run given by its position among the complete ones."""
    names = [name for name in _SCORES if name in study.recorded_names()]
    if not study.samples.has_targets and "own_probability" in names:
        names.remove("own_probability")
    arrays: dict[str, Any] = {name: study.recorded(name).isel(run=run).to_numpy() for name in names}
    with warnings.catch_warnings():  # samples without a target among others are known, and no weight needs them
        warnings.filterwarnings("ignore", "own_probability is NaN", RuntimeWarning)
        return single_run_signals(study.labels.isel(run=run).to_numpy(), burn_in=burn_in, **arrays)
