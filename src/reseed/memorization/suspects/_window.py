"""Over which of the last checkpoints of a training answers are averaged."""

import numpy as np
from jaxtyping import Bool, Float, Int

from reseed._arrays import ArrayLike
from reseed._errors import InputError
from reseed.memorization.suspects._held_out import FoldSums
from reseed.memorization.suspects._sharpened import best_power
from reseed.memorization.suspects._taken import check_same_runs, taken_inside, taken_labels, taken_probabilities


def averaging_start(probabilities: ArrayLike, labels: ArrayLike, trained_on: ArrayLike) -> int:
    """Returns the checkpoint from which on what networks say tells most of labels that they were not trained on.

    Of all checkpoints, the last half, the last quarter and the last one: those under whose mean the given labels are
    most likely, of samples that a run left out, answers being as sure as is best and a share of wrong labels allowed
    for (see `rank_suspects`). No true label is asked for. Where networks go on learning to the end the last one is
    best; where they learn wrong labels by heart, the mean of all.

    Args:
        probabilities: [run, checkpoint, sample, class].
        labels: given labels, places of classes [sample].
        trained_on: True where the run was trained on the sample [run, sample]; see `reseed.Study.trained_on`.

    Returns:
        The first checkpoint to average over.

    Raises:
        InputError: shapes differ, they are no probabilities or labels, or every run was trained on every sample.

    Example:
        >>> guesses, knows = [[0.5, 0.5], [0.5, 0.5]], [[0.9, 0.1], [0.2, 0.8]]
        >>> averaging_start([[guesses, knows]] * 2, [0, 1], [[True, False], [False, True]])
        1
    """
    array, inside = taken_probabilities(probabilities), taken_inside(trained_on)
    check_same_runs(inside, array, "probabilities")
    if inside.all():
        raise InputError("trained_on is True everywhere; pass runs that leave samples out, see SeedPlan(folds=5).")
    windows = WindowSums(inside, array.shape[-1], taken_labels(labels, array.shape[-1], array.shape[2]), array.shape[1])
    for run, own in enumerate(array):
        for checkpoint, answers in enumerate(own):
            windows.add(run, checkpoint, answers)
    return windows.best()[0]


class WindowSums:
    """Sums over runs and each window of last checkpoints, one checkpoint of which is in memory at a time.

    Args:
        inside: Which samples each run was trained on.
        classes: How many there are.
        labels: Given labels.
        checkpoints: How many there are of each run.
    """

    def __init__(
        self,
        inside: Bool[np.ndarray, "run sample"],
        classes: int,
        labels: Int[np.ndarray, " sample"],
        checkpoints: int,
    ) -> None:
        starts = sorted({0, checkpoints // 2, 3 * checkpoints // 4, checkpoints - 1})
        self._labels, self._sums = labels, {start: FoldSums(inside, classes, labels) for start in starts}

    def add(self, run: int, checkpoint: int, probabilities: Float[np.ndarray, "sample class"]) -> None:
        """Takes what a run says at a checkpoint."""
        for start, sums in self._sums.items():
            if checkpoint >= start:
                sums.add(run, probabilities)

    def best(self) -> tuple[int, FoldSums]:
        """Returns the window under which the given labels are most likely, its first checkpoint and its sums.

        Of equal ones the longest.
        """
        start = max(self._sums, key=lambda start: self._likelihood(self._sums[start]))
        return start, self._sums[start]

    def _likelihood(self, sums: FoldSums) -> float:
        held_out = sums.held_out
        known = ~np.isnan(held_out).any(1)
        return best_power(held_out[known], self._labels[known])[0]
