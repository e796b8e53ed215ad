"""The lens on a study of one run: what that run foretells of others that were not trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from reseed._arguments import setting
from reseed._errors import TrainingError
from reseed._parts import Parts
from reseed.instability.evaluation._about import about_recipe, about_study, run_notes
from reseed.instability.evaluation._samples_table import trajectory_label_entropy
from reseed.instability.one_run._foretold import has_trajectories, signals_by_run
from reseed.instability.one_run._single_run import default_model, share_of, single_run_score
from reseed.studies import Study

if TYPE_CHECKING:
    import pyarrow as pa

_FEW_CHECKPOINTS = 8


def one_run_samples(study: Study) -> pa.Table:
    """Return one row a sample: what the run answered and how likely others are to answer differently.

    Raises:
        TrainingError: The run has no margins at several checkpoints.
    """
    import pyarrow as pa

    if not has_trajectories(study):
        raise TrainingError(
            f"the study {str(study.path)!r} has 1 complete runs ({len(study.diverged)} diverged, {len(study.missing)} "
            "missing); two or more are needed, or one that recorded margins at several checkpoints: "
            f"{setting('every', 'epoch')} (of two epochs or more), {setting('level', 'scores')}."
        )
    samples, names = study.samples, study.header.class_names
    labels = study.final("labels")[0]
    model = default_model()
    signals = next(signals_by_run(study, names=model.signals))
    columns: dict[str, Any] = {
        "sample_id": list(samples.ids),
        "target": samples.targets,
        "target_name": [names[target] if target >= 0 else None for target in samples.targets.tolist()],
        "mode_label": labels,
        "mode_name": [names[label] for label in labels.tolist()],
    }
    if samples.has_targets:
        columns["accuracy"] = np.where(samples.targets >= 0, labels == samples.targets, np.nan)
        columns["own_probability_mean"] = study.final("own_probability")[0].astype(np.float64)
    for name in ("confidence", "margin"):
        columns[f"{name}_mean"] = study.final(name)[0].astype(np.float64)
    columns["trajectory_label_entropy"] = trajectory_label_entropy(study)
    columns["single_run_score"] = np.asarray(single_run_score(signals, model))
    columns["flip_probability"] = np.asarray(single_run_score(signals, replace(model, cut=0.0)))
    if samples.texts is not None:
        columns["text"] = list(samples.texts)
    return pa.table(columns)


def one_run_summary(study: Study, samples: pa.Table, parts: Parts) -> dict[str, Any]:
    """Return the flat numbers of a study of one run; those that need two are absent, and cost may be missing."""
    accuracy = study.manifests[0].accuracy
    probability = samples.column("flip_probability").to_numpy()
    model = default_model()
    share = share_of(probability, model)
    return {
        **about_study(study),
        "accuracy_mean": accuracy,
        "expected_unstable_fraction": share.value,
        "expected_unstable_fraction_ci95": [share.low, share.high],
        "expected_unstable_fraction_ci_method": share.method,
        "expected_unstable_runs": model.runs + 1,
        "likely_to_change": int((probability > 0.5).sum()),
        "trajectory_label_entropy_mean": float(samples.column("trajectory_label_entropy").to_numpy().mean()),
        "estimate_trained_on": list(model.trained_on),
        **about_recipe(study, parts),
    }


def one_run_notes(study: Study) -> Iterator[str]:
    """Yield what a reader should know before believing the estimate."""
    yield from study.header.notes
    yield from run_notes(study)
    yield (
        "One run was trained, so nothing was compared: what would change is estimated from its checkpoints, with "
        "weights learnt on other studies. On two intent data sets that its weights had not seen, such estimates ranked "
        "the samples with Spearman correlations of 0.75 and 0.74 with what 15 other runs did; on CIFAR-10 with 0.36. "
        "More runs, for example --runs 10, show what changes."
    )
    checkpoints = study.labels.sizes["checkpoint"]
    if checkpoints < _FEW_CHECKPOINTS:
        yield f"{checkpoints} checkpoints are few; the estimate was learnt on runs with 10 or more."
