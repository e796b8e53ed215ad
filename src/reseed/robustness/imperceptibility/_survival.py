"""Whether attacks outlive what images go through on their way: blur and lossy compression."""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from reseed._arrays import ArrayLike, Result, brief
from reseed._errors import InputError
from reseed._labels import label_array
from reseed._numbers import is_whole
from reseed.robustness._answers import output_array, predicted_classes
from reseed.robustness._inputs import Bounds, check_bounds, check_images, check_within, input_tensor
from reseed.robustness._reduction import Reduction, check_reduction, reduced, success_mask

_REACH = 4.0  # standard deviations at which a Gaussian window ends
_LEVELS = 255


def survival_after_blur(
    adversarial: ArrayLike,
    targets: ArrayLike,
    ask: Callable[[Tensor], Tensor],
    *,
    success: ArrayLike,
    wanted: ArrayLike | None = None,
    radius: float = 2.0,
    bounds: Bounds = (0.0, 1.0),
    batch_size: int = 256,
    reduction: Reduction = "mean",
) -> Result:
    """Return the share of successful attacks that still succeed after a Gaussian blur (RGB).

    Args:
        adversarial: Images [sample, channel, height, width] or [sample, height, width]; or each run's own, with a run
            axis first, which ``success`` tells.
        targets: True labels [sample], class numbers.
        ask: What answers: images [sample, ...] to logits or probabilities [sample, class]; of each run's own images
            [run, sample, ...] to [run, sample, class].
        success: Which attacks succeeded, [sample] or [run, sample], such as `attack_success` says.
        wanted: Of targeted attacks, the label that each wants, [sample].
        radius: The blur's standard deviation in pixels. Edges are continued, and nothing is rounded to bytes.
        bounds: The lowest and the highest number that a pixel may hold.
        batch_size: Images that are asked at a time.
        reduction: "mean", or "none" for the value of each sample, NaN where the attack had failed.

    Returns:
        The share, in [0, 1], a float or one for each run, NaN with a warning where no attack succeeded; or values
        [sample] or [run, sample], 1 where the attack still succeeds and 0 where it does not, float64.

    Raises:
        InputError: Images are of whole numbers or outside the bounds, shapes do not fit, or the radius is not above 0.

    Examples:
        >>> image = torch.zeros(1, 1, 8, 8)
        >>> image[0, 0, 4, 4] = 1.0  # a spot, which is all that the network looks for
        >>> ask = lambda images: torch.stack([images.amax((1, 2, 3)), torch.full((len(images),), 0.5)], dim=1)
        >>> survival_after_blur(image, [1], ask, success=[True])
        0.0
    """
    if not 0 < radius < math.inf:
        raise InputError(f"radius={radius!r} must be above 0; pass the blur's standard deviation in pixels, such as 2.")
    images, counted = _given(adversarial, success, bounds, reduction)
    stays = _still_succeeds(
        images,
        targets,
        lambda block: gaussian_blur(block, radius),
        ask,
        counted,
        wanted,
        check_bounds(bounds),
        batch_size,
    )
    return reduced(stays, counted, reduction, "the survival after blur", adversarial, success)


def survival_after_jpeg(
    adversarial: ArrayLike,
    targets: ArrayLike,
    ask: Callable[[Tensor], Tensor],
    *,
    success: ArrayLike,
    wanted: ArrayLike | None = None,
    quality: int = 55,
    bounds: Bounds = (0.0, 1.0),
    batch_size: int = 256,
    reduction: Reduction = "mean",
) -> Result:
    """Return the share of successful attacks that still succeed after compression as JPEG (RIC).

    Args:
        adversarial: Images [sample, channel, height, width] of one or three channels, or [sample, height, width]; or
            each run's own, with a run axis first, which ``success`` tells.
        targets: True labels [sample], class numbers.
        ask: What answers: images [sample, ...] to logits or probabilities [sample, class]; of each run's own images
            [run, sample, ...] to [run, sample, class].
        success: Which attacks succeeded, [sample] or [run, sample], such as `attack_success` says.
        wanted: Of targeted attacks, the label that each wants, [sample].
        quality: From 1 to 95, as Pillow takes it.
        bounds: The lowest and the highest number that a pixel may hold; they become the bytes 0 and 255.
        batch_size: Images that are asked at a time.
        reduction: "mean", or "none" for the value of each sample, NaN where the attack had failed.

    Returns:
        The share, in [0, 1], a float or one for each run, NaN with a warning where no attack succeeded; or values
        [sample] or [run, sample], 1 where the attack still succeeds and 0 where it does not, float64.

    Raises:
        InputError: Images are of whole numbers, outside the bounds or of another number of channels, shapes do not fit,
            or the quality is out of range.

    Examples:
        >>> ask = lambda images: torch.stack([images.mean((1, 2, 3)), torch.full((len(images),), 0.5)], dim=1)
        >>> survival_after_jpeg(torch.full((2, 3, 8, 8), 0.8), [1, 1], ask, success=[True, True])
        1.0
    """
    if not is_whole(quality) or not 1 <= quality <= 95:
        raise InputError(f"quality={quality!r} must be a whole number from 1 to 95; pass for example 55.")
    images, counted = _given(adversarial, success, bounds, reduction)
    channels = images.shape[-3] if images.ndim - counted.ndim == 3 else 1
    if channels not in (1, 3):
        raise InputError(
            f"adversarial is {brief(images)}, images of {channels} channels; pass images of one or three channels, "
            "which is what JPEG holds."
        )
    low, high = check_bounds(bounds)
    stays = _still_succeeds(
        images,
        targets,
        lambda block: _as_jpeg(block, quality, low, high),
        ask,
        counted,
        wanted,
        (low, high),
        batch_size,
    )
    return reduced(stays, counted, reduction, "the survival after JPEG", adversarial, success)


