"""What was learned and forgotten along a training: counts of events, and when they happened for good."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from reseed._arrays import ArrayLike, Result, for_good, give_back
from reseed._labels import encode, label_array
from reseed.instability.dynamics._trajectory import correct_array, need_checkpoints


@dataclass(frozen=True, eq=False)
class ForgettingEvents:
    """How often each sample was forgotten.

    Attributes:
        count: number of forgetting events, [sample], int64; with `infinite`, float64 and inf where the sample
            was never learned.
        never_learned: True where no checkpoint is right, [sample].
    """

    count: Result
    never_learned: Result


def forgetting_events(correct: ArrayLike, *, infinite: bool = False) -> ForgettingEvents:
    """Returns how often each sample goes from right at one checkpoint to wrong at the next.

        F = sum_t 1[right at t and wrong at t + 1]

    A sample that was never right has no such event, though it is the hardest of all: sort by `count` with
    `infinite=True`, or look at `never_learned`. Fewer checkpoints show fewer events, so compare trajectories of
    equal length and spacing. The paper counts over the visits of a sample in mini-batches; counts over epochs
    are another granularity of the same measure.

    Args:
        correct: True where the predicted label is right [checkpoint, sample], any axes before these two.
        infinite: count inf events where a sample was never learned.

    Returns:
        Counts and the mask of samples never learned, each [sample].

    Raises:
        InputError: no checkpoints, or values other than True and False.

    Example:
        >>> found = forgetting_events([[0, 0, 1], [1, 0, 1], [0, 0, 1], [1, 0, 1], [1, 0, 1], [0, 0, 1]])
        >>> found.count, found.never_learned
        (array([2, 0, 0]), array([False,  True, False]))

    References:
        Toneva et al., "An Empirical Study of Example Forgetting during Deep Neural Network Learning", ICLR 2019.
    """
    right = correct_array(correct)
    count = count_forgetting(right)
    never = np.asarray(~right.any(axis=-2))
    shown = np.where(never, np.inf, count) if infinite else count
    return ForgettingEvents(give_back(shown, correct), give_back(never, correct))


def label_flips(labels: ArrayLike) -> Result:
    """Returns how often the predicted label changes from one checkpoint to the next.

        flips = sum_t 1[y_t != y_(t+1)]

    Needs no true labels, and sees changes from one wrong label to another, which forgetting events do not.

    Args:
        labels: predicted labels [checkpoint, sample], integers or strings, any axes before these two.

    Returns:
        Counts [sample], int64; 0 for a single checkpoint.

    Raises:
        InputError: no checkpoints, or labels that are neither whole numbers nor strings.

    Example:
        >>> label_flips([[0, 3], [1, 3], [0, 3]])
        array([2, 0])
    """
    array = label_array(labels)
    need_checkpoints(array, "labels")
    codes, _ = encode(array)
    return give_back(np.count_nonzero(codes[..., 1:, :] != codes[..., :-1, :], axis=-2), labels)


def first_learned(correct: ArrayLike) -> Result:
    """Returns the first checkpoint from which on a sample is right for good.

    Args:
        correct: True where the predicted label is right [checkpoint, sample], any axes before these two.

    Returns:
        Indices of checkpoints [sample], the first being 0, float64; inf where the last checkpoint is wrong.

    Raises:
        InputError: no checkpoints, or values other than True and False.

    Example:
        >>> first_learned([[0, 1, 1], [1, 1, 1], [0, 1, 1], [1, 1, 0]])
        array([ 3.,  0., inf])

    References:
        Maini et al., "Characterizing Datapoints via Second-Split Forgetting", NeurIPS 2022, study how late samples
        are learned; "from which on right for good" is this library's reading of it.
    """
    return give_back(for_good(correct_array(correct)), correct)


def second_split_forgetting(correct: ArrayLike) -> Result:
    """Returns the first checkpoint from which on a sample is wrong for good.

    Meant for the samples of a first split while training goes on with a second split only: wrongly labelled
    samples are forgotten soon, rare ones slowly. Give the trajectory of that second training; the checkpoint
    before it may come first, and then is number 0.

    Args:
        correct: True where the predicted label is right [checkpoint, sample], any axes before these two.

    Returns:
        Indices of checkpoints [sample], the first being 0, float64; inf where the last checkpoint is right,
        that is, where the sample is not forgotten.

    Raises:
        InputError: no checkpoints, or values other than True and False.

    Example:
        >>> second_split_forgetting([[1, 1, 0], [0, 1, 0], [1, 1, 0], [0, 1, 0]])
        array([ 3., inf,  0.])

    References:
        Maini et al., "Characterizing Datapoints via Second-Split Forgetting", NeurIPS 2022.
    """
    return give_back(for_good(~correct_array(correct)), correct)


def count_forgetting(right: Bool[np.ndarray, "... checkpoint sample"]) -> Int[np.ndarray, "... sample"]:
    """Counts the steps from right to wrong."""
    return np.asarray(np.count_nonzero(right[..., :-1, :] & ~right[..., 1:, :], axis=-2))
