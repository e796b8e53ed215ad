"""What was measured along a study's trainings as scores, before the lens itself is asked."""

from __future__ import annotations

import numpy as np

from reseed.curvature.tracking._charts import charts_along
from reseed.curvature.tracking._columns import LENS, SERIES
from reseed.curvature.tracking._course import course_of
from reseed.scores import Scores
from reseed.studies import Study


def tracked_scores(study: Study) -> Scores | None:
    """Return what was measured along a study's trainings, with what it says of runs that diverged.

    Args:
        study: A study; that no run of it ended is no hindrance.

    Returns:
        Scores without samples; None where nothing was measured.

    Raises:
        StudyError: It cannot be read.
    """
    course = course_of(study)
    if course is None:
        return None
    runs = tuple(np.array(course.runs)[course.is_complete].tolist())
    return Scores(
        lens=LENS,
        ids=(),
        columns=SERIES if runs else {},
        series=course.series if runs else {},
        runs=runs,
        steps=course.steps,
        notes=tuple(course.notes),
        charts=tuple(charts_along(course)),
    )
