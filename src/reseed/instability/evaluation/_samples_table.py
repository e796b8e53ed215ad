"""One row a sample: what `evaluate` says of each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reseed._parts import Parts
from reseed.instability._blocks import sample_ranges
from reseed.instability.evaluation._label_pass import LabelPass
from reseed.instability.evaluation._score_pass import mean_and_std
from reseed.instability.labels._label_entropy import label_entropy
from reseed.instability.one_run._foretold import has_trajectories, signals_by_run
from reseed.instability.one_run._single_run import default_model, single_run_score
from reseed.studies import Study

if TYPE_CHECKING:
    import pyarrow as pa

_SCORES = ("confidence", "own_probability", "margin")


def samples_table(study: Study, found: LabelPass, advance: Callable[[int], None], parts: Parts) -> pa.Table:
    """Return the table; reads scores and earlier checkpoints, and tells ``advance`` how many values were done.

    What single runs say along their checkpoints is among the ``parts`` that it can do without.
    """
    import pyarrow as pa

    samples = study.samples
    known = samples.targets >= 0
    names = pa.array(study.header.class_names, pa.string())
    columns: dict[str, Any] = {
        "sample_id": pa.array(samples.ids, pa.string()),
        "target": samples.targets,
        "target_name": names.take(pa.array(samples.targets, mask=~known)),
        "label_entropy": found.label_entropy,
        "jitter": found.jitter,
        "unstable": found.unstable,
        "mode_label": found.mode_label,
        "mode_name": names.take(pa.array(found.mode_label)),
        "mode_share": found.mode_share,
        "mode_tied": found.mode_tied,
        "accuracy": np.where(known, found.right, np.nan),
    }
    recorded = set(study.recorded_names())
    for name in _SCORES:
        unknown = np.full(len(samples), np.nan)
        mean, std = mean_and_std(study.final_array(name), advance) if name in recorded else (unknown, unknown)
        columns |= {f"{name}_mean": mean, f"{name}_std": std}
    along: dict[str, Callable[[], NDArray[np.float64]]] = {}
    if len(study.manifests[0].steps) > 1:
        along["trajectory_label_entropy"] = partial(trajectory_label_entropy, study, advance)
    if has_trajectories(study):
        along["single_run_score"] = partial(_single_run_scores, study, advance)
    for name, made in along.items():
        column = parts.make(f"The column {name} is missing", made, None)
        columns |= {} if column is None else {name: column}
    columns["answers"] = found.answers
    if samples.texts is not None:
        columns["text"] = pa.array(samples.texts, pa.string())
    return pa.table(columns)


def values_read(study: Study) -> int:
    """Return how many recorded values are read for the labels and the table."""
    checkpoints = len(study.manifests[0].steps)
    several = checkpoints if checkpoints > 1 else 0
    last = 1 + len(set(_SCORES) & set(study.recorded_names()))
    earlier = several * (2 if has_trajectories(study) else 1)
    return len(study.manifests) * len(study.samples) * (last + earlier)


def trajectory_label_entropy(study: Study, advance: Callable[[int], None] = lambda values: None) -> NDArray[np.float64]:
    """Return the mean over runs of label entropy along each run, [sample]."""
    labels = study.labels
    runs, checkpoints, samples = labels.shape
    total = np.zeros(samples)
    for run in range(runs):
        for some in sample_ranges(samples, checkpoints * labels.dtype.itemsize):
            total[some] += label_entropy(labels[run, :, some].to_numpy())
        advance(checkpoints * samples)
    total /= runs
    return total


def _single_run_scores(study: Study, advance: Callable[[int], None]) -> NDArray[np.float64]:
    """Return the mean over runs of what each run by itself says of the others, [sample]."""
    total = np.zeros(len(study.samples))
    for signals in signals_by_run(study, names=default_model().signals):
        total += single_run_score(signals)
        advance(len(study.manifests[0].steps) * len(study.samples))
    total /= len(study.manifests)
    return total
