"""Corruptions against what is known of them: formulas, moments of the noises, Pillow."""

import colorsys
import io
import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats

from reseed.perturbations.images import CORRUPTIONS, EXTRA_CORRUPTIONS, SEVERITIES, corrupt
from reseed.perturbations.images._blurs import _copied
from reseed.perturbations.images._motion import moved
from reseed.perturbations.images._poisson import poisson
from reseed.perturbations.images._taps import scaled_disk, scaled_gaussian


def uniform(*shape, seed=0):
    """Random images."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("severity", SEVERITIES)
def test_contrast(severity):
    """(x - m) * c + m, m the mean of image and channel."""
    images = uniform(3, 2, 9, 12).double()
    factor = (0.75, 0.5, 0.4, 0.3, 0.15)[severity - 1]
    mean = images.mean((2, 3), keepdim=True)
    torch.testing.assert_close(corrupt(images, "contrast", severity, seed=0), (images - mean) * factor + mean)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_brightness_of_grey_adds(severity):
    """Whatever the number of channels."""
    added = (0.05, 0.1, 0.15, 0.2, 0.3)[severity - 1]
    grey = uniform(2, 1, 8, 8)
    for channels in (1, 2, 3):
        images = grey.expand(-1, channels, -1, -1)
        torch.testing.assert_close(corrupt(images, "brightness", severity, seed=0), (images + added).clamp(0, 1))


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("name", ["brightness", "saturate"])
def test_colours_against_hsv(name, severity):
    """Hue, saturation and value of the standard library, black, grey and pure colours among them."""
    constants = {**CORRUPTIONS, **EXTRA_CORRUPTIONS}[name].small[severity - 1]
    images = uniform(1, 3, 8, 8).double()
    images[0, :, 0, :4] = torch.tensor([[0.0, 0.4, 1, 0], [0, 0.4, 1, 1], [0, 0.4, 1, 0]]).double()
    result = corrupt(images, name, severity, seed=0)
    for row in range(8):
        for column in range(8):
            hue, saturation, value = colorsys.rgb_to_hsv(*images[0, :, row, column].tolist())
            if name == "brightness":
                value = min(value + constants, 1)
            else:
                saturation = min(saturation * constants[0] + constants[1], 1)
            expected = colorsys.hsv_to_rgb(hue, saturation, value)
            assert result[0, :, row, column].tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_gaussian_noise(severity):
    """At mid grey nothing is cut: mean and deviation within four of their own deviations."""
    sigma = (0.04, 0.06, 0.08, 0.09, 0.10)[severity - 1]
    values = corrupt(torch.full((40, 3, 32, 32), 0.5), "gaussian_noise", severity, seed=0).double()
    few = math.sqrt(values.numel())
    assert abs(float(values.mean()) - 0.5) < 4 * sigma / few
    assert abs(float(values.std()) / sigma - 1) < 4 / (few * math.sqrt(2))


@pytest.mark.parametrize("severity", SEVERITIES)
def test_speckle_noise_is_in_proportion(severity):
    """To the light: none in the dark."""
    sigma = (0.06, 0.1, 0.12, 0.16, 0.2)[severity - 1]
    values = corrupt(torch.full((40, 3, 32, 32), 0.25), "speckle_noise", severity, seed=0).double()
    assert float(values.std()) == pytest.approx(0.25 * sigma, rel=0.02)
    assert not corrupt(torch.zeros(1, 3, 32, 32), "speckle_noise", severity, seed=0).any()


@pytest.mark.parametrize("light", [0.02, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("severity", SEVERITIES)
def test_shot_noise(severity, light):
    """Mean x, variance x / c, and values that are whole counts."""
    photons = (500, 250, 100, 75, 50)[severity - 1]
    values = corrupt(torch.full((60, 3, 32, 32), light), "shot_noise", severity, seed=0).double()
    spread = math.sqrt(light / photons)
    assert abs(float(values.mean()) - light) < 4 * spread / math.sqrt(values.numel())
    assert float(values.std()) == pytest.approx(spread, rel=0.02)
    counts = values * photons
    assert (counts - counts.round()).abs().max() < 1e-3
    assert not corrupt(torch.zeros(1, 3, 32, 32), "shot_noise", severity, seed=0).any()


@pytest.mark.parametrize("mean", [0.3, 3.0, 6.9, 7.1, 60.0, 500.0])
def test_poisson_quantiles(mean):
    """Equal to those of scipy, but for one in some hundred above a mean of 7, which is off by one."""
    normals = torch.randn(20_000, generator=torch.Generator().manual_seed(0))
    found = poisson(torch.full_like(normals, mean), normals.clone()).numpy()
    expected = stats.poisson.ppf(stats.norm.cdf(normals.double().numpy()), mean)
    assert np.abs(found - expected).max() <= (mean > 7)
    assert (found != expected).mean() < 0.006


@pytest.mark.parametrize("severity", SEVERITIES)
def test_impulse_noise(severity):
    """A share of the values is lost, half of them to 0 and half to 1; the others stay."""
    amount = (0.01, 0.02, 0.03, 0.05, 0.07)[severity - 1]
    values = corrupt(torch.full((40, 3, 32, 32), 0.5), "impulse_noise", severity, seed=0)
    for lost in (0, 1):
        share = float((values == lost).double().mean())
        assert abs(share - amount / 2) < 4 * math.sqrt(amount / 2 / values.numel())
    assert set(values.unique().tolist()) == {0.0, 0.5, 1.0}


def of_pillow(image, quality):
    """One image of bytes [channel, height, width] after a JPEG file."""
    array, file = image.permute(1, 2, 0).numpy(), io.BytesIO()
    Image.fromarray(array if array.shape[2] == 3 else array[..., 0]).save(file, "JPEG", quality=quality)
    found = np.asarray(Image.open(file))
    return torch.from_numpy(found.reshape(array.shape).copy()).permute(2, 0, 1)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("size", [(8, 8), (9, 13), (28, 28), (32, 32), (33, 17), (70, 81)])
def test_jpeg_is_that_of_pillow(channels, size):
    """Many images through one file are as each through a file of its own."""
    images = torch.cat([uniform(2, channels, *size), uniform(2, channels, 1, 1, seed=1).expand(-1, -1, *size)])
    for severity in SEVERITIES:
        quality = CORRUPTIONS["jpeg_compression"].constants(min(size), severity)[0]
        found = (corrupt(images, "jpeg_compression", severity, seed=0) * 255).round().to(torch.uint8)
        for image, result in zip((images * 255).round().to(torch.uint8), found, strict=True):
            parts = [image] if channels != 2 else [image[:1], image[1:]]
            assert torch.equal(torch.cat([of_pillow(part, quality) for part in parts]), result)


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("size", [(32, 32), (28, 28), (9, 13), (100, 70)])
def test_pixelate_is_that_of_pillow(size, severity):
    """Pillow rounds to 8 bits after each of its four passes, each by half a step at most."""
    images = uniform(1, 3, *size)
    share = CORRUPTIONS["pixelate"].constants(min(size), severity)[0]
    array = Image.fromarray((images[0] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy())
    few = array.resize((int(size[1] * share), int(size[0] * share)), Image.Resampling.BOX)
    expected = np.asarray(few.resize(size[::-1], Image.Resampling.BOX)).astype(float) / 255
    found = corrupt(images, "pixelate", severity, seed=0)[0].permute(1, 2, 0).numpy()
    assert np.abs(found - expected).max() < 2.01 / 255


@pytest.mark.parametrize("scale", [0.25, 0.9, 1.0, 2.0])
def test_kernels_sum_to_one(scale):
    """And are symmetric."""
    for constants in CORRUPTIONS["defocus_blur"].small + CORRUPTIONS["defocus_blur"].large:
        kernel = scaled_disk(*constants, scale)
        assert kernel.sum() == pytest.approx(1)
        np.testing.assert_allclose(kernel, kernel[::-1, ::-1].T, atol=1e-12)
    for sigma in (0.05, 0.4, 1, 6):
        weights = scaled_gaussian(sigma, scale)
        assert weights.sum() == pytest.approx(1)
        np.testing.assert_allclose(weights, weights[::-1], atol=1e-12)


def test_defocus_of_a_point_is_its_kernel():
    """A point spreads to the kernel."""
    images = torch.zeros(1, 1, 33, 33).double()
    images[..., 16, 16] = 1
    found = corrupt(images, "defocus_blur", 5, seed=0)[0, 0]
    kernel = scaled_disk(1.5, 0.1, 33 / 32)
    reach = len(kernel) // 2
    np.testing.assert_allclose(found[16 - reach : 17 + reach, 16 - reach : 17 + reach], kernel, atol=1e-12)


def test_gaussian_blur_is_that_of_scipy():
    """At the size that the constants are for."""
    from scipy.ndimage import gaussian_filter

    images = uniform(1, 1, 32, 32).double()
    for severity, sigma in zip(SEVERITIES, (0.4, 0.6, 0.7, 0.8, 1), strict=True):
        expected = gaussian_filter(images[0, 0].numpy(), sigma, mode="nearest", truncate=4)
        np.testing.assert_allclose(corrupt(images, "gaussian_blur", severity, seed=0)[0, 0], expected, atol=1e-12)


def test_motion_spreads_a_point_to_one_side():
    """At 0 degrees along a row; what is read lies ahead, so that the point moves back."""
    images = torch.zeros(1, 1, 21, 21).double()
    images[..., 10, 10] = 1
    found = moved(images, 3, 2.0, torch.zeros(1), 1.0)[0, 0]
    weights = np.exp(-0.5 * (np.arange(7) / 2) ** 2)
    np.testing.assert_allclose(found[10, 4:11], weights[::-1] / weights.sum(), atol=1e-12)
    assert float(found.sum()) == pytest.approx(1)
    down = moved(images, 3, 2.0, torch.full((1,), 90.0), 1.0)[0, 0]
    torch.testing.assert_close(down.T, found)


@pytest.mark.parametrize(("size", "reach"), [((8, 8), 1), ((12, 9), 2), ((32, 32), 1)])
def test_glass_copies_one_pixel_after_the_other(size, reach):
    """Against the loop of the published code, whose swap of two views copies."""
    height, width = size
    drawn = uniform(2, 2, *size)
    found = _copied(drawn, reach).view(2, *size)
    for sample in range(2):
        state = np.arange(height * width).reshape(size)
        for row in range(height - reach, reach, -1):
            for column in range(width - reach, reach, -1):
                down, right = (int(drawn[sample, axis, row, column] * 2 * reach) - reach for axis in (0, 1))
                state[row, column] = state[row + down, column + right]
        assert np.array_equal(found[sample].numpy(), state)


def test_elastic_moves_little_and_makes_no_colour():
    """A plane stays a plane under the affine part; no value leaves the range of the image."""
    images = uniform(8, 1, 32, 32) * 0.5 + 0.25
    result = corrupt(images, "elastic_transform", 1, seed=0)
    assert 0.25 <= result.min() <= result.max() <= 0.75 + 1e-6
    ramp = torch.linspace(0, 1, 32).expand(4, 1, 32, 32)
    inner = corrupt(ramp, "elastic_transform", 1, seed=0)[..., 12:20, 12:20].double()
    curved = inner[..., 2:] - 2 * inner[..., 1:-1] + inner[..., :-2]
    assert curved.abs().max() < 1e-5
    assert float((inner - ramp[..., 12:20, 12:20]).abs().max()) < 0.2


def test_fog_of_black_is_black_and_of_white_is_in_the_clouds():
    """(x + a * clouds) * m / (m + a): with x = m = 1 from 1 / (1 + a) to 1."""
    assert not corrupt(torch.zeros(2, 1, 32, 32), "fog", 3, seed=0).any()
    white = corrupt(torch.ones(2, 1, 32, 32), "fog", 3, seed=0)
    torch.testing.assert_close(white.amin((1, 2, 3)), torch.full((2,), 1 / 1.75))
    torch.testing.assert_close(white.amax((1, 2, 3)), torch.ones(2))


def test_snow_whitens_and_frost_covers():
    """Snow never darkens a grey image; frost of black is bluish."""
    grey = torch.full((2, 3, 32, 32), 0.4)
    for severity in SEVERITIES:
        assert (corrupt(grey, "snow", severity, seed=0) >= 0.4).all()
    red, green, blue = corrupt(torch.zeros(4, 3, 32, 32), "frost", 5, seed=0).mean((0, 2, 3))
    assert 0.15 < red < green < blue < 0.45
