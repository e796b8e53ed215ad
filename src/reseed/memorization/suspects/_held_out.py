"""What networks say of samples that they were not trained on, and how surely they learned those that they were."""

import numpy as np
from jaxtyping import Bool, Float, Int

from reseed._arrays import ArrayLike, Result, give_back, undefined
from reseed._errors import InputError
from reseed.memorization.suspects._taken import check_same_runs, taken_inside, taken_labels, taken_probabilities

_LEAST = float(np.finfo(np.float32).tiny)  # what recorded probabilities hold above zero


def held_out_probabilities(probabilities: ArrayLike, trained_on: ArrayLike) -> Result:
    """Returns each sample's probabilities as networks give them that were not trained on it.

    The mean over the runs that left the sample out and over all their checkpoints. Where networks learn wrong labels by
    heart, an average along the training ranks them better than the last checkpoint; where they still learn, worse: see
    `averaging_start`.

    Args:
        probabilities: [run, checkpoint, sample, class].
        trained_on: True where the run was trained on the sample [run, sample]; see `reseed.Study.trained_on`.

    Returns:
        Probabilities [sample, class]; NaN, with a warning, for samples that every run was trained on.

    Raises:
        InputError: shapes differ, or they are no probabilities.

    Example:
        >>> of_two_runs = [[[[0.9, 0.1], [0.2, 0.8]]], [[[0.6, 0.4], [0.5, 0.5]]]]
        >>> held_out_probabilities(of_two_runs, [[True, False], [False, True]])
        array([[0.6, 0.4],
               [0.2, 0.8]])
    """
    array, inside = taken_probabilities(probabilities), taken_inside(trained_on)
    check_same_runs(inside, array, "probabilities")
    found = FoldSums(inside, array.shape[-1])
    for run, own in enumerate(array):
        for checkpoint in own:
            found.add(run, checkpoint)
    held_out = found.held_out
    if missing := int(np.isnan(held_out).any(1).sum()):
        undefined(
            f"held-out probabilities of {missing} of {len(held_out)} samples are NaN: every run was trained on them."
        )
    return give_back(held_out, probabilities, trained_on)


def in_sample_margin(probabilities: ArrayLike, labels: ArrayLike, trained_on: ArrayLike) -> Result:
    """Returns the area under the margin of each sample in the runs that were trained on it.

        A_i = mean over runs with i and checkpoints of log p(given label) - log max p(another label)

    which is the difference of logits. Low where the label was learned late or against the others.

    Args:
        probabilities: [run, checkpoint, sample, class].
        labels: Given labels, places of classes [sample].
        trained_on: True where the run was trained on the sample [run, sample].

    Returns:
        Margins in nats [sample]; NaN, with a warning, for samples that no run was trained on.

    Raises:
        InputError: shapes differ, or they are no probabilities.

    Example:
        >>> in_sample_margin([[[[0.8, 0.2], [0.5, 0.5]]]], [0, 1], [[True, True]]).round(3)
        array([1.386, 0.   ])

    References:
        Pleiss et al., "Identifying Mislabeled Data using the Area Under the Margin Ranking", NeurIPS 2020.
    """
    array, inside = taken_probabilities(probabilities), taken_inside(trained_on)
    check_same_runs(inside, array, "probabilities")
    given = taken_labels(labels, array.shape[-1], array.shape[2])
    found = FoldSums(inside, array.shape[-1], given)
    for run, own in enumerate(array):
        for checkpoint in own:
            found.add(run, checkpoint)
    margins = found.margins
    if missing := int(np.isnan(margins).sum()):
        undefined(f"margins of {missing} of {len(margins)} samples are NaN: no run was trained on them.")
    return give_back(margins, probabilities, labels, trained_on)


class FoldSums:
    """Sums over runs and checkpoints, one of which is in memory at a time.

    Args:
        inside: Which samples each run was trained on.
        classes: How many there are.
        labels: Given labels; None where no margins are wanted.
    """

    def __init__(
        self, inside: Bool[np.ndarray, "run sample"], classes: int, labels: Int[np.ndarray, " sample"] | None = None
    ) -> None:
        samples = inside.shape[1]
        self._inside, self._labels = inside, labels
        self._sums, self._margins = np.zeros((samples, classes)), np.zeros(samples)
        self._outside_count, self._inside_count = np.zeros(samples), np.zeros(samples)

    def add(self, run: int, probabilities: Float[np.ndarray, "sample class"]) -> None:
        """Takes what a run says at a checkpoint."""
        if probabilities.shape != self._sums.shape:
            raise InputError(f"a checkpoint holds {probabilities.shape}, and others {self._sums.shape}.")
        inside = self._inside[run]
        outside = ~inside
        self._sums[outside] += probabilities[outside]
        self._outside_count += outside
        self._inside_count += inside
        if self._labels is not None:
            self._margins[inside] += log_margin(probabilities[inside], self._labels[inside])

    @property
    def held_out(self) -> Float[np.ndarray, "sample class"]:
        """Means of those that left a sample out; NaN where there are none."""
        with np.errstate(invalid="ignore"):
            means: Float[np.ndarray, "sample class"] = self._sums / self._outside_count[:, None]
        return means

    @property
    def margins(self) -> Float[np.ndarray, " sample"]:
        """Means of those that were trained on a sample; NaN where there are none."""
        with np.errstate(invalid="ignore"):
            means: Float[np.ndarray, " sample"] = self._margins / self._inside_count
        return means


def log_margin(
    probabilities: Float[np.ndarray, "sample class"], labels: Int[np.ndarray, " sample"]
) -> Float[np.ndarray, " sample"]:
    """Returns how far the given label's logit is ahead of the largest other one."""
    rows = np.arange(len(labels))
    logs = np.log(np.maximum(probabilities.astype(np.float64), _LEAST))
    own = logs[rows, labels].copy()
    logs[rows, labels] = -np.inf
    return np.asarray(own - logs.max(1))
