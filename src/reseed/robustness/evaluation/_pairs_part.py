"""How two runs of a study differ, on average over all pairs, and what churn consists of."""

from __future__ import annotations

import time
import warnings

import numpy as np
from numpy.typing import NDArray

from reseed.robustness.evaluation._columns import ALL
from reseed.robustness.evaluation._protocol import Protocol
from reseed.robustness.evaluation._subject import Subject
from reseed.robustness.pairs._all_pairs import all_pairs
from reseed.robustness.pairs._churn_decomposition import churn_decomposition, mean_over_pairs
from reseed.scores import Part, Told
from reseed.statistics import Estimate

_FEWEST = 3  # runs that say how other runs would differ


def pairs_part(subject: Subject, protocol: Protocol, told: Told) -> Part:
    """Compare all pairs of runs on clean samples whose labels are known."""
    del protocol
    began, known = time.perf_counter(), subject.targets >= 0
    if not known.any():
        return Part(notes=("No label is known, so pairs of runs are not compared by what is right.",))
    targets = subject.targets[known]
    logits = subject.logits.numpy()[:, known]
    has_interval = subject.runs >= _FEWEST
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of pairs without a sample that both get right
        found = all_pairs(logits, targets, from_logits=True)
        parts = churn_decomposition(subject.answers[:, known], targets, "two-way" if has_interval else "samples")
        matrices = {
            "pair_accuracy_difference": np.abs(found.accuracy_variance),
            "pair_confidence_difference": found.confidence_variance,
            "pair_output_divergence": found.output_stability,
        }
        numbers = {
            name: _over_pairs(matrix, len(targets), has_interval, ALL[name].ends()) for name, matrix in matrices.items()
        }
    told(1.0)
    churn = {"pair_churn": parts.churn, "pair_rectified": parts.rectified, "pair_wrong_changes": parts.wrong_changes}
    return Part(
        numbers={name: _ends(each) for name, each in churn.items()} | numbers,
        cost={"wall_s": time.perf_counter() - began},
    )


def _over_pairs(
    matrix: NDArray[np.float64], samples: int, has_interval: bool, within: tuple[float, float]
) -> NDArray[np.float64]:
    if has_interval:
        return _ends(mean_over_pairs(matrix, samples=samples, bottom=within[0], top=within[1]))
    return np.array([matrix[0, 1], np.nan, np.nan])


def _ends(found: Estimate) -> NDArray[np.float64]:
    return np.array([found.value, found.low, found.high])
