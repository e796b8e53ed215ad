"""What a change of labels did to correctness: wins, losses, and churn for nothing."""

from dataclasses import dataclass

import numpy as np

from reseed._arrays import ArrayLike, undefined
from reseed._labels import label_array, same_shape


@dataclass(frozen=True)
class WinLoss:
    """Shares of samples by what happened to their label; the five shares sum to 1.

    Attributes:
        wins: wrong before, right after.
        losses: right before, wrong after; the negative flip rate.
        both_wrong_but_different: wrong before and after, with different labels.
        both_wrong_and_same: wrong before and after, with the same label.
        both_right: right before and after.
        samples: number of samples.
    """

    wins: float
    losses: float
    both_wrong_but_different: float
    both_wrong_and_same: float
    both_right: float
    samples: int

    @property
    def churn(self) -> float:
        """All changes of label: wins + losses + both wrong but different."""
        return self.wins + self.losses + self.both_wrong_but_different

    @property
    def unnecessary_churn(self) -> float:
        """The churn that the change of accuracy, ``|wins - losses|``, does not call for."""
        return self.churn - abs(self.wins - self.losses)

    @property
    def ratio(self) -> float:
        """Wins per loss: inf with wins and no losses, NaN with neither."""
        if self.losses:
            return self.wins / self.losses
        return float("inf") if self.wins > 0 else float("nan")


def win_loss(before: ArrayLike, after: ArrayLike, targets: ArrayLike) -> WinLoss:
    """Returns how two models' answers compare with the truth, and so what their churn consists of.

        C = W + L + D

    with C the churn, W the wins, L the losses, and D the samples on which both are wrong but differ.

    Args:
        before: labels of the model in use [sample], integers or strings.
        after: labels of its replacement, of the same shape.
        targets: true labels, of the same shape.

    Returns:
        The shares, and the churn, unnecessary churn and win-loss ratio as properties; NaN, with a warning,
        when there are no samples.

    Raises:
        InputError: shapes or kinds of label differ, or labels are neither whole numbers nor strings.

    Example:
        >>> found = win_loss(before=[0, 1, 2, 2], after=[0, 0, 1, 1], targets=[0, 1, 1, 0])
        >>> found.wins, found.losses, found.both_wrong_but_different, found.churn, found.ratio
        (0.25, 0.25, 0.25, 0.75, 1.0)

    References:
        Milani Fard et al., "Launch and Iterate: Reducing Prediction Churn", NeurIPS 2016.
    """
    found = _compare(before, after, targets)
    if not found.samples:
        undefined("before, after and targets hold no samples; the shares are NaN.")
    return found


def negative_flip_rate(before: ArrayLike, after: ArrayLike, targets: ArrayLike) -> float:
    """Returns the share of samples that were right before and are wrong after a change of model.

    Args:
        before: labels of the model in use [sample], integers or strings.
        after: labels of its replacement, of the same shape.
        targets: true labels, of the same shape.

    Returns:
        The share in [0, 1]; NaN, with a warning, when there are no samples.

    Raises:
        InputError: shapes or kinds of label differ, or labels are neither whole numbers nor strings.

    Example:
        >>> negative_flip_rate(before=[0, 1, 2, 2], after=[0, 0, 1, 1], targets=[0, 1, 1, 0])
        0.25

    References:
        Yan et al., "Positive-Congruent Training: Towards Regression-Free Model Updates", CVPR 2021.
    """
    found = _compare(before, after, targets)
    if not found.samples:
        undefined("before, after and targets hold no samples; the negative flip rate is NaN.")
    return found.losses


def unnecessary_churn(before: ArrayLike, after: ArrayLike, targets: ArrayLike) -> float:
    """Returns the churn beyond what the change of accuracy requires.

        U = C - |accuracy_after - accuracy_before| = D + 2 min(W, L)

    that is, wins and losses that cancel, and changes from one wrong label to another.

    Args:
        before: labels of the model in use [sample], integers or strings.
        after: labels of its replacement, of the same shape.
        targets: true labels, of the same shape.

    Returns:
        The share in [0, 1]; NaN, with a warning, when there are no samples.

    Raises:
        InputError: shapes or kinds of label differ, or labels are neither whole numbers nor strings.

    Example:
        >>> unnecessary_churn(before=[0, 1, 2, 2], after=[0, 0, 1, 1], targets=[0, 1, 1, 0])
        0.75

    References:
        Milani Fard et al., "Launch and Iterate: Reducing Prediction Churn", NeurIPS 2016 (the idea; the
        formula is this library's reading of it).
    """
    found = _compare(before, after, targets)
    if not found.samples:
        undefined("before, after and targets hold no samples; the unnecessary churn is NaN.")
    return found.unnecessary_churn


def _compare(before: ArrayLike, after: ArrayLike, targets: ArrayLike) -> WinLoss:
    old, new, gold = (
        label_array(before, "before"),
        label_array(after, "after"),
        label_array(targets, "targets"),
    )
    same_shape(old, new, ("before", "after"))
    same_shape(old, gold, ("before", "targets"))
    samples = old.size
    was, now, same = old == gold, new == gold, old == new

    def share(which: np.ndarray) -> float:
        return int(np.count_nonzero(which)) / samples if samples else float("nan")

    return WinLoss(
        wins=share(~was & now),
        losses=share(was & ~now),
        both_wrong_but_different=share(~was & ~now & ~same),
        both_wrong_and_same=share(~was & same),
        both_right=share(was & now),
        samples=samples,
    )
