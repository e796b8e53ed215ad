"""The lens on a study: every measure of local instability that its recorded predictions allow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from reseed._errors import TrainingError
from reseed._parts import Parts
from reseed.instability.evaluation._about import about_recipe, about_study, run_notes
from reseed.instability.evaluation._answered import answered
from reseed.instability.evaluation._equal import equal_notes
from reseed.instability.evaluation._label_pass import STATISTICS, LabelPass, label_pass
from reseed.instability.evaluation._one_run import one_run_notes, one_run_samples, one_run_summary
from reseed.instability.evaluation._samples_table import samples_table, values_read
from reseed.instability.labels._accuracy_spread import AccuracySpread, calibrated_accuracy_std
from reseed.instability.labels._by_group import by_group
from reseed.instability.labels._flip_pairs import FlipPairs
from reseed.instability.labels._unstable import Rarefaction, flip_probability_upper_bound
from reseed.statistics import Estimate, t_interval
from reseed.studies import ReadingProgress, Study

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

    Of a study of one run it holds what that run foretells, an estimate; what needs two runs is absent.

    Attributes:
        summary: Flat, JSON-ready numbers of the whole study; every mean has its interval beside it.
        samples: One row a sample: id, target, label entropy, jitter, most frequent label and its share, the
            distribution of answers, confidence over runs; with margins at several checkpoints also the mean over runs
            of `single_run_score`. Of one run, those that one run has, and `flip_probability`.
        classes: Classes, the least stable first; none of one run.
        pairs: Pairs of labels between which runs flip, the most confused first; None of one run.
        rarefaction: Unstable fraction against number of runs; None of one run.
        notes: What a reader should know before believing the numbers.
    """

    summary: dict[str, Any]
    samples: pa.Table
    classes: tuple[ClassStability, ...]
    pairs: FlipPairs | None
    rarefaction: Rarefaction | None
    notes: tuple[str, ...]


def evaluate(study: Study) -> Stability:
    """Measure a study's local instability from the predictions at each run's last checkpoint.

    Runs that diverged or are missing are left out and counted. Label entropy is that of Datta et al. (Findings
    of ACL 2023) in nats, over the runs; ``trajectory_label_entropy`` is the same along each run's checkpoints,
    averaged over runs. Means over the data set carry two-way intervals (runs by the jackknife, samples by the
    bootstrap's closed form); with two runs only the samples' part.

    Of a single run nothing is compared: `flip_probability` of each sample, and from it the share of samples to expect
    among which another 15 trainings would not all agree, are estimated from its checkpoints, see `single_run_score`.

    Samples are read in blocks of 134 MB over all runs, so that memory grows with what is returned, not with the
    predictions; labels of runs that may abstain are held whole. Where many are read and standard error is a
    terminal, a progress bar is shown there.

    What the headline numbers can do without (the columns of single runs, the table of classes, cost) is left out where
    it cannot be made, with a note that says why.

    Args:
        study: A study with two or more complete runs, or one with margins at several checkpoints.

    Raises:
        TrainingError: Fewer runs are complete.
    """
    parts = Parts()
    if len(study.manifests) == 1:
        samples = one_run_samples(study)
        summary = one_run_summary(study, samples, parts)
        return Stability(summary, samples, (), None, None, (*one_run_notes(study), *parts.notes))
    check_runs(study)
    with ReadingProgress(values_read(study)) as progress:
        found = label_pass(study.final_array("labels"), study.targets, _PAIRS, progress.advance)
        samples = samples_table(study, found, progress.advance, parts)
    summary = _summary(study, found, samples, parts)
    classes: tuple[ClassStability, ...] = parts.make(
        "The table of classes is missing", lambda: _classes(study, found), ()
    )
    return Stability(summary, samples, classes, found.pairs, found.rarefaction, (*_notes(study, found), *parts.notes))


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


def _summary(study: Study, found: LabelPass, samples: pa.Table, parts: Parts) -> dict[str, Any]:
    runs = len(study.manifests)
    entropy, jitter, unstable = (found.estimate(name) for name in STATISTICS)
    trajectory = samples["trajectory_label_entropy"] if "trajectory_label_entropy" in samples.column_names else None
    return {
        **about_study(study),
        **_accuracy(study, found.spread),
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
        **parts.make("What runs that may abstain answer is missing", lambda: _answered(study), {}),
        "trajectory_label_entropy_mean": None if trajectory is None else float(trajectory.to_numpy().mean()),
        **about_recipe(study, parts),
    }


def _accuracy(study: Study, spread: AccuracySpread | None) -> dict[str, Any]:
    """Return the mean accuracy over runs with its t-interval over runs, and how far apart runs are."""
    values = np.array([manifest.accuracy for manifest in study.manifests if manifest.accuracy is not None])
    if len(values) < 2:
        return {"accuracy_mean": None, "accuracy_std": None, "accuracy_ci95": None}
    mean, low, high = t_interval(values, bottom=0.0, top=1.0)
    about = {"accuracy_mean": mean, "accuracy_std": float(values.std(ddof=1)), "accuracy_ci95": [low, high]}
    return about if spread is None else about | _spread(spread, len(study.header.class_names))


def _spread(found: AccuracySpread, classes: int) -> dict[str, Any]:
    """Return how far apart runs are on the distribution, and how much better the best looks than it is."""
    std, optimism = found.std_of_distribution, found.best_run_optimism
    calibrated = {"accuracy_std_if_calibrated": calibrated_accuracy_std(found.accuracy, found.samples)}
    return {
        "accuracy_std_of_distribution": std.value,
        "accuracy_std_of_distribution_ci95": _known((std.low, std.high)),
        "accuracy_std_of_distribution_ci_method": std.method,
        **(calibrated if classes == 2 else {}),
        "best_run_optimism": optimism.value,
        "best_run_optimism_ci95": _known((optimism.low, optimism.high)),
        "best_run_optimism_ci_method": optimism.method,
    }


def _answered(study: Study) -> dict[str, Any]:
    """Return how much runs answer and how stable that is, where they may abstain."""
    if "abstains" not in study.recorded_names():
        return {}
    found = answered(study.final("labels"), study.final("abstains"))
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
    yield from run_notes(study)
    if runs < 5:
        yield f"{runs} runs are few: most samples that can flip have not been seen to; 10 or more are advised."
    if runs == 2:
        yield "With two runs the intervals cover other samples only, not other runs."
    yield from equal_notes(study, found.estimate("jitter").value)
