"""What each run of a study says by itself, by the contract of all lenses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed.instability.one_run._columns import ONE_RUN, name_of
from reseed.instability.one_run._foretold import has_trajectories, scores_recorded, signals_reader
from reseed.instability.one_run._single_run import default_model, single_run_score
from reseed.instability.one_run._single_run_signals import PASSES, signals_of
from reseed.scores import Scores, measured_rows
from reseed.studies import Study

_CONFIDENCE = "final_confidence"
_OF_ONE_CHECKPOINT = ("final_margin", "final_entropy", "final_own_probability", *PASSES)


def one_run_scores(study: Study) -> Scores | None:
    """Return the signals of each run, the one-run score where they allow it, and the final confidence.

    Of a single checkpoint there is what was recorded at it. All are of single runs, and measured when a run is asked
    for; samples have no columns here, since `evaluate` has theirs.

    Returns:
        The scores of the lens ``one_run``; None where only labels of one checkpoint were recorded.
    """
    recorded = scores_recorded(study)
    signals = signals_of([*recorded, *(PASSES if study.has_dropout_passes else ())])
    if len(study.manifests[0].steps) < 2:  # nothing is late, nothing changes
        signals = tuple(name for name in signals if name in _OF_ONE_CHECKPOINT)
    names = [name_of(name) for name in signals]
    if has_score := has_trajectories(study):
        names.insert(0, name_of("score"))
    if has_confidence := "confidence" in recorded:
        names.append(_CONFIDENCE)
    if not names:
        return None

    signals_of_run = signals_reader(study, names=signals) if signals else None
    confidence = study.final_array("confidence") if has_confidence else None

    def measure(run: int) -> Mapping[str, NDArray[Any]]:
        found = {} if signals_of_run is None else signals_of_run(run)
        columns = {name_of(name): values for name, values in found.items()}
        if has_score:
            columns[name_of("score")] = np.asarray(single_run_score(found, default_model()))
        if confidence is not None:
            columns[_CONFIDENCE] = confidence.row(run)
        return columns

    return Scores(
        lens="one_run",
        ids=study.samples.ids,
        columns={name: ONE_RUN[name] for name in names},
        by_run=measured_rows(measure, names, (len(study.manifests), len(study.samples))),
        runs=tuple(manifest.run for manifest in study.manifests),
    )
