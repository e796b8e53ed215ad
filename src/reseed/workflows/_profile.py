"""The stability profile of a study: all per-sample scores side by side."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reseed._parts import Parts
from reseed.instability import (
    Multiplicity,
    TrainingDynamics,
    describe_columns,
    evaluate,
    multiplicity,
    sample_groups,
    training_dynamics,
)
from reseed.studies import Study

if TYPE_CHECKING:
    import pyarrow as pa


def profile(study: str | Path | Study) -> pa.Table:
    """Return one table with a row for each evaluation sample and a column for each score that the study allows.

    The columns of ``samples.parquet`` come first, then those of `multiplicity` (ranges and capacity only where full
    probabilities were recorded), then, where several checkpoints were recorded and targets are known, those of
    `training_dynamics`, averaged over runs. The trajectory's margin is the recorded one, of probabilities. What each
    column is, its unit, range and direction, is in the metadata of its field; see `reseed.instability.Column`. What a
    reader should know, such as which columns are missing and why, is in the metadata of the table, under ``notes``.

    Of a study of one run, what needs two is absent, see `reseed.instability.evaluate`.

    Args:
        study: A study, its folder or its URL.

    Raises:
        StudyError: There is no usable study.
        TrainingError: Fewer than two runs are complete, and not one with margins at several checkpoints.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     table = profile(Study.from_predictions([[0, 1, 1], [0, 1, 0]], folder + "/study"))
        ...     table["jitter"].to_pylist(), table["ambiguous"].to_pylist()
        ([0.0, 0.0, 1.0], [False, False, True])
    """
    opened = study if isinstance(study, Study) else Study.open(study)
    groups, stability, parts = sample_groups(opened), evaluate(opened), Parts()
    table = stability.samples
    table = parts.make("The columns of groups are missing", lambda: groups.append_to(table, opened), table)
    lenses: dict[str, Callable[[Study], Multiplicity | TrainingDynamics | None]] = {"training dynamics": study_dynamics}
    if len(opened.manifests) > 1:
        lenses = {"multiplicity": study_multiplicity, **lenses}
    for lens, measured in lenses.items():
        found = parts.make(f"The columns of {lens} are missing", partial(measured, opened), None)
        for name, values in ({} if found is None else found.samples).items():
            if name not in table.column_names:
                table = table.append_column(name, [np.asarray(values)])
    return describe_columns(table, (*stability.notes, *groups.notes, *parts.notes))


def profile_summary(study: str | Path | Study) -> dict[str, Any]:
    """Return the single numbers of `multiplicity` and `training_dynamics` for a study, see `profile`.

    Means have 95 % intervals beside them: those of multiplicity over other samples at the same runs, with whose number
    they grow; those of training dynamics over other runs on the same samples.

    Raises:
        StudyError: There is no usable study.
        InputError: Fewer than two runs are complete, and not one with several checkpoints and known targets.
    """
    opened = study if isinstance(study, Study) else Study.open(study)
    dynamics = study_dynamics(opened)
    if len(opened.manifests) == 1 and dynamics is not None:  # neither multiplicity nor an interval over runs
        return {name: value for name, value in dynamics.summary.items() if not name.endswith("_ci95_runs")}
    return {**study_multiplicity(opened).summary, **({} if dynamics is None else dynamics.summary)}


def study_multiplicity(study: Study) -> Multiplicity:
    """Return how much a study's runs differ at their last checkpoints; by loss where all targets are known.

    A run's loss is its error on the evaluation samples.
    """
    probabilities = study.final("probabilities") if "probabilities" in study.recorded_names() else None
    targets = study.targets if (study.targets >= 0).all() else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of an epsilon that few runs survive: their number is told
        return multiplicity(study.final("labels"), probabilities, targets=targets)


def study_dynamics(study: Study) -> TrainingDynamics | None:
    """Return how a study's runs came to their answers; None with a single checkpoint or without targets."""
    if study.labels.sizes["checkpoint"] < 2 or not study.samples.has_targets:
        return None
    recorded: dict[str, Any] = {
        name: study.recorded(name) for name in ("own_probability", "margin") if name in study.recorded_names()
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of samples without a target, whose columns are NaN
        return training_dynamics(study.labels, study.targets, **recorded)
