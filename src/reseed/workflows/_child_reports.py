"""The reports of studies that a design compares, so that its page leads to them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from reseed._parts import Parts
from reseed.studies import Study
from reseed.workflows._measure import REPORT, inspect

MOST = 5_000
"""Samples of a study whose report is written unasked: it takes a second or two. Of more, the page names the command."""


def write_reports(studies: Iterable[Study]) -> tuple[str, ...]:
    """Write the report of each study that has none, or runs that its report does not know.

    Reports of studies of more than `MOST` samples are left to those who ask for them.

    Returns:
        What could not be written, and why; the design is worth as much without.
    """
    parts = Parts()
    for study in studies:
        if len(study.samples) <= MOST and len(study.manifests) > 1 and not _is_current(study):
            parts.make(f"The report of {study.path.name} is missing", partial(_write, study), None)
    return tuple(parts.notes)


def _write(study: Study) -> Path | None:
    return inspect(study).write()


def _is_current(study: Study) -> bool:
    """Whether a study's report is there and younger than all of its runs."""
    report = study.path / REPORT
    if not report.is_file():
        return False
    written = report.stat().st_mtime_ns
    return all(file.stat().st_mtime_ns <= written for file in study.path.glob("runs/*/manifest.json"))
