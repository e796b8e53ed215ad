"""How often an answer changes along a sequence of images that are perturbed more and more."""

from __future__ import annotations

import numpy as np

from reseed._arrays import ArrayLike, Result, brief
from reseed._errors import InputError, InputTypeError
from reseed._labels import encode, label_array
from reseed._numbers import is_whole
from reseed.robustness._reduction import Reduction, check_reduction, reduced


def flip_probability(labels: ArrayLike, *, noise: bool, stride: int = 1, reduction: Reduction = "mean") -> Result:
    """Return how often answers change along sequences of perturbed images (FP).

        FP = mean over samples of the mean over frames j of 1[F(frame_j) != F(frame_ref)]

    The reference is the frame before; under noise, whose frames do not follow from each other, the first one, which is
    clean. True labels are not needed.

    Args:
        labels: Answers to the frames of each sample's sequence, [..., frame, sample], such as [run, frame, sample];
            integers or strings.
        noise: Whether the perturbation is noise.
        stride: Compare frames so many steps apart, which is harder; only where the perturbation is no noise.
        reduction: "mean", or "none" for the value of each sample.

    Returns:
        The mean, in [0, 1], 0 where no answer changes, a float or [...]; or values [..., sample], float64.

    Raises:
        InputError: There are no two frames that far apart, or a stride is asked of noise.

    Examples:
        >>> frames = [[0], [1], [0], [1]]
        >>> flip_probability(frames, noise=False), round(flip_probability(frames, noise=True), 4)
        (1.0, 0.6667)
        >>> flip_probability(frames, noise=False, stride=2)
        0.0

    References:
        Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations",
        ICLR 2019.
    """
    check_reduction(reduction)
    if not isinstance(noise, bool | np.bool_):
        raise InputTypeError(f"noise={noise!r} does not say what frames are compared with; pass True or False.")
    if not is_whole(stride) or stride < 1:
        raise InputError(f"stride={stride!r} must be a whole number from 1 on.")
    if noise and stride != 1:
        raise InputError(
            f"stride={stride} has no meaning under noise, where all is compared with the first frame; pass 1."
        )
    codes, _ = encode(label_array(labels, "labels"))
    if codes.ndim < 2 or codes.shape[-2] <= stride:
        raise InputError(
            f"labels is {brief(codes)}, in which no two frames are {stride} apart; pass [frame, sample] with more "
            "frames."
        )
    before = codes[..., :1, :] if noise else codes[..., :-stride, :]
    values = np.asarray((codes[..., stride:, :] != before).mean(axis=-2))
    return reduced(values, None, reduction, "the flip probability", labels)
