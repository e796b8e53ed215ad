"""A study and its measures as the plain data that a page shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from reseed._parts import Parts
from reseed.instability import SampleGroups, Stability, sample_groups, where_unstable
from reseed.report._answers import CountedAnswers
from reseed.report._data import Groups, ReportData
from reseed.report._where import verdict
from reseed.scores import readable_scores
from reseed.studies import Study

_MOST_GROUPED = 200_000  # samples; more would make every report wait for permutations
_MANY = 20_000  # samples; above, fewer permutations, whose time grows with them
_GROUPS_SHOWN = 5
_GROUP_COLUMNS = (
    "group",
    "samples",
    "label_entropy",
    "low",
    "high",
    "unstable_fraction",
    "excess",
    "corrected_p_value",
)


def report_data(study: Study, stability: Stability, groups: SampleGroups | None = None) -> ReportData:
    """Gather what the page shows.

    The data map uses the probability of the gold label where it is known and recorded, else that of the label
    each run predicted.

    Args:
        study: A study.
        stability: Its measures.
        groups: The groups of its samples; default: made here.
    """
    parts = Parts()
    if stability.pairs is None or stability.rarefaction is None:
        return _of_one_run(study, stability, parts)
    table = stability.samples
    columns: dict[str, Any] = {
        name: table.column(name).to_numpy() for name in ("label_entropy", "mode_label", "mode_share", "jitter")
    }
    own = table.column("own_probability_mean").to_numpy()
    source = "confidence" if np.isnan(own).all() else "own_probability"
    pairs, jitter = stability.pairs, stability.summary["jitter"]
    groupings = _groupings(study, stability, groups, parts)
    return ReportData(
        title=title_of(stability.summary),
        summary=stability.summary,
        sample_ids=study.samples.ids,
        targets=study.targets,
        confidence_mean=table.column(f"{source}_mean").to_numpy(),
        confidence_std=table.column(f"{source}_std").to_numpy(),
        answers=CountedAnswers.of(table.column("answers")),
        confidence_of="the label it predicts" if source == "confidence" else "the gold label",
        class_names=study.header.class_names,
        texts=study.samples.texts,
        images=study.samples.images,
        classes=tuple(
            (row.label, row.samples, None if np.isnan(row.accuracy) else row.accuracy, row.label_entropy)
            for row in stability.classes
        ),
        pairs=tuple(
            (int(a), int(b), float(share) / jitter, int(samples))
            for a, b, share, samples in zip(pairs.label_a, pairs.label_b, pairs.share, pairs.samples, strict=True)
        ),
        rarefaction=(
            tuple(int(size) for size in stability.rarefaction.sizes),
            tuple(float(share) for share in stability.rarefaction.unstable_fraction),
        ),
        groupings=groupings,
        **_made(study, parts),
        notes=(*stability.notes, *parts.notes),
        **columns,
    )


def _of_one_run(study: Study, stability: Stability, parts: Parts) -> ReportData:
    """Gather what is known of a single run; what needs two is undefined."""
    table = stability.samples
    labels, unknown = table.column("mode_label").to_numpy(), np.full(len(study.samples), np.nan)
    return ReportData(
        title=title_of(stability.summary),
        summary=stability.summary,
        sample_ids=study.samples.ids,
        targets=study.targets,
        label_entropy=unknown,
        mode_label=labels,
        mode_share=unknown,
        jitter=unknown,
        confidence_mean=table.column("confidence_mean").to_numpy(),
        confidence_std=unknown,
        answers=CountedAnswers(np.ones_like(labels), labels, np.ones_like(labels)),
        flip_probability=table.column("flip_probability").to_numpy(),
        class_names=study.header.class_names,
        texts=study.samples.texts,
        images=study.samples.images,
        **_made(study, parts),
        notes=(*stability.notes, *parts.notes),
    )


def title_of(summary: Mapping[str, Any]) -> str:
    """Return what a study is called: its data, its model, and the methods that keep its predictions in place."""
    methods = summary.get("mitigations")
    return f"{summary['dataset']}, {summary['model']}" + (f", with {methods}" if methods else "")


def _groupings(study: Study, stability: Stability, groups: SampleGroups | None, parts: Parts) -> tuple[Groups, ...]:
    """Return what the study can group by itself; nothing where nothing is to locate."""
    if not stability.summary["unstable_samples"]:
        return ()
    if len(study.samples) > _MOST_GROUPED:
        parts.add(
            f"Where instability lives is left out of the report above {_MOST_GROUPED:,} samples; "
            "reseed inspect STUDY --by cluster shows it."
        )
        return ()
    groups = sample_groups(study) if groups is None else groups
    parts.add(*groups.notes)
    made = (
        parts.make(f"Where instability lives, by {by}, is missing", partial(_grouped, study, by, groups), None)
        for by in groups.groupings
    )
    return tuple(found for found in made if found is not None)


def _grouped(study: Study, by: str, groups: SampleGroups) -> Groups | None:
    """Return one grouping with its test; None where all samples are in one group."""
    permutations = 999 if len(study.samples) <= _MANY else 199
    found = where_unstable(study, by, groups=groups, permutations=permutations)
    if found.table.num_rows < 2:
        return None
    rows = tuple(tuple(row[name] for name in _GROUP_COLUMNS) for row in found.table.slice(0, _GROUPS_SHOWN).to_pylist())
    about = f"Groups: {found.about}. {' '.join(found.notes)}".strip()
    return Groups(by, about, verdict(found.test), rows, found.table.num_rows)


def _made(study: Study, parts: Parts) -> dict[str, Any]:
    """Return the scores of lenses, the recipe, and the sections that say where the numbers come from."""
    recipe = study.recipe
    nothing: dict[str, dict[str, object]] = {}
    scores, gaps = readable_scores(study)
    parts.add(*gaps)
    return {
        "scores": scores,
        "complete_runs": tuple(manifest.run for manifest in study.manifests),
        "recipe_toml": parts.make("The recipe is missing", lambda: None if recipe is None else recipe.to_toml(), None),
        "provenance": parts.make("How this was made is missing", lambda: _provenance(study), nothing),
    }


def _provenance(study: Study) -> dict[str, dict[str, object]]:
    header, first = study.header, study.manifests[0]
    environment: dict[str, object] = dict(first.environment)
    hardware: dict[str, object] = {
        name: environment.pop(name) for name in ("platform", "processor", "device", "threads") if name in environment
    }
    return {
        "seeds": {"base seed": header.base_seed, "varied": ", ".join(header.vary) or "fit", "run 0": first.seeds},
        "parameters": dict(header.parameters),
        "data": {"evaluation digest": header.data, "training digest": header.train_data or None},
        "recorded": asdict(header.record),
        "versions": environment,
        "hardware": hardware,
    }