def gaussian_blur(images: Tensor, radius: float) -> Tensor:
    """Return images [..., height, width] blurred by a Gaussian window of a standard deviation, edges continued."""
    reach = max(1, math.ceil(_REACH * radius))
    places = torch.arange(-reach, reach + 1, dtype=images.dtype, device=images.device)
    weights = torch.exp(-0.5 * (places / radius) ** 2)
    weights = weights / weights.sum()
    across = torch.matmul(images, _edges_continued(weights, images.shape[-1]))
    return torch.matmul(_edges_continued(weights, images.shape[-2]).mT, across)


def _edges_continued(weights: Tensor, length: int) -> Tensor:
    """Return the matrix [length, length] whose columns weigh what is around each place of a line."""
    reach = len(weights) // 2
    places = torch.arange(length, device=weights.device)
    sources = (places[:, None] + torch.arange(-reach, reach + 1, device=weights.device)).clamp_(0, length - 1)
    matrix = weights.new_zeros(length, length)
    return matrix.index_put_((sources, places[:, None].expand_as(sources)), weights.expand(length, -1), accumulate=True)


def _as_jpeg(images: Tensor, quality: int, low: float, high: float) -> Tensor:
    from PIL import Image

    shape = images.shape
    pictures = (
        images.reshape(-1, *shape[-3:]) if images.ndim > 3 and shape[-3] == 3 else images.reshape(-1, 1, *shape[-2:])
    )
    levels = ((pictures.double() - low) * (_LEVELS / (high - low))).round().clamp(0, _LEVELS)
    found = np.empty(pictures.shape, np.uint8)
    for place, picture in enumerate(levels.to(torch.uint8).cpu().numpy()):
        file = io.BytesIO()
        rows = picture[0] if len(picture) == 1 else np.ascontiguousarray(picture.transpose(1, 2, 0))
        Image.fromarray(rows).save(file, format="JPEG", quality=quality)
        read = np.asarray(Image.open(file))
        found[place] = read if read.ndim == 2 else read.transpose(2, 0, 1)
    back = torch.from_numpy(found).to(images.device, images.dtype)
    return (back * ((high - low) / _LEVELS) + low).reshape(shape)


def _given(
    adversarial: ArrayLike, success: ArrayLike, bounds: Bounds, reduction: Reduction
) -> tuple[Tensor, np.ndarray]:
    check_reduction(reduction)
    check_bounds(bounds)
    images = input_tensor(adversarial, "adversarial")
    check_images(images, "adversarial")
    axes = 2 if np.ndim(success) == 2 else 1
    counted = success_mask(success, tuple(images.shape[:axes]))
    if images.ndim - axes not in (2, 3):
        raise InputError(
            f"adversarial is {brief(images)} but success has {axes} axes; pass images [sample, channel, height, "
            "width], and with a run axis first where success has one."
        )
    return images, counted


def _still_succeeds(
    images: Tensor,
    targets: ArrayLike,
    change: Callable[[Tensor], Tensor],
    ask: Callable[[Tensor], Tensor],
    success: np.ndarray,
    wanted: ArrayLike | None,
    bounds: Bounds,
    batch_size: int,
) -> np.ndarray:
    """Return whether attacks still succeed on changed images, as floats; asked where any run's attack succeeded."""
    if not is_whole(batch_size) or batch_size < 1:
        raise InputError(f"batch_size={batch_size!r} must be 1 or more.")
    gold = _classes(targets, success.shape[-1], "targets")
    goal = None if wanted is None else _classes(wanted, success.shape[-1], "wanted")
    found = np.zeros(success.shape)
    asked = np.flatnonzero(success.any(axis=0) if success.ndim == 2 else success)
    for start in range(0, len(asked), batch_size):
        rows = asked[start : start + batch_size]
        block = images.index_select(success.ndim - 1, torch.from_numpy(rows).to(images.device))
        check_within(block, "adversarial", bounds)
        with torch.no_grad():
            outputs = output_array(ask(change(block)), "ask(images)")
        if outputs.shape[:-1] != (*success.shape[:-1], len(rows)):
            raise InputError(
                f"ask gave {brief(outputs)} for images {brief(block)}; pass what returns one row of classes for "
                "each image."
            )
        labels = predicted_classes(outputs, "ask(images)")
        found[..., rows] = labels != gold[rows] if goal is None else labels == goal[rows]
    return found


def _classes(labels: ArrayLike, samples: int, name: str) -> np.ndarray:
    array = label_array(labels, name)
    if array.dtype.kind not in "iu" or array.shape != (samples,):
        raise InputError(f"{name} is {brief(array)}, but there are {samples} samples; pass one class number for each.")
    return array
