"""How alike two images look, by means, contrasts and structure in small windows."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from reseed._arrays import ArrayLike, Result, brief
from reseed._errors import InputError
from reseed._numbers import is_whole
from reseed.robustness._inputs import Bounds, check_bounds, check_images, input_tensor, sample_shape, value_of_each
from reseed.robustness._reduction import Reduction, check_reduction, reduced, success_mask

Window: TypeAlias = Literal["uniform", "gaussian"]

_SIZES = {"uniform": 7, "gaussian": 11}
_SIGMA = 1.5
_K1, _K2 = 0.01, 0.03


def structural_similarity(
    clean: ArrayLike,
    perturbed: ArrayLike,
    *,
    bounds: Bounds = (0.0, 1.0),
    window: Window = "uniform",
    size: int | None = None,
    shrink: bool = False,
    success: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Result:
    """Return how alike clean and changed images look: the average structural similarity (ASS, SSIM).

        SSIM = (2 mu_x mu_y + C1) (2 s_xy + C2) / ((mu_x^2 + mu_y^2 + C1) (s_x^2 + s_y^2 + C2))

    averaged over all windows that lie inside the image, and over channels; mu are means in the window, s^2 variances
    and s_xy the covariance, C1 = (0.01 L)^2 and C2 = (0.03 L)^2 with L the width of the bounds. A uniform window takes
    variances of a sample (one less in the denominator), a Gaussian one, of standard deviation 1.5, weighted ones.

    Args:
        clean: Images [sample, channel, height, width] or [sample, height, width].
        perturbed: The same images changed; or each run's own, with a run axis first.
        bounds: The lowest and the highest number that a pixel may hold.
        window: "uniform" or "gaussian".
        size: Pixels of a side of the window, an odd number from 3; default: 7 for a uniform one, 11 for a Gaussian one.
        shrink: Whether smaller images are looked at with the largest odd window that fits, instead of being refused.
        success: Which samples count, True or False for each, [sample] or [run, sample]; default: all.
        reduction: "mean", or "none" for the value of each sample, NaN where it does not count.

    Returns:
        The mean, in [-1, 1], 1 for equal images, a float or one for each run; or values [sample] or [run, sample],
        float64.

    Raises:
        InputError: Images are smaller than the window, of whole numbers, outside the bounds, or shapes do not fit.

    Examples:
        >>> dark, light = torch.full((1, 1, 8, 8), 0.2), torch.full((1, 1, 8, 8), 0.4)
        >>> round(structural_similarity(dark, light), 6)  # (2 * 0.2 * 0.4 + 1e-4) / (0.2^2 + 0.4^2 + 1e-4)
        0.8001

    References:
        Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity", IEEE Transactions on
        Image Processing 2004.
    """
    check_reduction(reduction)
    low, high = check_bounds(bounds)
    before, after = input_tensor(clean, "clean"), input_tensor(perturbed, "perturbed")
    shape = sample_shape(before, after)
    check_images(before, "clean")
    check_images(after, "perturbed")
    counted = None if success is None else success_mask(success, shape)
    side = _window_size(before, window, size, shrink)
    weights = _weights(window, side)
    unbiased = side**2 / (side**2 - 1) if window == "uniform" else 1.0
    c1, c2 = (_K1 * (high - low)) ** 2, (_K2 * (high - low)) ** 2

    def measure(x: Tensor, y: Tensor) -> Tensor:
        one, other = _pixels_first(x), _pixels_first(y)
        moments = torch.stack([one, other, one * one + other * other, one * other])
        mean_x, mean_y, squares, products = _windowed(_windowed(moments, weights, 1), weights, 2)
        means, crossed = mean_x * mean_x + mean_y * mean_y, mean_x * mean_y
        variances, covariance = unbiased * (squares - means), unbiased * (products - crossed)
        similar: Tensor = (2 * crossed + c1) * (2 * covariance + c2) / ((means + c1) * (variances + c2))
        return similar.mean(dim=(0, 1)).reshape(len(x), -1).mean(dim=1)

    values = value_of_each(before, after, measure, counted=counted, check=(low, high))
    return reduced(values, counted, reduction, "the structural similarity", perturbed, clean)


def _pixels_first(images: Tensor) -> Tensor:
    """Return images [height, width, picture]: sums along an axis of pixels then run over what lies side by side."""
    return images.reshape(-1, *images.shape[-2:]).permute(1, 2, 0).contiguous()


def _windowed(moments: Tensor, weights: list[float], dim: int) -> Tensor:
    """Return weighted means of all windows along one axis, which becomes shorter by one less than their size."""
    windows = moments.shape[dim] - len(weights) + 1
    means = moments.narrow(dim, 0, windows) * weights[0]
    for place, weight in enumerate(weights[1:], 1):
        means.add_(moments.narrow(dim, place, windows), alpha=weight)
    return means


def _weights(window: Window, size: int) -> list[float]:
    if window == "uniform":
        return [1 / size] * size
    bell = [math.exp(-0.5 * ((place - size // 2) / _SIGMA) ** 2) for place in range(size)]
    return [weight / sum(bell) for weight in bell]


def _window_size(images: Tensor, window: Window, size: int | None, shrink: bool) -> int:
    if window not in _SIZES:
        raise InputError(f"window={window!r} is unknown; pass 'uniform' or 'gaussian'.")
    side = _SIZES[window] if size is None else size
    if not is_whole(side) or side < 3 or side % 2 == 0:
        raise InputError(f"size={size!r} is no window; pass an odd number from 3 on.")
    least = min(images.shape[-2:])
    if side <= least:
        return side
    fits = least - (least + 1) % 2
    if fits < 3:
        raise InputError(f"clean is {brief(images)}, images in which no window fits; pass images of 3 pixels or more.")
    if not shrink:
        raise InputError(
            f"clean is {brief(images)}, images smaller than the window of {side} pixels; pass size={fits}, or "
            "shrink=True for the largest window that fits."
        )
    return fits
