"""The table of corruptions with their published constants (Hendrycks and Dietterich 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reseed.perturbations.images._blurs import defocus_blur, gaussian_blur, glass_blur, motion_blur, zoom_blur
from reseed.perturbations.images._colour import brightness, contrast, saturate
from reseed.perturbations.images._corruption import Corruption
from reseed.perturbations.images._elastic import elastic_transform
from reseed.perturbations.images._jpeg import jpeg_compression
from reseed.perturbations.images._noise import gaussian_noise, impulse_noise, shot_noise, speckle_noise
from reseed.perturbations.images._pixelate import pixelate
from reseed.perturbations.images._weather import fog, frost, snow, spatter

_KERNEL = 8  # below 8 pixels a side nothing is left of what a blur, a texture or a block of JPEG does


def _named(*corruptions: Corruption) -> Mapping[str, Corruption]:
    return MappingProxyType({corruption.name: corruption for corruption in corruptions})


def _elastic(side: int, *shares: tuple[float, float, float]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(share * side for share in constants) for constants in shares)


CORRUPTIONS: Mapping[str, Corruption] = _named(
    Corruption(
        "gaussian_noise", "noise", gaussian_noise, (0.04, 0.06, 0.08, 0.09, 0.10), (0.08, 0.12, 0.18, 0.26, 0.38)
    ),
    Corruption("shot_noise", "noise", shot_noise, (500, 250, 100, 75, 50), (60, 25, 12, 5, 3)),
    Corruption("impulse_noise", "noise", impulse_noise, (0.01, 0.02, 0.03, 0.05, 0.07), (0.03, 0.06, 0.09, 0.17, 0.27)),
    Corruption(
        "defocus_blur",
        "blur",
        defocus_blur,
        ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
        ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
        _KERNEL,
    ),
    Corruption(
        "glass_blur",
        "blur",
        glass_blur,
        ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
        ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
        _KERNEL,
    ),
    Corruption(
        "motion_blur",
        "blur",
        motion_blur,
        ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
        ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
        _KERNEL,
    ),
    Corruption(
        "zoom_blur",
        "blur",
        zoom_blur,
        ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
        ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
        _KERNEL,
    ),
    Corruption(
        "snow",
        "weather",
        snow,
        (
            (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
            (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
            (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
            (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
            (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
        ),
        (
            (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
            (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
            (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
            (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
            (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
        ),
        _KERNEL,
    ),
    Corruption(
        "frost",
        "weather",
        frost,
        ((1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)),
        ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)),
        _KERNEL,
    ),
    Corruption(
        "fog",
        "weather",
        fog,
        ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
        ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
        _KERNEL,
    ),
    Corruption("brightness", "weather", brightness, (0.05, 0.1, 0.15, 0.2, 0.3), (0.1, 0.2, 0.3, 0.4, 0.5)),
    Corruption("contrast", "digital", contrast, (0.75, 0.5, 0.4, 0.3, 0.15), (0.4, 0.3, 0.2, 0.1, 0.05)),
    Corruption(
        "elastic_transform",
        "digital",
        elastic_transform,
        _elastic(32, (0, 0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03)),
        _elastic(244, (2, 0.7, 0.1), (2, 0.08, 0.2), (0.05, 0.01, 0.02), (0.07, 0.01, 0.02), (0.12, 0.01, 0.02)),
        _KERNEL,
    ),
    Corruption("pixelate", "digital", pixelate, (0.95, 0.9, 0.85, 0.75, 0.65), (0.6, 0.5, 0.4, 0.3, 0.25), _KERNEL),
    Corruption("jpeg_compression", "digital", jpeg_compression, (80, 65, 58, 50, 40), (25, 18, 15, 10, 7), _KERNEL),
)
"""The 15 corruptions that the corruption errors are taken over, by name."""

EXTRA_CORRUPTIONS: Mapping[str, Corruption] = _named(
    Corruption("speckle_noise", "noise", speckle_noise, (0.06, 0.1, 0.12, 0.16, 0.2), (0.15, 0.2, 0.35, 0.45, 0.6)),
    Corruption("gaussian_blur", "blur", gaussian_blur, (0.4, 0.6, 0.7, 0.8, 1), (1, 2, 3, 4, 6), _KERNEL),
    Corruption(
        "spatter",
        "weather",
        spatter,
        (
            (0.62, 0.1, 0.7, 0.7, 0.5, 0),
            (0.65, 0.1, 0.8, 0.7, 0.5, 0),
            (0.65, 0.3, 1, 0.69, 0.5, 0),
            (0.65, 0.1, 0.7, 0.69, 0.6, 1),
            (0.65, 0.1, 0.5, 0.68, 0.6, 1),
        ),
        (
            (0.65, 0.3, 4, 0.69, 0.6, 0),
            (0.65, 0.3, 3, 0.68, 0.6, 0),
            (0.65, 0.3, 2, 0.68, 0.5, 0),
            (0.65, 0.3, 1, 0.65, 1.5, 1),
            (0.67, 0.4, 1, 0.65, 1.5, 1),
        ),
        _KERNEL,
    ),
    Corruption(
        "saturate",
        "digital",
        saturate,
        ((0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)),
        ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)),
    ),
)
"""The 4 corruptions kept for choosing how to train, apart from the 15 that are reported, by name."""
