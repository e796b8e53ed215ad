"""How visible a change of an image is: a change of a flat region is seen where one of a texture is not."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn.functional import pad

from reseed._arrays import ArrayLike, Result, brief
from reseed._errors import InputError
from reseed.robustness._inputs import Bounds, check_bounds, check_images, input_tensor, sample_shape, value_of_each
from reseed.robustness._reduction import Reduction, check_reduction, reduced, success_mask

_LEVELS = 255


def perturbation_sensitivity_distance(
    clean: ArrayLike,
    perturbed: ArrayLike,
    *,
    bounds: Bounds = (0.0, 1.0),
    floor: float | None = None,
    success: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Result:
    """Return how visible changes of images are: the perturbation sensitivity distance (PSD).

        PSD = (1 / n) sum_i sum_j |x'_ij - x_ij| / max(std(R(x_ij)), floor)

    with R the square of 3 x 3 pixels around pixel j of the clean image i, of the same channel, reflected at the edges;
    std divides by 9. The sum is over pixels and channels, so that values of images of different size do not compare.

    Args:
        clean: Images [sample, channel, height, width] or [sample, height, width].
        perturbed: The same images changed; or each run's own, with a run axis first.
        bounds: The lowest and the highest number that a pixel may hold.
        floor: What the standard deviation is at least, above 0; default: one of the 255 steps of an image of bytes.
            Flat regions have none, and would have changes of them count without limit.
        success: Which samples count, True or False for each, [sample] or [run, sample]; default: all.
        reduction: "mean", or "none" for the value of each sample, NaN where it does not count.

    Returns:
        The mean, in [0, inf), 0 for equal images, a float or one for each run; or values [sample] or [run, sample],
        float64.

    Raises:
        InputError: Images have a single row or column, are of whole numbers, outside the bounds, or shapes do not fit.

    Examples:
        >>> import torch
        >>> board = torch.tensor([[0.0, 1.0] * 4, [1.0, 0.0] * 4] * 4).reshape(1, 1, 8, 8)
        >>> changed = (board - 0.1).abs()  # every pixel by 0.1; each square has the standard deviation sqrt(20) / 9
        >>> round(perturbation_sensitivity_distance(board, changed), 4), round(64 * 0.1 / (20**0.5 / 9), 4)
        (12.8798, 12.8798)
    """
    check_reduction(reduction)
    low, high = check_bounds(bounds)
    least = (high - low) / _LEVELS if floor is None else floor
    if not (0 < least < math.inf):
        raise InputError(f"floor={floor!r} must be above 0; pass for example {(high - low) / _LEVELS:.4g}.")
    before, after = input_tensor(clean, "clean"), input_tensor(perturbed, "perturbed")
    shape = sample_shape(before, after)
    check_images(before, "clean")
    check_images(after, "perturbed")
    if min(before.shape[-2:]) < 2:
        raise InputError(f"clean is {brief(before)}; pass images of two rows and two columns or more.")
    counted = None if success is None else success_mask(success, shape)

    def measure(x: Tensor, y: Tensor) -> Tensor:
        std = local_std(x).clamp_(min=least)
        return (y - x).abs_().div_(std).flatten(1).sum(dim=1)

    values = value_of_each(before, after, measure, counted=counted, check=(low, high))
    return reduced(values, counted, reduction, "the perturbation sensitivity distance", perturbed, clean)


def local_std(images: Tensor) -> Tensor:
    """Return the standard deviation of each pixel's 3 x 3 square, reflected at the edges, [..., height, width]."""
    shape = images.shape
    flat = images.reshape(-1, 1, *shape[-2:])
    centred = flat - flat.mean(dim=(-2, -1), keepdim=True)  # less is lost when squares are subtracted
    around = pad(centred, (1, 1, 1, 1), mode="reflect")
    mean = _sums(around).div_(9)
    squares = _sums(around * around).div_(9)
    return squares.sub_(mean * mean).clamp_(min=0).sqrt_().reshape(shape)


def _sums(padded: Tensor) -> Tensor:
    rows = padded[..., :-2, :] + padded[..., 1:-1, :]
    rows += padded[..., 2:, :]
    found = rows[..., :-2] + rows[..., 1:-1]
    found += rows[..., 2:]
    return found
