"""Dataset cartography: how sure a model was of the true label while it was trained."""

from dataclasses import dataclass

import numpy as np

from reseed._arrays import ArrayLike, Result, brief, give_back, undefined
from reseed._errors import InputError
from reseed.instability.dynamics._trajectory import check_burn_in, is_correct, mean_and_variance, probability_array


@dataclass(frozen=True, eq=False)
class Cartography:
    """Where each sample stands on the data map.

    Attributes:
        confidence: mean over checkpoints of the true label's probability, [sample], in [0, 1].
        variability: standard deviation over checkpoints of the same, [sample], in [0, 0.5] (with
            `small_sample` it may exceed that).
        closeness: confidence times (1 - confidence), [sample], in [0, 0.25]: large near the threshold 1/2.
        correctness: share of checkpoints at which the predicted label is right, [sample]; None without labels.
    """

    confidence: Result
    variability: Result
    closeness: Result
    correctness: Result | None


def cartography(
    own_probability: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    targets: ArrayLike | None = None,
    burn_in: int = 0,
    burn_out: int | None = None,
    small_sample: bool = False,
) -> Cartography:
    """Returns mean and spread of the true label's probability along a training, and how often it was predicted.

    With `p_t` the probability that checkpoint t gives to the true label, and T the number of checkpoints,

        confidence = (1 / T) sum_t p_t
        variability = sqrt(v),    v = (1 / T) sum_t (p_t - confidence)^2

    Samples of low confidence are hard to learn, and wrong labels are found among them; those of high
    variability are ambiguous. The start of a training lowers the one and raises the other for every sample:
    compare trainings of equal length, or leave the start out with `burn_in`.

    Args:
        own_probability: probability of each sample's true label [checkpoint, sample], any axes before these
            two, such as [run, checkpoint, sample].
        labels: predicted labels of the same shape, for the correctness; with `targets` or not at all.
        targets: true labels [sample].
        burn_in: number of first checkpoints to leave out.
        burn_out: keep only the first so many checkpoints. The name is that of the authors' code, whose
            `burn_out` also keeps the first checkpoints and leaves out the later ones. Together with `burn_in`
            the checkpoints from `burn_in` up to, not including, `burn_out` are kept.
        small_sample: return sqrt(v + v^2 / (T - 1)) as the variability, an option for few checkpoints.

    Returns:
        The measures, each [sample] (all axes but the checkpoint), float64; NaN variability, with a warning,
        where `small_sample` meets a single checkpoint.

    Raises:
        InputError: no checkpoints (left), NaN, values outside [0, 1], shapes that differ, or only one of
            labels and targets.

    Example:
        >>> found = cartography([[0.2, 0.9], [0.6, 0.9]], labels=[[1, 0], [0, 0]], targets=[0, 0])
        >>> found.confidence.round(2), found.variability.round(2), found.correctness
        (array([0.4, 0.9]), array([0.2, 0. ]), array([0.5, 1. ]))

    References:
        Swayamdipta et al., "Dataset Cartography: Mapping and Diagnosing Datasets with Training Dynamics", EMNLP
        2020.
    """
    array = probability_array(own_probability, "own_probability")
    if (labels is None) != (targets is None):
        raise InputError("labels and targets say together which predictions are right; pass both or neither.")
    total = array.shape[-2]
    check_burn_in(burn_in)
    last = total if burn_out is None else burn_out
    if not burn_in < last <= total:
        raise InputError(
            f"burn_in={burn_in} and burn_out={burn_out} leave no valid part of {total} checkpoints; pass "
            f"0 <= burn_in < burn_out <= {total}."
        )
    kept = slice(burn_in, last)
    confidence, variance = mean_and_variance(array[..., kept, :])
    variability = np.sqrt(variance)
    if small_sample and last - burn_in > 1:
        variability = np.sqrt(variance + variance**2 / (last - burn_in - 1))
    elif small_sample:
        undefined("one checkpoint has no small-sample variability; it is NaN.")
        variability = np.full(variance.shape, np.nan)
    correctness = None
    if labels is not None and targets is not None:
        right = is_correct(labels, targets)
        if right.shape != array.shape:
            raise InputError(
                f"labels is {brief(right)} but own_probability is {brief(array)}; pass two trajectories of the same "
                "checkpoints and samples."
            )
        correctness = give_back(right[..., kept, :].mean(axis=-2), own_probability)
    return Cartography(
        give_back(confidence, own_probability),
        give_back(variability, own_probability),
        give_back(confidence * (1 - confidence), own_probability),
        correctness,
    )
