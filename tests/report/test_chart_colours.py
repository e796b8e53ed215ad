"""The colours of charts: told apart by everyone, on light and on dark pages, and in order where they are a scale."""

import re
from importlib import resources
from itertools import combinations

import numpy as np
import pytest

# Machado, Oliveira, Fernandes (2009): what eyes without one kind of cones see, in linear RGB.
EYES = {
    "all": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def _colours(scheme):
    """The colours of a scheme by name, linear RGB."""
    found = {}
    for name in ("page.css", "chart.css"):
        css = resources.files("reseed.report").joinpath(name).read_text(encoding="utf-8")
        light, dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[:2]
        for key, value in re.findall(r"--([\w-]+): #([0-9a-f]{6})", light + (dark if scheme == "dark" else "")):
            encoded = np.array([int(value[place : place + 2], 16) for place in (0, 2, 4)]) / 255
            found[key] = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return found


def _luminance(linear):
    return float(linear @ [0.2126, 0.7152, 0.0722])


def _oklab(linear):
    """Where a colour lies in a space whose distances are those that people see (Ottosson, 2020)."""
    cones = np.cbrt(
        np.array(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ]
        )
        @ np.clip(linear, 0, None)
    )
    return (
        np.array(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ]
        )
        @ cones
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_series_stand_out_from_the_page(scheme):
    """Graphics need a contrast of three to one (WCAG 2.1, 1.4.11)."""
    colours = _colours(scheme)
    for tone in range(6):
        lighter, darker = sorted((_luminance(colours[f"tone-{tone}"]), _luminance(colours["paper"])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 3, tone


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_series_are_told_apart_by_all_eyes(scheme, eyes):
    """Any two colours differ by five times what is just noticed, 0.02."""
    colours = _colours(scheme)
    seen = [_oklab(EYES[eyes] @ colours[f"tone-{tone}"]) for tone in range(6)]
    for one, other in combinations(range(6), 2):
        assert np.linalg.norm(seen[one] - seen[other]) >= 0.1, (one, other)


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_scale_of_a_heat_map_is_in_order(scheme, eyes):
    """Lightness goes one way along the scale, away from the page's, for all kinds of colour vision."""
    colours = _colours(scheme)
    lightness = [_oklab(EYES[eyes] @ colours[f"scale-{step}"])[0] for step in range(4)]
    steps = np.diff(lightness) * (1 if scheme == "dark" else -1)
    assert (steps > 0.05).all()
