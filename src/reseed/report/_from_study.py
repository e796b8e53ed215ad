"""A study and its measures as the plain data that a page shows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from reseed.instability import Stability
from reseed.report._data import ReportData
from reseed.studies import Study


def report_data(study: Study, stability: Stability) -> ReportData:
    """Gather what the page shows.

    The data map uses the probability of the gold label where it is known and recorded, else that of the label
    each run predicted.
    """
    table = stability.samples
    columns: dict[str, Any] = {
        name: table.column(name).to_numpy() for name in ("label_entropy", "mode_label", "mode_share", "jitter")
    }
    own = table.column("own_probability_mean").to_numpy()
    source = "confidence" if np.isnan(own).all() else "own_probability"
    pairs, jitter = stability.pairs, stability.summary["jitter"]
    return ReportData(
        title=f"{study.header.dataset}, {study.header.model}",
        summary=stability.summary,
        sample_ids=study.samples.ids,
        targets=study.targets,
        confidence_mean=table.column(f"{source}_mean").to_numpy(),
        confidence_std=table.column(f"{source}_std").to_numpy(),
        answers=tuple(
            tuple((answer["label"], answer["count"]) for answer in answers)
            for answers in table.column("answers").to_pylist()
        ),
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
        recipe_toml=None if study.recipe is None else study.recipe.to_toml(),
        provenance=_provenance(study),
        notes=stability.notes,
        **columns,
    )


def _provenance(study: Study) -> dict[str, dict[str, object]]:
    header, first = study.header, study.manifests[0]
    environment = dict(first.environment)
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
