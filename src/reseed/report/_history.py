"""What the runs of a study answered along their training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from reseed.report._data import History, Pairs
from reseed.studies import Study

_CHECKPOINTS = 12  # told of each sample
_MOST = 1_000_000_000  # answers of all runs at all checkpoints; more would make every report wait


def history(study: Study, samples: Sequence[int]) -> History | None:
    """Return accuracy along training, and the answers to some samples; None of runs with one checkpoint.

    Args:
        study: A study with complete runs.
        samples: The samples whose answers are told, at the last checkpoint and at an even choice of those before.
    """
    steps = study.manifests[0].steps
    if len(steps) < 2 or len(study.manifests) * len(steps) * len(study.samples) > _MOST:
        return None
    labels, known = study.labels, study.targets >= 0
    chosen = np.unique(np.linspace(0, len(steps) - 1, min(_CHECKPOINTS, len(steps))).round().astype(int))
    accuracy = np.full((len(study.manifests), len(steps)), np.nan)
    given = np.empty((len(study.manifests), len(chosen), len(samples)), np.int64)
    for run in range(len(study.manifests)):
        along = labels[run].values  # one run at a time is in memory
        given[run] = along[chosen][:, list(samples)]
        if known.any():
            accuracy[run] = (along[:, known] == study.targets[known]).mean(1)
    answers = {sample: tuple(map(_counted, given[:, :, place].T)) for place, sample in enumerate(samples)}
    return History(tuple(steps[place] for place in chosen), accuracy if known.any() else None, answers, steps)


def _counted(labels: np.ndarray) -> Pairs:
    """Return labels with their numbers of runs, the most frequent first, the lowest of equally frequent ones."""
    counts = Counter(labels.tolist())
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
