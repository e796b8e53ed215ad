"""What foretells flips: every column of single runs that any lens has, held against what the other runs answer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from reseed._arguments import setting
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
_MOST_ON_PAGE = 100_000  # answers of runs to samples; more would make every report wait
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
    if len(opened.manifests) < _LEAST_RUNS:
        raise StudyError(
            f"the study {str(opened.path)!r} has {len(opened.manifests)} complete runs; {_LEAST_RUNS} or more are "
            "needed to tell how well one foretells the others."
        )
    parts = Parts()
    columns = _all_columns(opened, parts)
    if not columns:
        told = " ".join(
            [f"no lens has columns of single runs; record scores with {setting('level', 'scores')}.", *parts.notes]
        )
        raise StudyError(f"of the study {str(opened.path)!r} {told}")
    return _foretelling(opened, columns, parts)


def foretelling_for_page(study: Study, parts: Parts) -> Foretelling | None:
    """Return what `foretell` does but for tau-b, where a study allows it and a page can wait for it.

    Args:
        study: The study.
        parts: Notes that it is left out because it would take long.
    """
    runs, samples = len(study.manifests), len(study.samples)
    if runs < _LEAST_RUNS:
        return None
    if runs * samples > _MOST_ON_PAGE:
        parts.add(
            f"What foretells flips is left out of the report above {_MOST_ON_PAGE:,} answers; reseed inspect STUDY "
            "--foretell shows it."
        )
        return None
    unasked = Parts()  # what lenses lack is told where they are shown
    columns = _all_columns(study, unasked)
    return _foretelling(study, columns, Parts(), with_kendall=False) if columns else None


def _all_columns(study: Study, parts: Parts) -> dict[tuple[str, str], tuple[Column, RunColumn]]:
    """Return the columns of single runs by lens and name."""
    runs = [manifest.run for manifest in study.manifests]
    columns: dict[tuple[str, str], tuple[Column, RunColumn]] = {}
    for scores in run_scores(study, parts):
        columns |= _columns(scores, runs, parts)
    return columns


def _foretelling(
    study: Study, columns: dict[tuple[str, str], tuple[Column, RunColumn]], parts: Parts, *, with_kendall: bool = True
) -> Foretelling:
    runs, final = len(study.manifests), study.final("labels")
    targets = Targets.of(final)
    flipping = float(np.mean([targets.flips(run).mean() for run in range(runs)]))
    asked = {f"{lens}: {name}": column for (lens, name), (_, column) in columns.items()}
    found = foretold_columns(asked, targets, with_kendall=with_kendall)
    rows = [ForetoldColumn(lens, name, about, found[f"{lens}: {name}"]) for (lens, name), (about, _) in columns.items()]
    half = ForetoldColumn("", HALF, _HALF, half_of_the_runs(final)) if runs >= _LEAST_HALVED else None
    notes = (*_notes(rows, runs), *parts.notes)
    return Foretelling(ranked(rows), half, runs, len(study.samples), flipping, notes)


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
    if ranked < samples and rows[0].found.kendall.runs:
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
