"""The lens on a study: every measure of local instability that its recorded predictions allow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reseed._errors import TrainingError
from reseed.instability._answered import answered
from reseed.instability._by_group import by_group
from reseed.instability._estimate import Estimate, Method, estimate, t_interval
from reseed.instability._flip_pairs import FlipPairs, flip_pairs
from reseed.instability._foretold import has_trajectories, signals_by_run
from reseed.instability._label_entropy import label_entropy
from reseed.instability._probabilities import confidence_mean_std
from reseed.instability._single_run import default_model, single_run_score
from reseed.instability._statistics import LabelStatistics, label_statistics
from reseed.instability._unstable import Rarefaction, flip_probability_upper_bound, rarefaction
from reseed.studies import Study, cost_summary

if TYPE_CHECKING:
    import pyarrow as pa

HIGH_LABEL_ENTROPY = 0.56  # nats; just below that of a 75/25 split
_PAIRS = 20


@dataclass(frozen=True)
class ClassStability:
    """How stable the samples of one class are.

    Attributes:
        label: Index of the class: the gold label where targets are known, else the most frequent answer.
        samples: Number of samples.
        accuracy: Share of right answers over samples and runs; NaN without targets.
        label_entropy: Mean label entropy in nats.
    """

    label: int
    samples: int
    accuracy: float
    label_entropy: float


@dataclass(frozen=True, eq=False)
class Stability:
    """What a study says about local instability.

    Attributes:
        summary: Flat, JSON-ready numbers of the whole study; every mean has its interval beside it.
        samples: One row a sample: id, target, label entropy, jitter, most frequent label and its share, the
            distribution of answers, confidence over runs; with margins at several checkpoints also the mean over runs
            of `single_run_score`.
        classes: Classes, the least stable first.
        pairs: Pairs of labels between which runs flip, the most confused first.
        rarefaction: Unstable fraction against number of runs.
        notes: What a reader should know before believing the numbers.
    """

    summary: dict[str, Any]
    samples: pa.Table
    classes: tuple[ClassStability, ...]
    pairs: FlipPairs
    rarefaction: Rarefaction
    notes: tuple[str, ...]


def evaluate(study: Study) -> Stability:
    """Measure a study's local instability from the predictions at each run's last checkpoint.

    Runs that diverged or are missing are left out and counted. Label entropy is that of Datta et al. (Findings
    of ACL 2023) in nats, over the runs; ``trajectory_label_entropy`` is the same along each run's checkpoints,
    averaged over runs. Means over the data set carry two-way intervals (runs by the jackknife, samples by the
    bootstrap's closed form); with two runs only the samples' part.

    Args:
        study: A study with two or more complete runs.

    Raises:
        TrainingError: Fewer than two runs are complete.
    """
    check_runs(study)
    labels = study.final("labels")
    statistics = label_statistics(labels)
    trajectory = _trajectory_label_entropy(study)
    return Stability(
        _summary(study, labels, trajectory),
        _samples_table(study, labels, statistics, trajectory),
        _classes(study, labels, statistics),
        flip_pairs(labels, num_classes=len(study.samples.class_names), top=_PAIRS),
        rarefaction(labels),
        tuple(_notes(study, labels)),
    )


def check_runs(study: Study) -> None:
    """Accept a study with two or more complete runs.

    Raises:
        TrainingError: There are fewer.
    """
    runs = len(study.manifests)
    if runs < 2:
        raise TrainingError(
            f"the study {str(study.path)!r} has {runs} complete runs ({len(study.diverged)} diverged, "
            f"{len(study.missing)} missing); two or more are needed."
        )


def _summary(study: Study, labels: NDArray[np.integer], trajectory: NDArray[np.float64] | None) -> dict[str, Any]:
    header, runs = study.header, len(study.manifests)
    method: Method = "two-way" if runs > 2 else "samples"
    entropy = estimate(labels, "label_entropy", method)
    jitter = estimate(labels, "jitter", method)
    unstable = estimate(labels, "unstable_fraction", method)
    per_sample = label_entropy(labels)
    return {
        "reseed": version("reseed"),
        "dataset": header.dataset,
        "model": header.model,
        "runs": runs,
        "runs_requested": header.runs,
        "runs_missing": len(study.missing),
        "runs_diverged": len(study.diverged),
        "samples": len(study.samples),
        "classes": len(header.class_names),
        **_accuracy(study),
        "label_entropy_mean": entropy.value,
        "label_entropy_ci95": _ends(entropy),
        "label_entropy_ci_method": method,
        "label_entropy_corrected_mean": float(label_entropy(labels, correction="digamma").mean()),
        "high_entropy_fraction": float((per_sample > HIGH_LABEL_ENTROPY).mean()),
        "unstable_fraction": unstable.value,
        "unstable_fraction_ci95": _ends(unstable),
        "unstable_fraction_ci_method": method,
        "unstable_samples": int((labels != labels[0]).any(0).sum()),
        "jitter": jitter.value,
        "jitter_ci95": _ends(jitter),
        "jitter_ci_method": method,
        "flip_upper_bound": flip_probability_upper_bound(runs),
        **_answered(study, labels),
        "trajectory_label_entropy_mean": None if trajectory is None else float(trajectory.mean()),
        "base_seed": header.base_seed,
        "vary": list(header.vary),
        "recipe": header.recipe,
        "data": header.data,
        **{f"parameters_{name}": count for name, count in header.parameters.items()},
        **cost_summary(study),
    }


def _accuracy(study: Study) -> dict[str, Any]:
    """Return the mean accuracy over runs with its t-interval over runs."""
    values = np.array([manifest.accuracy for manifest in study.manifests if manifest.accuracy is not None])
    if len(values) < 2:
        return {"accuracy_mean": None, "accuracy_std": None, "accuracy_ci95": None}
    mean, low, high = t_interval(values)
    return {"accuracy_mean": mean, "accuracy_std": float(values.std(ddof=1)), "accuracy_ci95": [low, high]}


def _answered(study: Study, labels: NDArray[np.integer]) -> dict[str, Any]:
    """Return how much runs answer and how stable that is, where they may abstain."""
    if "abstains" not in study.recorded_names():
        return {}
    found = answered(labels, study.final("abstains"))
    return {
        "coverage_mean": found.coverage,
        "coverage_ci95": list(found.coverage_ci95),
        "always_answered_fraction": found.always,
        "answered_label_entropy_mean": _known(found.label_entropy),
        "answered_label_entropy_ci95": _known(found.label_entropy_ci95),
        "answered_jitter": _known(found.jitter),
        "answered_jitter_ci95": _known(found.jitter_ci95),
    }


def _known(value: Any) -> Any:
    """Return a number, or the ends of an interval as a list; None where it is not a number."""
    return None if np.isnan(value).any() else list(value) if isinstance(value, tuple) else value


def _ends(found: Estimate) -> list[float]:
    return [found.low, found.high]


def _samples_table(
    study: Study, labels: NDArray[np.integer], statistics: LabelStatistics, trajectory: NDArray[np.float64] | None
) -> pa.Table:
    import pyarrow as pa

    samples, names = study.samples, study.header.class_names
    known = samples.targets >= 0
    columns: dict[str, Any] = {
        "sample_id": list(samples.ids),
        "target": samples.targets,
        "target_name": [names[target] if target >= 0 else None for target in samples.targets.tolist()],
        "label_entropy": statistics.label_entropy,
        "jitter": statistics.jitter,
        "unstable": statistics.mode_share < 1.0,
        "mode_label": statistics.mode_label,
        "mode_name": [names[label] for label in statistics.mode_label.tolist()],
        "mode_share": statistics.mode_share,
        "accuracy": np.where(known, (labels == samples.targets).mean(0), np.nan),
    }
    recorded = set(study.recorded_names())
    for column, name in (("confidence", "confidence"), ("own_probability", "own_probability"), ("margin", "margin")):
        columns |= _mean_and_std(study, name, column, name in recorded)
    if trajectory is not None:
        columns["trajectory_label_entropy"] = trajectory
    if has_trajectories(study):
        columns["single_run_score"] = _single_run_scores(study)
    answer = pa.struct([("label", pa.int32()), ("count", pa.int32())])
    columns["answers"] = pa.array(_answers(labels), pa.list_(answer))
    if samples.texts is not None:
        columns["text"] = list(samples.texts)
    return pa.table(columns)


def _mean_and_std(study: Study, name: str, column: str, is_recorded: bool) -> dict[str, Any]:
    """Return mean and standard deviation over runs of a recorded score; NaN where it is not known."""
    unknown = np.full(len(study.samples), np.nan)
    if not is_recorded:
        return {f"{column}_mean": unknown, f"{column}_std": unknown}
    values = study.final(name)
    known = ~np.isnan(values).any(0)
    mean, std = unknown, unknown.copy()
    mean[known], std[known] = confidence_mean_std(values[:, known])
    return {f"{column}_mean": mean, f"{column}_std": std}


def _answers(labels: NDArray[np.integer]) -> list[list[dict[str, int]]]:
    """Return each sample's distinct answers with their counts, the most frequent first."""
    runs = len(labels)
    agreed = [[{"label": label, "count": runs}] for label in labels[0].tolist()]
    for sample in np.flatnonzero((labels != labels[0]).any(0)).tolist():
        distinct, counts = np.unique(labels[:, sample], return_counts=True)
        order = np.argsort(-counts, kind="stable")
        agreed[sample] = [
            {"label": label, "count": count}
            for label, count in zip(distinct[order].tolist(), counts[order].tolist(), strict=True)
        ]
    return agreed


def _trajectory_label_entropy(study: Study) -> NDArray[np.float64] | None:
    """Return the mean over runs of label entropy along each run, [sample]; None with a single checkpoint."""
    labels = study.labels
    if labels.sizes["checkpoint"] < 2:
        return None
    total = np.zeros(len(study.samples))
    for run in range(labels.sizes["run"]):
        total += label_entropy(labels.isel(run=run).to_numpy())
    return total / labels.sizes["run"]


def _single_run_scores(study: Study) -> NDArray[np.float64]:
    """Return the mean over runs of what each run by itself says of the others, [sample]."""
    total = np.zeros(len(study.samples))
    for signals in signals_by_run(study, names=default_model().signals):
        total += np.asarray(single_run_score(signals))
    return total / len(study.manifests)


def _classes(study: Study, labels: NDArray[np.integer], statistics: LabelStatistics) -> tuple[ClassStability, ...]:
    targets = study.targets
    has_targets = study.samples.has_targets
    groups = targets if has_targets else np.asarray(statistics.mode_label)
    entropy = by_group(statistics.label_entropy, groups)
    right = by_group((labels == targets).mean(0), groups)
    rows = [
        ClassStability(label, count, share if has_targets else math.nan, mean)
        for label, count, share, mean in zip(
            entropy.group.tolist(), entropy.count.tolist(), right.mean.tolist(), entropy.mean.tolist(), strict=True
        )
        if label >= 0
    ]
    return tuple(sorted(rows, key=lambda row: (-row.label_entropy, row.label)))


def _notes(study: Study, labels: NDArray[np.integer]) -> Iterator[str]:
    yield from study.header.notes
    runs = len(study.manifests)
    if study.missing:
        yield f"{len(study.missing)} of {study.header.runs} runs are missing; the numbers speak of {runs} runs."
    if study.diverged:
        which = ", ".join(f"run {manifest.run} at step {manifest.diverged_at}" for manifest in study.diverged[:5])
        more = ", ..." if len(study.diverged) > 5 else ""
        yield f"{len(study.diverged)} runs diverged ({which}{more}) and are left out of every number."
    if runs < 5:
        yield f"{runs} runs are few: most samples that can flip have not been seen to; 10 or more are advised."
    if runs == 2:
        yield "With two runs the intervals cover other samples only, not other runs."
    if (labels == labels[0]).all() and _scores_are_equal(study):
        yield "All runs gave identical predictions; if that is a surprise, check that training uses its seed."


def _scores_are_equal(study: Study) -> bool:
    if "confidence" not in study.recorded_names():
        return True
    confidence = study.final("confidence")
    return bool((confidence == confidence[0]).all())
