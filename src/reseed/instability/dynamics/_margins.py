"""How far the true label's logit is ahead of the others, and its mean along a training."""

import numpy as np

from reseed._arrays import ArrayLike, Result, float_array, give_back
from reseed._errors import InputError
from reseed.instability._target_margin import scores_and_targets, target_margin
from reseed.instability.dynamics._trajectory import check_burn_in, need_checkpoints


def logit_margin(logits: ArrayLike, targets: ArrayLike) -> Result:
    """Returns the true label's logit minus the largest other logit.

        margin = z_y - max_(k != y) z_k

    It is positive where the prediction is right, and negative where it is wrong; unlike a difference of
    probabilities it does not saturate.

    Args:
        logits: unnormalised scores [sample, class], any axes before these two, such as [checkpoint, sample,
            class].
        targets: true labels [sample], or one for each logit vector.

    Returns:
        Margins in the unit of the logits, of their shape without the class axis, float64.

    Raises:
        InputError: fewer than two classes, logits that are not finite, targets of another shape or out of
            range.

    Example:
        >>> logit_margin([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0]], [0, 2])
        array([ 1.5, -2. ])

    References:
        Pleiss et al., "Identifying Mislabeled Data using the Area Under the Margin Ranking", NeurIPS 2020.
    """
    scores, gold = scores_and_targets(logits, targets, "logits")
    if not np.isfinite(scores).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(scores))[0])
        raise InputError(
            f"logits holds {scores[place]} at position {place}; pass finite logits, with a large negative number "
            "for classes that are masked."
        )
    return give_back(target_margin(scores, gold), logits)


def aum(logit_margins: ArrayLike, *, burn_in: int = 0) -> Result:
    """Returns the area under the margin: the mean of a sample's logit margin along a training.

        AUM = (1 / T) sum_t margin_t

    Low values mean that other samples pull the prediction away from the label given, as they do where it is
    wrong.

    Args:
        logit_margins: margins [checkpoint, sample] from `logit_margin`, any axes before these two.
        burn_in: number of first checkpoints to leave out.

    Returns:
        Means [sample] in the unit of the logits, float64.

    Raises:
        InputError: no checkpoints (left), or NaN.

    Example:
        >>> aum([[1.0, -2.0], [3.0, -1.0]])
        array([ 2. , -1.5])

    References:
        Pleiss et al., "Identifying Mislabeled Data using the Area Under the Margin Ranking", NeurIPS 2020.
    """
    array = float_array(logit_margins, "logit_margins")
    need_checkpoints(array, "logit_margins")
    check_burn_in(burn_in, array.shape[-2])
    return give_back(np.asarray(array[..., burn_in:, :].mean(axis=-2, dtype=np.float64)), logit_margins)
