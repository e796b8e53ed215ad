"""The noises: normal, of counted photons, of dead and stuck pixels, and in proportion to the light."""

from __future__ import annotations

import torch
from torch import Tensor

from reseed.perturbations.images._draws import Draws
from reseed.perturbations.images._poisson import poisson


def gaussian_noise(images: Tensor, sigma: float, draws: Draws, scale: float) -> Tensor:
    """Return x + sigma * n, n standard normal."""
    return draws.normal(0, images.shape[1:]).to(images.dtype).mul_(sigma).add_(images)


def shot_noise(images: Tensor, photons: float, draws: Draws, scale: float) -> Tensor:
    """Return Poisson(x * photons) / photons: mean x, variance x / photons."""
    return poisson(images * photons, draws.normal(0, images.shape[1:]).to(images.dtype)).div_(photons)


def impulse_noise(images: Tensor, amount: float, draws: Draws, scale: float) -> Tensor:
    """Return images of whose values a share is lost: half of them are 0, half 1."""
    drawn = draws.uniform(0, images.shape[1:])
    kept = torch.where(drawn < amount / 2, torch.zeros_like(images), images)
    return kept.masked_fill_(drawn >= 1 - amount / 2, 1.0)


def speckle_noise(images: Tensor, sigma: float, draws: Draws, scale: float) -> Tensor:
    """Return x + x * sigma * n, n standard normal."""
    return draws.normal(0, images.shape[1:]).to(images.dtype).mul_(sigma).add_(1.0).mul_(images)
