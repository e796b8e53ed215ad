"""Which samples a method settles and which it unsettles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from reseed.instability.intervals._statistics import label_statistics
from reseed.instability.probabilities._top_two import label_stability
from reseed.studies import Study

if TYPE_CHECKING:
    import pyarrow as pa

EFFECTS = ("none", "settles", "eases", "worsens", "unsettles")


def effects(before: Float[np.ndarray, " sample"], after: Float[np.ndarray, " sample"]) -> dict[str, int]:
    """Returns how many samples a method settles, eases, worsens and unsettles, by their label entropies."""
    counts = np.bincount(_effect(before, after), minlength=len(EFFECTS)).tolist()
    return dict(zip(EFFECTS[1:], counts[1:], strict=True))


def compared_samples(control: Study, studies: Mapping[str, Study], runs: int) -> pa.Table:
    """Returns a row for each method and sample, see `Comparison.samples`."""
    import pyarrow as pa

    samples, names = control.samples, control.header.class_names
    before = label_statistics(control.final("labels")[:runs]).label_entropy
    known = samples.targets >= 0
    tables = []
    for method, study in studies.items():
        labels = study.final("labels")[:runs]
        found = label_statistics(labels)
        columns = {
            "method": pa.array([method] * len(samples)),
            "sample_id": list(samples.ids),
            "target": samples.targets,
            "target_name": [names[target] if target >= 0 else None for target in samples.targets.tolist()],
            "label_entropy": found.label_entropy,
            "control_label_entropy": before,
            "change": found.label_entropy - before,
            "effect": np.array(EFFECTS)[_effect(before, found.label_entropy)],
            "mode_label": found.mode_label,
            "mode_name": [names[label] for label in np.asarray(found.mode_label).tolist()],
            "mode_share": found.mode_share,
            "mode_tied": np.asarray(label_stability(labels)) == 0,
            "accuracy": np.where(known, (labels == samples.targets).mean(0), np.nan),
        }
        if samples.texts is not None:
            columns["text"] = list(samples.texts)
        tables.append(pa.table(columns))
    return pa.concat_tables(tables)


def _effect(before: Float[np.ndarray, " sample"], after: Float[np.ndarray, " sample"]) -> NDArray[np.int64]:
    """Returns the place in `EFFECTS` of each sample."""
    was, is_now = before > 0, after > 0
    conditions = [was & ~is_now, was & is_now & (after < before), was & is_now & (after > before), ~was & is_now]
    return np.select(conditions, [1, 2, 3, 4], 0)
