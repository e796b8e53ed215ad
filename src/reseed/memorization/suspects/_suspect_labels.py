"""Which labels of a study's training samples are suspected: scores of the training split, kept with the study."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from reseed._errors import StudyError
from reseed.data import Dataset
from reseed.memorization.suspects._charts import charts_of
from reseed.memorization.suspects._columns import COLUMNS, LENS
from reseed.memorization.suspects._known import found_of_known
from reseed.memorization.suspects._memorization import memorization
from reseed.memorization.suspects._rank import mean_rank, rank_suspects
from reseed.memorization.suspects._recorded import (
    Recorded,
    best_window,
    check_recorded,
    probability_margins,
    recorded_labels,
)
from reseed.scores import Scores, scores_for
from reseed.studies import Study, data_for

_LEARNED = 0.5
_RECIPE = 3
"""Version of the recipe of the ranking, so that kept scores of another one are made anew."""


def suspect_labels(study: Study) -> Scores:
    """Return which labels of a study's training samples are suspected, and keep that with the study.

    Of runs that leave samples out (``SeedPlan(folds=5)``, as `reseed.memorize` trains them) whose full probabilities
    are recorded, by `rank_suspects`. Of others by the margin of the given label along the training alone: whoever was
    trained on a label says less of it, and as many are thought wrong as have another label ahead on average.

    `reseed.profile` with ``split="train"``, `reseed.export` and the report show the columns.

    Args:
        study: A study whose training split is recorded, at several checkpoints at best.

    Returns:
        Scores of the training split.

    Raises:
        StudyError: The study was not trained by reseed, did not record its training split, or its data is another now.
        DataError: Its data cannot be loaded.

    Examples:
        >>> import tempfile
        >>> from reseed.studies import train_study
        >>> from reseed.training import Recipe, RecordConfig, SeedPlan
        >>> record = RecordConfig(level="full", train=True)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     options = {"runs": 3, "plan": SeedPlan(folds=3), "record": record, "engine": "stacked"}
        ...     found = suspect_labels(train_study(Recipe(epochs=2), folder + "/study", **options))
        ...     found.split, found.table["suspicion"].to_numpy().max() <= 1
        ('train', np.True_)
    """
    check_recorded(study)
    return scores_for(study, LENS, {"recipe": _RECIPE}, lambda: _made(study), split="train")


def _known(study: Study, suspicion: Float[np.ndarray, " sample"]) -> dict[str, Any]:
    """Return how well labels are found that were made wrong on purpose, or of which the true one is known."""
    done = study.corruption
    return {} if done is None else found_of_known(suspicion, done.true_labels != done.given_labels)


@dataclass(frozen=True, eq=False)
class _Ranked:
    """A ranking, however it was made."""

    columns: dict[str, Any]
    order: Int[np.ndarray, " sample"]
    likely: Int[np.ndarray, " sample"]
    count: int
    notes: tuple[str, ...]


def _made(study: Study) -> Scores:
    began = time.perf_counter()
    recipe = study.recipe
    if recipe is None or study.header.kind != "training":
        raise StudyError(
            f"the study {str(study.path)!r} was not trained by reseed, so its training samples are not known; train "
            "one with reseed memorize DATASET."
        )
    train, inside = data_for(recipe, study.path).train, study.trained_on()
    labels = train.labels.numpy().astype(np.int64)
    recorded = recorded_labels(study, labels, inside)
    has_held_out = bool((~inside).any(0).all()) and "probabilities" in study.recorded_names("train")
    ranked = (_by_folds if has_held_out else _by_margins)(study, train, labels, recorded)
    names = np.asarray(train.class_names, object)
    columns = ranked.columns | _along(recorded)
    columns |= {"given_label": _texts(names[labels]), "likely_label": _texts(names[ranked.likely])}
    columns["label_quality"] = 1 - columns["suspicion"]
    return Scores(
        lens=LENS,
        ids=train.sample_ids,
        split="train",
        columns={name: COLUMNS[name] for name in columns},
        samples=columns,
        runs=tuple(manifest.run for manifest in study.manifests),
        summary={
            "training_samples": len(labels),
            "suspects": ranked.count,
            "suspects_share": ranked.count / len(labels),
            "networks": len(inside),
            "trained_on_share": float(inside.mean()),
            **_known(study, columns["suspicion"]),
        },
        notes=ranked.notes,
        options={"recipe": _RECIPE},
        cost={"wall_s": time.perf_counter() - began},
        charts=tuple(charts_of(train, ranked.order, ranked.likely, ranked.count)),
    )


def _by_folds(study: Study, train: Dataset, labels: Int[np.ndarray, " sample"], recorded: Recorded) -> _Ranked:
    inside, (start, sums) = recorded.inside, best_window(study, labels, recorded.inside)
    held_out = sums.held_out / sums.held_out.sum(1, keepdims=True)
    is_seen = inside.any(0)
    margins = sums.margins if is_seen.all() else None
    found = rank_suspects(held_out, labels, margins)
    rows = np.arange(len(labels))
    columns: dict[str, Any] = {
        "suspicion": found.score,
        "is_label_issue": found.is_issue,
        "label_posterior": found.right,
        "held_out_probability": held_out[rows, labels],
        "in_sample_margin": sums.margins,
        "predicted_label": _texts(np.asarray(train.class_names, object)[held_out.argmax(1)]),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # samples that all runs saw are said to be NaN
        learned = memorization(recorded.finally_right, inside)
    columns |= {
        "memorization": learned.value,
        "memorization_low": learned.low,
        "memorization_high": learned.high,
    }
    agree = float((held_out.argmax(1) == labels).mean())
    notes = [
        f"{found.count:,} of {len(labels):,} labels are thought wrong, by an estimate that is rough; networks that did "
        f"not see a sample answer its given label in {agree:.1%} of cases. Look at each before changing it: rare and "
        "ambiguous samples are suspected as well."
    ]
    if agree < _LEARNED:
        notes.append(
            "These networks have not learned the task well enough to tell wrong labels from hard samples; train "
            "longer, or another model, before believing any of this."
        )
    steps = study.manifests[0].steps
    if start:
        notes.append(
            f"Answers are averaged over the last {len(steps) - start} of {len(steps)} checkpoints, under which the "
            "given labels are most likely."
        )
    outside = int((~inside).sum(0).min())
    if outside < 10:
        notes.append(
            f"Memorisation rests on few networks without each sample ({outside}), so its intervals are wide; more "
            "--repeats make them narrower. The ranking does not use it."
        )
    return _Ranked(columns, found.order, found.likely, found.count, tuple(notes))


def _by_margins(study: Study, train: Dataset, labels: Int[np.ndarray, " sample"], recorded: Recorded) -> _Ranked:
    margins = probability_margins(study, labels, recorded.inside)
    is_seen: Bool[np.ndarray, " sample"] = ~np.isnan(margins)
    filled: Float[np.ndarray, " sample"] = np.where(is_seen, margins, np.inf)
    score = mean_rank([filled])
    order = np.argsort(-score, kind="stable")
    count = int((filled < 0).sum())
    is_issue = np.zeros(len(labels), np.bool_)
    is_issue[order[:count]] = True
    # Where no other label was ever answered there is nothing to say but the next one, which nobody suspects.
    likely = np.where(recorded.rival < 0, (labels + 1) % len(train.class_names), recorded.rival)
    notes = [
        f"{count:,} of {len(labels):,} labels are thought wrong: another label was ahead of them on average over the "
        "training. All networks were trained on these labels, which hides wrong ones as they are learned by heart; "
        "what networks say that did not see a sample needs folds: reseed memorize DATASET."
    ]
    if len(study.manifests[0].steps) < 3:
        notes.append("Few checkpoints were recorded; the ranking is better with --every epoch.")
    columns = {"suspicion": score, "is_label_issue": is_issue, "in_sample_probability_margin": margins}
    return _Ranked(columns, order, likely, count, tuple(notes))


def _along(recorded: Recorded) -> dict[str, Any]:
    """Return what happened to each sample in the runs that were trained on it."""
    counts = recorded.inside.sum(0)
    with np.errstate(invalid="ignore"):
        forgotten = np.where(recorded.inside, recorded.forgotten, 0).sum(0) / counts
    return {
        "train_forgetting": forgotten,
        "train_label_entropy": np.where(counts > 0, recorded.label_entropy, np.nan),
    }


def _texts(values: Any) -> Any:
    import pyarrow as pa

    return pa.array([str(value) for value in values], pa.string())
