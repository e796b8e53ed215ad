"""What each run of a study foretells, and what the other runs then do."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed._errors import StudyError
from reseed.instability._label_entropy import label_entropy
from reseed.instability._single_run_signals import BURN_IN, arrays_needed, late_from, single_run_signals
from reseed.studies import Study

_SCORES = ("margin", "confidence", "entropy", "own_probability")
_PASSES = ("label_entropy", "margin")
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
    for run, signals in enumerate(signals_by_run(study, burn_in)):
        yield signals, np.asarray(label_entropy(np.delete(final, run, 0)))


def has_trajectories(study: Study) -> bool:
    """Tells whether a study recorded what the one-run estimate needs."""
    return {"margin", "confidence"} <= set(study.recorded_names()) and study.labels.sizes["checkpoint"] > 1


def signals_by_run(
    study: Study, burn_in: float = BURN_IN, names: Collection[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Yields the signals of each complete run of a study; reads what they need, one run at a time."""
    wanted = {*_SCORES, *(f"dropout_{name}" for name in _PASSES)} if names is None else arrays_needed(names)
    recorded = [name for name in _SCORES if name in wanted and name in study.recorded_names()]
    if not study.samples.has_targets and "own_probability" in recorded:
        recorded.remove("own_probability")
    labels = study.labels
    late = {"checkpoint": slice(late_from(labels.sizes["checkpoint"], burn_in), None)}
    scores = {name: study.recorded(name).isel(late) for name in recorded}
    labels = labels.isel(late)
    passes = {name: study.dropout(name) for name in _PASSES if study.has_dropout_passes and f"dropout_{name}" in wanted}
    for run in range(labels.sizes["run"]):
        arrays: dict[str, Any] = {name: values.isel(run=run).to_numpy() for name, values in scores.items()}
        arrays |= {f"dropout_{name}": values[run] for name, values in passes.items()}
        with warnings.catch_warnings():  # samples without a target among others are known, and no weight needs them
            warnings.filterwarnings("ignore", "own_probability is NaN", RuntimeWarning)
            yield single_run_signals(labels.isel(run=run).to_numpy(), burn_in=0, names=names, **arrays)
