"""Every corruption at every severity: bounds, shapes, batches, order, constants, and what is refused."""

import numpy as np
import pytest
import torch

from reseed._errors import InputError, InputTypeError
from reseed.perturbations.images import CORRUPTIONS, EXTRA_CORRUPTIONS, SEVERITIES, corrupt

ALL = (*CORRUPTIONS, *EXTRA_CORRUPTIONS)
BLURS = ("defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "gaussian_blur")


def smooth(*shape, seed=0):
    """Images that have structure at several sizes, as photographs have."""
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros(shape)
    for side in (2, 4, 7):
        coarse = torch.rand(*shape[:2], side, side, generator=generator)
        total += torch.nn.functional.interpolate(coarse, shape[2:], mode="bilinear")
    return (total / 3 + torch.rand(shape, generator=generator) * 0.1).clamp(0, 1)


def test_the_tables_are_those_of_the_suites():
    """15 and 4 types, each with ten sets of constants."""
    assert len(CORRUPTIONS) == 15
    assert list(EXTRA_CORRUPTIONS) == ["speckle_noise", "gaussian_blur", "spatter", "saturate"]
    assert SEVERITIES == (1, 2, 3, 4, 5)
    for name, corruption in {**CORRUPTIONS, **EXTRA_CORRUPTIONS}.items():
        assert corruption.name == name
        assert len(corruption.small) == len(corruption.large) == 5


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("shape", [(3, 1, 8, 8), (2, 1, 28, 28), (2, 3, 32, 32), (2, 3, 64, 48), (2, 2, 9, 13)])
def test_shape_bounds_and_batches(name, shape):
    """A sample comes out the same, to the bit, alone and among others; what is given is not written to."""
    images = smooth(*shape)
    given, state = images.clone(), torch.get_rng_state()
    numpy_state = np.random.get_state()[1].copy()  # noqa: NPY002 - the global state must not be touched
    for severity in SEVERITIES:
        result = corrupt(images, name, severity, seed=3)
        assert (result.shape, result.dtype) == (images.shape, torch.float32)
        assert 0 <= result.min() <= result.max() <= 1
        assert result.data_ptr() != images.data_ptr()
        for place in range(len(images)):
            alone = corrupt(images[place : place + 1], name, severity, seed=3, items=[place])
            assert torch.equal(alone[0], result[place])
    assert torch.equal(images, given)
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


@pytest.mark.parametrize("name", [name for name in ALL if name != "elastic_transform"])
def test_a_large_image(name):
    """With the constants of 224 pixels."""
    result = corrupt(smooth(1, 3, 224, 224), name, 1, seed=0)
    assert (result.shape, bool(((result >= 0) & (result <= 1)).all())) == ((1, 3, 224, 224), True)


def test_a_large_elastic_image():
    """The kernel of the first severity is wider than the image, and that of the last far narrower."""
    images = smooth(1, 1, 224, 224)
    for severity in (1, 5):
        assert 0.01 < float((corrupt(images, "elastic_transform", severity, seed=0) - images).abs().mean()) < 0.3


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_precisions(name, dtype):
    """The dtype stays, and the result up to rounding."""
    images = smooth(4, 3, 16, 16)
    result = corrupt(images.to(dtype), name, 3, seed=0)
    assert result.dtype == dtype
    close = (result.double() - corrupt(images.to(dtype).float(), name, 3, seed=0).double()).abs() < 0.02
    assert close.double().mean() > 0.995  # a rounding may move a value of JPEG by a step


def test_numpy_is_given_back_for_numpy():
    """Arrays in, arrays out."""
    images = smooth(2, 1, 8, 8)
    result = corrupt(images.numpy(), "fog", 2, seed=0)
    assert isinstance(result, np.ndarray)
    assert np.array_equal(result, corrupt(images, "fog", 2, seed=0).numpy())


def test_no_images():
    """None in, none out."""
    for name in ALL:
        assert corrupt(torch.zeros(0, 3, 8, 8), name, 1, seed=0).shape == (0, 3, 8, 8)


@pytest.mark.parametrize("name", ALL)
def test_seed_and_number_decide_what_is_drawn(name):
    """Equal images differ where something is drawn, and only there."""
    images = smooth(1, 3, 32, 32).expand(2, -1, -1, -1)
    drawn = name not in {
        *("defocus_blur", "gaussian_blur", "zoom_blur", "brightness", "contrast", "saturate"),
        *("pixelate", "jpeg_compression"),
    }
    result = corrupt(images, name, 4, seed=0)
    assert torch.equal(result[0], result[1]) is not drawn
    assert torch.equal(result, corrupt(images, name, 4, seed=1)) is not drawn
    assert torch.equal(result, corrupt(images, name, 4, seed=0, items=np.array([0, 1])))


ORDERED = [name for name in ALL if name not in {"glass_blur", "elastic_transform", "spatter", "frost", "saturate"}]


@pytest.mark.parametrize("name", ORDERED)
@pytest.mark.parametrize("side", [32, 96])
def test_a_higher_severity_changes_more(name, side):
    """Of the sorts that are left out, and of snow and fog of large images, the constants do not grow in every part."""
    images = smooth(16 if side == 32 else 4, 3, side, side)
    found = [float((corrupt(images, name, severity, seed=0) - images).square().mean()) for severity in SEVERITIES]
    if side == 96 and name in {"snow", "fog"}:
        found = found[::4]
    assert found == sorted(found)
    assert found[0] > 0


def test_saturation_is_taken_and_then_added():
    """The first two severities take colour away, the others add it."""
    images = smooth(4, 3, 16, 16)
    spread = [
        float((one.amax(1) - one.amin(1)).mean())
        for one in (corrupt(images, "saturate", severity, seed=0) for severity in SEVERITIES)
    ]
    original = float((images.amax(1) - images.amin(1)).mean())
    assert spread[1] < spread[0] < original < spread[2] < spread[3] < spread[4]


def test_more_frost_covers_more():
    """The third and the fourth severity add the same share of it, and keep less of the image in turn."""
    cover = [float(corrupt(torch.zeros(16, 1, 32, 32), "frost", severity, seed=0).mean()) for severity in SEVERITIES]
    assert cover[0] < cover[1] < min(cover[2:4]) <= max(cover[2:4]) < cover[4]


@pytest.mark.parametrize("name", BLURS)
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (3, 96, 70)])
def test_a_blur_leaves_one_colour_as_it_is(name, shape):
    """Kernels sum to one, and edges go on."""
    images = torch.full((2, *shape), 0.3)
    for severity in SEVERITIES:
        torch.testing.assert_close(corrupt(images, name, severity, seed=0), images, rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", [name for name in BLURS if name != "glass_blur"])
def test_a_blur_still_blurs_eight_pixels(name):
    """Kernels that are scaled below a pixel do not vanish."""
    images = smooth(4, 1, 8, 8)
    assert float((corrupt(images, name, 5, seed=0) - images).abs().mean()) > 0.005


def test_constants_by_size():
    """Of 32 pixels up to 64, of 224 above; lengths in proportion."""
    noise = CORRUPTIONS["gaussian_noise"]
    assert noise.constants(8, 1) == (0.04, 0.25)
    assert noise.constants(64, 5) == (0.10, 2.0)
    assert noise.constants(65, 5) == (0.38, 65 / 224)
    assert noise.constants(224, 1) == (0.08, 1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "gausian_noise"}, "unknown corruption of images 'gausian_noise'. Did you mean 'gaussian_noise'"),
        ({"name": "xyz"}, "unknown corruption of images 'xyz'. There are gaussian_noise, "),
        ({"severity": 0}, "severity must be a whole number from 1 (weak) to 5 (strong), got 0."),
        ({"severity": 2.5}, "severity must be a whole number from 1 (weak) to 5 (strong), got 2.5."),
        ({"severity": True}, "severity must be a whole number from 1 (weak) to 5 (strong), got True."),
        ({"images": torch.rand(1, 3, 7, 20)}, "at least 8 x 8 pixels for 'fog', got 7 x 20; leave 'fog' out"),
        ({"images": torch.rand(3, 8, 8)}, "[sample, channel, height, width], got float32[3, 8, 8]"),
        ({"images": torch.rand(1, 1, 8, 8) * 3}, "images must be in [0, 1], got values from"),
        ({"images": torch.full((1, 1, 8, 8), torch.nan)}, "images must be in [0, 1], got values from nan to nan"),
        ({"seed": -1}, "seed must be a whole number of 0 or more, got -1."),
        ({"items": [1, 2]}, "items must be 1 whole numbers, one for each sample, got int64[2]."),
        ({"items": [0.5]}, "items must be 1 whole numbers, one for each sample, got float64[1]."),
        ({"items": [2**31]}, "items must be from 0 to 2147483647, got 2147483648; number the samples of the split."),
    ],
)
def test_what_is_refused(change, message):
    """The argument, its value, and what to do."""
    arguments = {"images": torch.zeros(1, 1, 8, 8), "name": "fog", "severity": 1, "seed": 0, **change}
    with pytest.raises(InputError) as raised:
        corrupt(**arguments)
    assert message in str(raised.value)


def test_whole_numbers_are_refused():
    """Bytes are not guessed to be images of 0 to 255."""
    with pytest.raises(InputTypeError, match=r"images is uint8\[1, 1, 8, 8\]; pass floating-point values in \[0, 1\]"):
        corrupt(torch.zeros(1, 1, 8, 8, dtype=torch.uint8), "fog", 1, seed=0)


def test_small_images_are_taken_where_no_neighbour_is_read():
    """Down to one pixel."""
    assert corrupt(torch.rand(2, 3, 1, 1), "contrast", 1, seed=0).shape == (2, 3, 1, 1)
