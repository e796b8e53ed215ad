"""The weather: snow, frost and fog, and what splashes onto the lens."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from reseed.perturbations.images._colour import coloured, grey
from reseed.perturbations.images._draws import Draws
from reseed.perturbations.images._motion import moved
from reseed.perturbations.images._plasma import plasma
from reseed.perturbations.images._taps import between, blurred, gaussian_weights, pixels, scaled_gaussian, turned

_ICE = (0.89, 0.99, 1.12)
_WATER = (175 / 255, 238 / 255, 238 / 255)
_MUD = (63 / 255, 42 / 255, 20 / 255)


def fog(images: Tensor, constants: tuple[float, float], draws: Draws, scale: float) -> Tensor:
    """Return (x + a * clouds) * m / (m + a), m the largest value of the image."""
    amount, decay = constants
    clouds = plasma(draws, 0, pixels(images), decay).to(images.dtype)
    largest = images.flatten(1).amax(1)[:, None, None, None]
    return (images + clouds * amount).mul_(largest / (largest + amount))


def frost(images: Tensor, constants: tuple[float, float], draws: Draws, scale: float) -> Tensor:
    """Return a * x + b * frost, the frost made: veins of light along the level lines of clouds, tinted blue."""
    kept, amount = constants
    rough = plasma(draws, 0, pixels(images), 1.5)
    wide = plasma(draws, 1, pixels(images), 2.0)
    veins = 1 - (rough * 6 - (rough * 6).floor()).mul_(2).sub_(1).abs_()
    ice = (0.3 + 0.2 * rough + 0.25 * wide).add_(veins.square_().mul_(0.25)).to(images.dtype)
    return images * kept + coloured(ice, _ICE, images.shape[1]).clamp_(max=1.0).mul_(amount)


def flakes(draws: Draws, size: tuple[int, int], centre: float, spread: float, zoom: float, least: float) -> Tensor:
    """Return flakes of snow before the wind: enlarged noise, black where it is below ``least``, [sample, 1, ...]."""
    small = [max(2, math.ceil(side / zoom)) for side in size]
    noise = draws.normal(0, (1, *small)).mul_(spread).add_(centre)
    for large, few in zip(size, small, strict=True):
        noise = turned(between(noise, np.linspace(0, few - 1, large)))
    return torch.where(noise < least, torch.zeros_like(noise), noise).clamp_(0, 1)


def whitened(images: Tensor, kept: float) -> Tensor:
    """Return kept * x + (1 - kept) * max(x, 1.5 * grey(x) + 0.5), what snow light does to colours."""
    light = torch.maximum(images, grey(images).mul_(1.5).add_(0.5))
    return light.mul_(1 - kept).add_(images * kept)


def snow(images: Tensor, constants: tuple[float, ...], draws: Draws, scale: float) -> Tensor:
    """Whitened colours, and flakes that fall along a line, once as drawn and once turned by 180 degrees."""
    centre, spread, zoom, least, radius, sigma, kept = constants
    drawn = flakes(draws, pixels(images), centre, spread, max(1.0, zoom * scale), least)
    layer = moved(drawn, radius, sigma, draws.uniform(1, ()).mul_(90).sub_(135), scale).to(images.dtype)
    return whitened(images, kept).add_(layer).add_(layer.flip(-2, -1))


def liquid(draws: Draws, size: tuple[int, int], constants: tuple[float, ...], scale: float) -> Tensor:
    """Return drops, the peaks of smooth noise: its height above a least one, else 0, [sample, 1, height, width]."""
    centre, spread, sigma, least = constants
    layer = blurred(draws.normal(0, (1, *size)).mul_(spread).add_(centre), scaled_gaussian(sigma, scale))
    return torch.where(layer < least, torch.zeros_like(layer), layer)


def splashed(images: Tensor, drops: Tensor, strength: float) -> Tensor:
    """Return images with drops of water, lit where they rise."""
    steep = torch.zeros_like(drops)
    steep[..., 1:, 1:] = (drops[..., 1:, 1:] - drops[..., :-1, :-1]).abs_()
    lit = blurred(steep, np.full(3, 1 / 3)).add_(0.5).mul_(drops)
    lit = lit / lit.flatten(1).amax(1)[:, None, None, None].clamp(min=1e-12)
    return coloured(lit.to(images.dtype) * strength, _WATER, images.shape[1]) + images


def spatter(images: Tensor, constants: tuple[float, ...], draws: Draws, scale: float) -> Tensor:
    """Drops of water (severities 1 to 3), or spots of mud (4 and 5)."""
    *noise, strength, mud = constants
    layer = liquid(draws, pixels(images), tuple(noise), scale)
    if not mud:
        return splashed(images, layer, strength)
    wide = strength * scale
    spots = blurred((layer > 0).to(images.dtype), gaussian_weights(wide, 4 * wide)).clone()
    spots = spots.masked_fill_(spots < 0.8, 0.0)
    return images * (1 - spots) + coloured(spots, _MUD, images.shape[1])
