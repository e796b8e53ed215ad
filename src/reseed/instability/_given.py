"""What instability says of a study by the contract of all lenses, made from what the study recorded."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from reseed.instability._columns import COLUMNS, column_of
from reseed.instability.dynamics._training_dynamics import TrainingDynamics, run_columns, training_dynamics
from reseed.instability.evaluation._evaluate import evaluate
from reseed.instability.multiplicity._multiplicity import Multiplicity, multiplicity
from reseed.instability.one_run._one_run_scores import one_run_scores
from reseed.instability.where._sample_groups import sample_groups
from reseed.scores import Column, Scores, measured_rows
from reseed.studies import Study

_HEADLINES = ("label_entropy_mean", "unstable_fraction", "jitter", "accuracy_mean")


@final
@dataclass(frozen=True)
class Given:
    """Scores that follow from what a study recorded, so that they are made and not kept.

    Attributes:
        about: What they are, in words.
        make: Makes them; None where the study does not allow them.
        is_required: Whether a study of which they cannot be made is no study to look at.
        has_runs: Whether they have columns of single runs.
    """

    about: str
    make: Callable[[Study], Scores | None]
    is_required: bool = False
    has_runs: bool = False


def evaluation_scores(study: Study) -> Scores:
    """Return what `evaluate` says of samples, and its headline numbers."""
    found = evaluate(study)
    samples = {name: found.samples.column(name) for name in found.samples.column_names}
    headlines: dict[str, Any] = {}
    for name in _HEADLINES if len(study.manifests) > 1 else ():  # a single run is compared with none
        interval = f"{name.removesuffix('_mean')}_ci95"
        headlines |= {name: found.summary[name], interval: found.summary[interval]}
    return _scores("evaluation", study, samples, summary=headlines, notes=found.notes)


def group_scores(study: Study) -> Scores:
    """Return which group each sample is in, by every grouping that the study allows; see `sample_groups`."""
    groups = sample_groups(study)
    return _scores("groups", study, groups.columns(study), notes=groups.notes)


def multiplicity_scores(study: Study) -> Scores | None:
    """Return how much a study's runs differ at their last checkpoints; None with a single run.

    By loss where all targets are known: a run's loss is its error on the evaluation samples. Ranges and capacity are
    there only where full probabilities were recorded.
    """
    if len(study.manifests) < 2:
        return None
    probabilities = study.final("probabilities") if "probabilities" in study.recorded_names() else None
    targets = study.targets if (study.targets >= 0).all() else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of an epsilon that few runs survive: their number is told
        found: Multiplicity = multiplicity(study.final("labels"), probabilities, targets=targets)
    return _scores("multiplicity", study, found.samples, summary=found.summary)


def dynamics_scores(study: Study) -> Scores | None:
    """Return how a study's runs came to their answers; None with a single checkpoint or without targets.

    The margin along the way is the recorded one, of probabilities. Of the entropy of labels along the way `evaluate`
    has the column.
    """
    if study.labels.sizes["checkpoint"] < 2 or not study.samples.has_targets:
        return None
    recorded: dict[str, Any] = {
        name: study.recorded(name) for name in ("own_probability", "margin") if name in study.recorded_names()
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of samples without a target, whose columns are NaN
        found: TrainingDynamics = training_dynamics(study.labels, study.targets, **recorded)
    names, labels = [name for name in found.samples if name != "trajectory_label_entropy"], study.labels

    def measure(run: int) -> Mapping[str, NDArray[Any]]:
        of_run = {name: values[run].to_numpy() for name, values in recorded.items()}
        return run_columns(labels[run].to_numpy(), study.targets, **of_run)

    rows = measured_rows(measure, names, (len(study.manifests), len(study.samples)))
    return _scores("dynamics", study, {name: found.samples[name] for name in names}, rows, found.summary)


GIVEN: tuple[Given, ...] = (
    Given("what was measured", evaluation_scores, is_required=True),
    Given("groups", group_scores),
    Given("multiplicity", multiplicity_scores),
    Given("training dynamics", dynamics_scores, has_runs=True),
    Given("single runs", one_run_scores, has_runs=True),
)
"""In the order of the profile's columns."""


def _scores(
    lens: str,
    study: Study,
    samples: Mapping[str, Any],
    by_run: Mapping[str, Any] | None = None,
    summary: Mapping[str, Any] | None = None,
    notes: Collection[str] = (),
) -> Scores:
    return Scores(
        lens=lens,
        ids=study.samples.ids,
        columns={name: COLUMNS[name] for name in samples} | _described(summary or {}),
        samples={name: np.asarray(values) if isinstance(values, list) else values for name, values in samples.items()},
        by_run=by_run or {},
        runs=tuple(manifest.run for manifest in study.manifests) if by_run else (),
        summary=summary or {},
        notes=tuple(notes),
    )


def _described(names: Iterable[str]) -> dict[str, Column]:
    return {name: found for name in names if (found := column_of(name)) is not None}
