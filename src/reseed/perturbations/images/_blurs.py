"""The blurs: out of focus, normal, through frosted glass, of motion and of zoom."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from reseed.perturbations.images._draws import Draws
from reseed.perturbations.images._motion import moved
from reseed.perturbations.images._taps import between, blurred, scaled_disk, scaled_gaussian, turned, weighted


def defocus_blur(images: Tensor, constants: tuple[float, float], draws: Draws, scale: float) -> Tensor:
    """The mean over a disk of a radius, its edge softened by a normal blur."""
    return weighted(images, scaled_disk(*constants, scale))


def gaussian_blur(images: Tensor, sigma: float, draws: Draws, scale: float) -> Tensor:
    """The normal blur of standard deviation sigma, cut at four of them."""
    return blurred(images, scaled_gaussian(sigma, scale)).clone()


def motion_blur(images: Tensor, constants: tuple[float, float], draws: Draws, scale: float) -> Tensor:
    """The blur of a movement in a direction between -45 and 45 degrees; see `moved`."""
    return moved(images, *constants, draws.uniform(0, ()).mul_(90).sub_(45), scale)


def zoom_blur(images: Tensor, zooms: tuple[float, float], draws: Draws, scale: float) -> Tensor:
    """The mean of the image and of its magnifications from 1 up to below a bound, about its centre."""
    factors = np.arange(1, *zooms)
    total = turned(images).clone()
    for factor in factors:
        total += _zoomed(images, float(factor))
    return turned(total.div_(len(factors) + 1))


def zoomed(images: Tensor, factor: float) -> Tensor:
    """Return images magnified about their centre, straight lines between pixels."""
    return turned(_zoomed(images, factor))


def _zoomed(images: Tensor, factor: float) -> Tensor:
    """Return magnified images with height and width exchanged."""
    down, right = (
        (size - 1) / 2 + (np.arange(size) - (size - 1) / 2) / factor for size in (images.shape[-2], images.shape[-1])
    )
    return between(turned(between(images, down)), right)


def glass_blur(images: Tensor, constants: tuple[float, int, int], draws: Draws, scale: float) -> Tensor:
    """A normal blur, pixels that are replaced by near ones, and the blur again.

    From the last pixel to the first, each but those at the edges becomes a copy of a pixel at most ``reach`` away, as
    it is by then. (Published as a swap, but the published code copies, and the published data are made by it.)
    """
    sigma, reach, rounds = constants
    reach = max(1, round(reach * scale))
    weights = scaled_gaussian(sigma, scale)
    height, width = images.shape[-2:]
    source = _copied(draws.uniform(0, (2, height, width)), reach)
    for number in range(1, rounds):
        source = source.gather(1, _copied(draws.uniform(number, (2, height, width)), reach))
    soft = blurred(images, weights).flatten(2)
    shuffled = soft.gather(2, source[:, None].expand(-1, images.shape[1], -1)).view_as(images)
    return blurred(shuffled, weights)


def _copied(drawn: Tensor, reach: int) -> Tensor:
    """Return which pixel each one shows after one round of copies, [sample, pixel].

    A pixel that is copied after it was itself replaced passes on what it shows by then. These chains are followed by
    doubling, all at once: entries below the number of pixels mean what that pixel shows by then, those above it the
    pixel as it was.
    """
    samples, _, height, width = drawn.shape
    pixels, device = height * width, drawn.device
    offsets = (drawn * (2 * reach)).long().sub_(reach)
    places = torch.arange(pixels, device=device).view(height, width)
    target = (offsets[:, 0] * width).add_(offsets[:, 1]).add_(places)
    inner = torch.zeros(height, width, dtype=torch.bool, device=device)
    inner[reach + 1 : height - reach + 1, reach + 1 : width - reach + 1] = True
    target = torch.where(inner, target, places).view(samples, pixels)
    replaced = (target > places.flatten()) & inner.flatten().take(target)
    originals = (places.flatten() + pixels).expand(samples, -1)
    chain = torch.cat([torch.where(replaced, target, target + pixels), originals], dim=1)
    while bool((chain[:, :pixels] < pixels).any()):
        chain = chain.gather(1, chain)
    return chain[:, :pixels] - pixels
