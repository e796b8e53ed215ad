"""A study and its measures as the plain data that a page shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np

from reseed._parts import Parts
from reseed.instability import SampleGroups, Stability, nearest_samples, sample_groups, where_unstable
from reseed.report._answers import CountedAnswers
from reseed.report._data import Groups, ReportData, Step
from reseed.report._history import history
from reseed.report._next import made, next_steps
from reseed.report._where import verdict
from reseed.scores import readable_scores
from reseed.studies import Study

_MOST_GROUPED = 200_000  # samples; more would make every report wait for permutations
_MANY = 20_000  # samples; above, fewer permutations, whose time grows with them
_GROUPS_SHOWN = 5
_MOST_ANSWERS = 100_000_000  # of all runs to all samples; they are held in memory
_FOLLOWED = 2_000  # samples, the least stable first, of which is told what runs answered along training
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
    gold = table.column("own_probability_mean").to_numpy()
    pairs, jitter = stability.pairs, stability.summary["jitter"]
    groupings = _groupings(study, stability, groups, parts)
    data = ReportData(
        title=title_of(stability.summary),
        summary=stability.summary,
        sample_ids=study.samples.ids,
        targets=study.targets,
        confidence_mean=table.column("confidence_mean").to_numpy(),
        confidence_std=table.column("confidence_std").to_numpy(),
        gold_probability=None if np.isnan(gold).all() else gold,
        answers=CountedAnswers.of(table.column("answers")),
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
        notes=stability.notes,
        **columns,
    )
    data = replace(data, **_of_runs(study, data, parts))
    return _with_steps(study, data, parts)


def _with_steps(study: Study, data: ReportData, parts: Parts) -> ReportData:
    """Return what a page shows with what to do next, and with notes of what is missing."""
    nothing: tuple[Step, ...] = ()
    steps = parts.make("What to do next is missing", lambda: next_steps(study, data), nothing)
    return replace(data, next_steps=steps, notes=(*data.notes, *parts.notes))


def _of_runs(study: Study, data: ReportData, parts: Parts) -> dict[str, Any]:
    """Return what single runs answered, at last and along their training, and who is like whom."""
    if len(study.manifests) * len(study.samples) > _MOST_ANSWERS:
        parts.add(
            f"What single runs answer is left out of the report above {_MOST_ANSWERS:,} answers; reseed inspect STUDY "
            "--medoid says which run to ship."
        )
        return {}
    order = data.order[:_FOLLOWED].tolist()
    nobody: dict[int, tuple[int, ...]] = {}
    return {
        "run_labels": parts.make("The answers of single runs are missing", study.final, None),
        "history": parts.make("The answers along training are missing", lambda: history(study, order), None),
        "neighbours": parts.make("Samples that are alike are missing", lambda: nearest_samples(study, order), nobody),
    }


def _of_one_run(study: Study, stability: Stability, parts: Parts) -> ReportData:
    """Gather what is known of a single run; what needs two is undefined."""
    table = stability.samples
    labels, unknown = table.column("mode_label").to_numpy(), np.full(len(study.samples), np.nan)
    data = ReportData(
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
        notes=stability.notes,
    )
    return _with_steps(study, data, parts)


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
    grouping, _ = groups.groupings[by]
    return Groups(
        by, about, verdict(found.test), rows, found.table.num_rows, grouping.names, grouping.place, grouping.typical
    )


def _made(study: Study, parts: Parts) -> dict[str, Any]:
    """Return the scores of lenses, the recipe, and the sections that say where the numbers come from."""
    recipe = study.recipe
    nothing: dict[str, dict[str, object]] = {}
    unknown: dict[str, str] = {}
    scores, gaps = readable_scores(study)
    parts.add(*gaps)
    return {
        "scores": scores,
        "complete_runs": tuple(manifest.run for manifest in study.manifests),
        "made": parts.make("How the page was made is missing", lambda: made(study), unknown),
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
