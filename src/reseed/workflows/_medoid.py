"""Which run of a study to ship."""

from __future__ import annotations

from pathlib import Path

from reseed.instability import Medoid
from reseed.instability import medoid as medoid_of_labels
from reseed.studies import Study


def medoid(study: str | Path | Study) -> Medoid:
    """Return the run of a study whose answers agree most with those of all others, and what choosing it buys.

    It stands beside the most accurate run and a run at random, all judged on samples that did not choose them; see
    `reseed.instability.medoid`, which does the same with labels. ``study.networks([RUN])`` is its network.

    Args:
        study: A study of three complete runs or more, its folder or its URL.

    Raises:
        StudyError: There is no usable study.
        InputError: Fewer than three runs are complete.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     labels = [[0, 1, 1, 0], [0, 1, 0, 0], [0, 1, 1, 0]]
        ...     medoid(Study.from_predictions(labels, folder + "/study")).medoid.run
        0
    """
    opened = study if isinstance(study, Study) else Study.open(study)
    runs = [manifest.run for manifest in opened.manifests]
    return medoid_of_labels(opened.final(), opened.targets, runs=runs)
