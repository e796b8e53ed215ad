"""What foretells flips: every column of single runs that any lens has, held against what the other runs answer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from reseed._errors import StudyError
from reseed._parts import Parts
from reseed.scores import (
    HALF,
    HIGHER,
    Column,
    Foretelling,
    ForetoldColumn,
    RunColumn,
    Scores,
    Targets,
    foretold_columns,
    half_of_the_runs,
    ranked,
)
from reseed.studies import Study
from reseed.workflows._lenses import run_scores

_LEAST_RUNS, _LEAST_HALVED = 3, 4
_HALF = Column(
    "label entropy over one half of the runs, against the other half", HIGHER, "[0, ln(min(K, R / 2))]", "nats", HALF
)


def foretell(study: str | Path | Study) -> Foretelling:
    """Measure which columns of single runs foretell the samples that other trainings answer differently.

    Every lens that asks one network alone has such columns: the signals along a training, its confidences, the
    training dynamics, and what other lenses keep with the study, see `reseed.scores`. Each run in turn is held out; the
    values of its columns are compared with the label entropy over the final labels of all other complete runs, so that
    no run foretells itself. Figures are means over runs, their intervals of other runs and other samples; see
    `reseed.scores.foretold`. Columns are turned so that larger is worse; where neither way is, they stand as they are.

    Args:
        study: A study of three complete runs or more, its folder or its URL.

    Raises:
        StudyError: There is no usable study, fewer than three runs are complete, or no column of single runs is there.

    Examples:
        >>> import tempfile
        >>> import numpy as np
        >>> from reseed.scores import keep_scores
        >>> column = Column("distance to the boundary", "lower_is_worse", "[0, inf]", "pixels", "attack")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     labels = [[0, 0, 1, 2], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
        ...     study = Study.from_predictions(labels, folder + "/study")
        ...     distances = np.array([[0.9, 0.8, 0.2, 0.3]] * 4)
        ...     runs, ids = (0, 1, 2, 3), study.samples.ids
        ...     described, by_run = {"distance": column}, {"distance": distances}
        ...     keep_scores(study, Scores(lens="attack", ids=ids, columns=described, by_run=by_run, runs=runs))
        ...     found = foretell(study)
        >>> found.rows[0].name, found.rows[0].found.auroc.value
        ('distance', 1.0)
    """
    opened = study if isinstance(study, Study) else Study.open(study)
    runs = [manifest.run for manifest in opened.manifests]
    if len(runs) < _LEAST_RUNS:
        raise StudyError(
            f"the study {str(opened.path)!r} has {len(runs)} complete runs; {_LEAST_RUNS} or more are needed to tell "
            "how well one foretells the others."
        )
    parts = Parts()
    columns: dict[tuple[str, str], tuple[Column, RunColumn]] = {}
    for scores in run_scores(opened, parts):
        columns |= _columns(scores, runs, parts)
    if not columns:
        told = " ".join(["no lens has columns of single runs; record scores with --level scores.", *parts.notes])
        raise StudyError(f"of the study {str(opened.path)!r} {told}")
    final = opened.final("labels")
    targets = Targets.of(final)
    flipping = float(np.mean([targets.flips(run).mean() for run in range(len(runs))]))
    found = foretold_columns({f"{lens}: {name}": column for (lens, name), (_, column) in columns.items()}, targets)
    rows = [ForetoldColumn(lens, name, about, found[f"{lens}: {name}"]) for (lens, name), (about, _) in columns.items()]
    half = ForetoldColumn("", HALF, _HALF, half_of_the_runs(final)) if len(runs) >= _LEAST_HALVED else None
    notes = (*_notes(rows, len(runs)), *parts.notes)
    return Foretelling(ranked(rows), half, len(runs), len(opened.samples), flipping, notes)


def _columns(scores: Scores, runs: list[int], parts: Parts) -> dict[tuple[str, str], tuple[Column, RunColumn]]:
    """Return the columns of single runs of a lens, as far as these runs are complete."""
    if not set(scores.runs) <= set(runs):
        strange = sorted(set(scores.runs) - set(runs))
        parts.add(f"The columns of {scores.lens} are missing: run {strange[0]}, of which they speak, is not complete.")
        return {}
    places = tuple(runs.index(run) for run in scores.runs)
    return {
        (scores.lens, name): (scores.columns[name], RunColumn(rows, places, scores.columns[name].direction))
        for name, rows in scores.by_run.items()
    }


def _notes(rows: list[ForetoldColumn], runs: int) -> Iterator[str]:
    samples, ranked = rows[0].found.samples, rows[0].found.kendall.samples
    if ranked < samples:
        yield f"Tau-b is of {ranked:,} of the {samples:,} samples, drawn at random."
    for lens, asked in sorted({(row.lens, row.found.runs) for row in rows if row.found.runs < runs}):
        covers = "; with one run, their intervals are over samples alone" if asked == 1 else ""
        yield f"The columns of {lens} are of {asked} of the {runs} runs, whose targets are all others{covers}."
    if all(math.isnan(row.found.auroc.value) for row in rows):
        yield "The runs answer every sample differently, or none, so there is nothing to rank."
    elif unknown := [row.name for row in rows if math.isnan(row.found.auroc.value)]:
        yield f"Columns without a value that can be ranked: {', '.join(unknown)}."
    if runs == _LEAST_RUNS:
        yield "Of three runs none can be left out, so intervals are somewhat too narrow."
