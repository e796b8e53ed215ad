"""The lens on a study: every measure of local instability that its recorded predictions allow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from reseed._errors import TrainingError
from reseed.instability._by_group import by_group
from reseed.instability._estimate import Estimate, t_interval
from reseed.instability._flip_pairs import FlipPairs
from reseed.instability._label_pass import STATISTICS, LabelPass, label_pass
from reseed.instability._samples_table import samples_table, values_read
from reseed.instability._score_pass import all_equal
from reseed.instability._unstable import Rarefaction, flip_probability_upper_bound
from reseed.studies import ReadingProgress, Study, cost_summary

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

    Samples are read in blocks of 134 MB over all runs, so that memory grows with what is returned, not with the
    predictions. Where many are read and standard error is a terminal, a progress bar is shown there.

    Args:
        study: A study with two or more complete runs.

    Raises:
        TrainingError: Fewer than two runs are complete.
    """
    check_runs(study)
    with ReadingProgress(values_read(study)) as progress:
        found = label_pass(study.final_array("labels"), study.targets, _PAIRS, progress.advance)
        samples = samples_table(study, found, progress.advance)
    return Stability(
        _summary(study, found, samples),
        samples,
        _classes(study, found),
        found.pairs,
        found.rarefaction,
        tuple(_notes(study, found)),
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


def _summary(study: Study, found: LabelPass, samples: pa.Table) -> dict[str, Any]:
    header, runs = study.header, len(study.manifests)
    entropy, jitter, unstable = (found.estimate(name) for name in STATISTICS)
    trajectory = samples["trajectory_label_entropy"] if "trajectory_label_entropy" in samples.column_names else None
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
        "label_entropy_ci_method": entropy.method,
        "label_entropy_corrected_mean": float(found.corrected_entropy.mean()),
        "high_entropy_fraction": float((found.label_entropy > HIGH_LABEL_ENTROPY).mean()),
        "unstable_fraction": unstable.value,
        "unstable_fraction_ci95": _ends(unstable),
        "unstable_fraction_ci_method": unstable.method,
        "unstable_samples": int(found.unstable.sum()),
        "jitter": jitter.value,
        "jitter_ci95": _ends(jitter),
        "jitter_ci_method": jitter.method,
        "flip_upper_bound": flip_probability_upper_bound(runs),
        "trajectory_label_entropy_mean": None if trajectory is None else float(trajectory.to_numpy().mean()),
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


def _ends(found: Estimate) -> list[float]:
    return [found.low, found.high]


def _classes(study: Study, found: LabelPass) -> tuple[ClassStability, ...]:
    targets = study.targets
    has_targets = study.samples.has_targets
    groups = targets if has_targets else found.mode_label
    entropy = by_group(found.label_entropy, groups)
    right = by_group(found.right, groups)
    rows = [
        ClassStability(label, count, share if has_targets else math.nan, mean)
        for label, count, share, mean in zip(
            entropy.group.tolist(), entropy.count.tolist(), right.mean.tolist(), entropy.mean.tolist(), strict=True
        )
        if label >= 0
    ]
    return tuple(sorted(rows, key=lambda row: (-row.label_entropy, row.label)))


def _notes(study: Study, found: LabelPass) -> Iterator[str]:
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
    if not found.unstable.any() and _scores_are_equal(study):
        yield "All runs gave identical predictions; if that is a surprise, check that training uses its seed."


def _scores_are_equal(study: Study) -> bool:
    return "confidence" not in study.recorded_names() or all_equal(study.final_array("confidence"))
