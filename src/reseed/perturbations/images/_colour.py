"""What changes the values of pixels alone: brightness, contrast, saturation."""

from __future__ import annotations

import torch
from torch import Tensor

from reseed.perturbations.images._draws import Draws

LUMA = (0.299, 0.587, 0.114)


def coloured(levels: Tensor, colour: tuple[float, float, float], channels: int) -> Tensor:
    """Return levels [sample, 1, ...] in a colour; where there are no three channels, in the grey of its luma."""
    if channels != 3:
        return levels * sum(share * value for share, value in zip(LUMA, colour, strict=True))
    return levels * torch.tensor(colour, dtype=levels.dtype, device=levels.device)[:, None, None]


def grey(images: Tensor) -> Tensor:
    """Return the luma of images of three channels, else the mean of the channels, [sample, 1, height, width]."""
    if images.shape[1] == 3:
        return images[:, :1] * LUMA[0] + images[:, 1:2] * LUMA[1] + images[:, 2:] * LUMA[2]
    total = images[:, :1].clone()
    for channel in range(1, images.shape[1]):
        total += images[:, channel : channel + 1]
    return total.div_(images.shape[1])


def largest(images: Tensor) -> Tensor:
    """Return V of HSV, the largest channel, [sample, 1, height, width]."""
    return images if images.shape[1] == 1 else images.amax(1, keepdim=True)


def brightness(images: Tensor, added: float, draws: Draws, scale: float) -> Tensor:
    """V of HSV becomes clip(V + added, 0, 1); hue and saturation stay, so that channels keep their ratios."""
    value = largest(images)
    wanted = (value + added).clamp_(0, 1)
    if images.shape[1] == 1:
        return wanted
    black = value == 0
    factor = wanted / value.masked_fill(black, 1.0)
    return torch.where(black, wanted, images * factor)


def contrast(images: Tensor, factor: float, draws: Draws, scale: float) -> Tensor:
    """(x - m) * factor + m, m the mean of each image and channel."""
    mean = _sums(images.flatten(2)).div_(images.shape[-2] * images.shape[-1])[..., None]
    return (images - mean).mul_(factor).add_(mean)


def _sums(values: Tensor) -> Tensor:
    """Return sums over the last axis, kept, by halves: in an order that no other axis has a part in."""
    while (size := values.shape[-1]) > 1:
        half = (size + 1) // 2
        folded = values[..., :half].clone()
        folded[..., : size - half] += values[..., half:]
        values = folded
    return values.clone()


def saturate(images: Tensor, constants: tuple[float, float], draws: Draws, scale: float) -> Tensor:
    """S of HSV becomes clip(a * S + b, 0, 1); hue and V stay.

    Grey pixels have the hue 0, red: with b > 0 they turn reddish, as in the published data. Images of one channel
    stay as they are.
    """
    if images.shape[1] == 1:
        return images.clone()
    factor, added = constants
    value = largest(images)
    lost = value - images.amin(1, keepdim=True)
    without = lost == 0
    saturation = lost / value.masked_fill(value == 0, 1.0)
    wanted = (saturation * factor + added).clamp_(0, 1)
    gain = wanted / saturation.masked_fill(without, 1.0)
    changed = value - (value - images) * gain
    if images.shape[1] == 3 and added:
        reddish = value * (1 - wanted)
        return torch.where(without, torch.cat([value, reddish, reddish], dim=1), changed)
    return changed
