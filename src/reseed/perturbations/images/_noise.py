"""The noises: normal, of counted photons, of dead and stuck pixels, and in proportion to the light."""

from __future__ import annotations

import torch
from torch import Tensor

from reseed.perturbations.images._draws import Draws
from reseed.perturbations.images._poisson import poisson


def gaussian_noise(images: Tensor, sigma: float, draws: Draws, scale: float) -> Tensor:
    """x + sigma * n, n standard normal."""
    return draws.normal(0, images.shape[1:]).to(images.dtype).mul_(sigma).add_(images)


def shot_noise(images: Tensor, photons: float, draws: Draws, scale: float) -> Tensor:
    """Poisson(x * photons) / photons: mean x, variance x / photons."""
    return poisson(images * photons, draws.normal(0, images.shape[1:]).to(images.dtype)).div_(photons)


def impulse_noise(images: Tensor, amount: float, draws: Draws, scale: float) -> Tensor:
    """A share of the values, half of them each, is 0 or 1 instead."""
    drawn = draws.uniform(0, images.shape[1:])
    kept = torch.where(drawn < amount / 2, torch.zeros_like(images), images)
    return kept.masked_fill_(drawn >= 1 - amount / 2, 1.0)


def speckle_noise(images: Tensor, sigma: float, draws: Draws, scale: float) -> Tensor:
    """x + x * sigma * n, n standard normal."""
    return draws.normal(0, images.shape[1:]).to(images.dtype).mul_(sigma).add_(1.0).mul_(images)
