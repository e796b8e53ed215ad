"""The curvature of all runs as scores: columns of all samples, a summary in groups, charts, notes and cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed.curvature.evaluation._charts import charts_of
from reseed.curvature.evaluation._columns import ALL, GROUPS, RUNS, SAMPLES
from reseed.curvature.tracking._columns import LENS
from reseed.curvature.tracking._course import Course
from reseed.scores import Part, Scores, spread, summarised


def assembled(
    parts: Sequence[Part],
    ids: tuple[str, ...],
    places: NDArray[np.int64],
    runs: tuple[int, ...],
    threshold: float | None,
    notes: Iterable[str],
    course: Course | None = None,
) -> Scores:
    """Return what all runs are as scores.

    Args:
        parts: What was measured of each run.
        ids: Those of all samples.
        places: Which of them were asked about.
        runs: The numbers of the networks.
        threshold: The largest curvature that the optimiser bears, where that is known.
        notes: What a reader should know before what the parts say.
        course: What was measured along the trainings, where anything was.
    """
    of_runs = {name: np.concatenate([part.of_runs[name] for part in parts]) for name in RUNS}
    if threshold is None:
        del of_runs["normalised_sharpness"]
    asked = {name: np.concatenate([part.cells[name] for part in parts]) for name in SAMPLES}
    by_run = {name: spread(values, places, len(ids)) for name, values in asked.items()}
    found, groups = summarised(GROUPS, ALL, cells=asked, of_runs=of_runs)
    summary: dict[str, Any] = dict(found)
    if threshold is not None:
        summary["stability_threshold"] = threshold
    cost = {name: sum(part.cost.get(name, 0.0) for part in parts) for name in ("hessian_products",)}
    series = {} if course is None else course.series
    return Scores(
        lens=LENS,
        ids=ids,
        columns={name: ALL[name] for name in (*by_run, *of_runs, *series)},
        by_run=by_run,
        of_runs=of_runs,
        series=series,
        runs=runs,
        steps=() if course is None else course.steps,
        summary=summary,
        groups=groups,
        notes=(*notes, *_notes(parts, runs), *(() if course is None else course.notes)),
        cost=cost,
        charts=tuple(charts_of(parts, runs, threshold, course)),
    )


def _notes(parts: Sequence[Part], runs: tuple[int, ...]) -> Iterable[str]:
    if gone := [str(run) for run, part in zip(runs, parts, strict=True) if "diverged" in part.notes]:
        yield f"The loss of the runs {', '.join(gone)} is not finite, and they have no numbers."
    if late := [str(run) for run, part in zip(runs, parts, strict=True) if not part.arrays["converged"].all()]:
        yield (
            f"Of the runs {', '.join(late)} some eigenvalues at the ends of the spectrum were not found to a "
            "thousandth: they are estimates."
        )
