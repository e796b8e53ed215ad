"""Perturbation sequences: frames, what they are compared with, and the clean image among them."""

import numpy as np
import pytest
import torch

from reseed._errors import InputError
from reseed.perturbations.images import SEQUENCES, perturbation_frames, perturbation_sequence


def uniform(*shape):
    """Random images."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", SEQUENCES)
@pytest.mark.parametrize("shape", [(2, 1, 8, 8), (2, 3, 32, 32), (1, 2, 66, 70)])
def test_frames_bounds_and_batches(name, shape):
    """As many frames as published; a sample is the same in every batch; frames one by one are those of all."""
    images = uniform(*shape)
    given, state = images.clone(), torch.get_rng_state()
    frames = perturbation_sequence(images, name, seed=0)
    published = {"motion_blur": (21, 31), "translate": (16, 41)}.get(name, (31, 31))[shape[-2] > 64]
    assert (frames.shape, frames.dtype) == ((published, *shape), torch.float32)
    assert 0 <= frames.min() <= frames.max() <= 1
    last = len(images) - 1
    assert torch.equal(perturbation_sequence(images[last:], name, seed=0, items=[last])[:, 0], frames[:, last])
    assert torch.equal(images, given)
    assert torch.equal(torch.get_rng_state(), state)
    for one, frame in zip(frames, perturbation_frames(images, name, seed=0), strict=True):
        assert torch.equal(one, frame)


def test_what_frames_are_compared_with():
    """Noise with the first frame, all else with the frame before."""
    first = {name for name, sequence in SEQUENCES.items() if sequence.reference == "first"}
    assert first == {"gaussian_noise", "shot_noise"}
    assert len(SEQUENCES) == 10


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        *(("gaussian_noise", 0), ("shot_noise", 0), ("zoom_blur", 0), ("brightness", 15)),
        *(("translate", 7), ("rotate", 15), ("tilt", 15), ("scale", 15)),
    ],
)
def test_the_clean_frame(name, clean):
    """One frame is the image itself."""
    images = uniform(2, 3, 32, 32)
    torch.testing.assert_close(perturbation_sequence(images, name, seed=0)[clean], images, rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
@pytest.mark.parametrize("name", SEQUENCES)
def test_other_precisions(name, dtype):
    """The dtype stays, and the result up to rounding."""
    images = uniform(2, 1, 16, 16).to(dtype)
    frames = perturbation_sequence(images, name, seed=0, frames=3)
    assert frames.dtype == dtype
    torch.testing.assert_close(
        frames.float(), perturbation_sequence(images.float(), name, seed=0, frames=3), rtol=0, atol=0.01
    )


def test_translation_by_whole_pixels():
    """At 32 pixels, black where nothing was."""
    images = uniform(1, 1, 32, 32)
    frames = perturbation_sequence(images, "translate", seed=0)
    torch.testing.assert_close(frames[15, ..., 8:], images[..., :-8], rtol=0, atol=1e-5)
    torch.testing.assert_close(frames[0, ..., :-7], images[..., 7:], rtol=0, atol=1e-5)
    assert frames[15, ..., :7].max() == 0


def test_rotation_turns_clockwise():
    """A point to the right of the centre goes down."""
    images = torch.zeros(1, 1, 33, 33)
    images[..., 16, 28] = 1
    frame = perturbation_sequence(images, "rotate", seed=0)[-1, 0, 0].numpy()
    rows, columns = np.meshgrid(np.arange(33), np.arange(33), indexing="ij")
    angle = np.deg2rad(15)
    assert float((frame * rows).sum() / frame.sum()) == pytest.approx(16 + 12 * np.sin(angle), abs=0.1)
    assert float((frame * columns).sum() / frame.sum()) == pytest.approx(16 + 12 * np.cos(angle), abs=0.1)


def test_scale_and_brightness_follow_their_constants():
    """The area is 0.7 squared at first; levels rise by 0.015."""
    images = torch.ones(1, 1, 40, 40)
    smaller = perturbation_sequence(images, "scale", seed=0)[0]
    assert float(smaller.sum()) == pytest.approx(0.49 * 1600, rel=0.05)
    grey = torch.full((1, 3, 32, 32), 0.5)
    levels = perturbation_sequence(grey, "brightness", seed=0).mean((1, 2, 3, 4))
    torch.testing.assert_close(levels, 0.5 + (torch.arange(31) - 15) * 0.015)


def test_noise_of_each_frame_is_its_own_and_of_the_size_published():
    """Frames are not correlated."""
    frames = perturbation_sequence(torch.full((8, 3, 32, 32), 0.5), "gaussian_noise", seed=0, frames=40)
    assert len(frames) == 40
    noise = frames[1:] - 0.5
    assert float(noise.std()) == pytest.approx(0.02, rel=0.01)
    assert abs(float(torch.corrcoef(noise.flatten(1))[0, 1])) < 0.03


def test_zoom_is_a_running_mean():
    """Each frame changes the mean by little."""
    images = uniform(1, 1, 16, 16)
    frames = perturbation_sequence(images, "zoom_blur", seed=0)
    change = (frames[1:] - frames[:-1]).abs().mean((1, 2, 3, 4))
    assert (change > 0).all()
    assert change.max() < 0.02


def test_drops_run_down():
    """The middle of what is added lies lower in each frame, until drops leave."""
    frames = perturbation_sequence(torch.zeros(16, 1, 32, 32), "spatter", seed=0, frames=6)
    rows = torch.arange(32.0)[:, None]
    for image in range(16):
        drops = frames[:, image, 0]
        if drops[:, 24:].max() == 0 and drops[0].max() > 0:
            middle = (drops * rows).sum((1, 2)) / drops.sum((1, 2))
            assert (middle[1:] > middle[:-1]).all()
            return
    pytest.fail("no image whose drops stay inside")


def test_fewer_frames_are_those_of_the_middle():
    """Or the first, where a sequence begins clean."""
    images = uniform(1, 1, 32, 32)
    for name, start in (("rotate", 14), ("brightness", 14), ("translate", 6), ("zoom_blur", 0), ("gaussian_noise", 0)):
        every = perturbation_sequence(images, name, seed=0)
        assert torch.equal(perturbation_sequence(images, name, seed=0, frames=3), every[start : start + 3])


def test_numpy_and_nothing():
    """Arrays in, arrays out; no image, no error."""
    frames = perturbation_sequence(np.zeros((2, 1, 8, 8)), "rotate", seed=0, frames=2)
    assert isinstance(frames, np.ndarray)
    assert frames.dtype == np.float64
    for name in SEQUENCES:
        assert perturbation_sequence(torch.zeros(0, 1, 8, 8), name, seed=0, frames=2).shape == (2, 0, 1, 8, 8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "rotation"}, "unknown perturbation sequence 'rotation'. Did you mean 'rotate'"),
        ({"frames": 1}, "frames must be a whole number of at least 2 and at most 31 for 'rotate', got 1."),
        ({"frames": 32}, "frames must be a whole number of at least 2 and at most 31 for 'rotate', got 32."),
        (
            {"name": "shot_noise", "frames": 2.0},
            "frames must be a whole number of at least 2 for 'shot_noise', got 2.0.",
        ),
        ({"images": torch.zeros(1, 1, 8, 6)}, "at least 8 x 8 pixels for 'rotate', got 8 x 6"),
        ({"seed": 0.5}, "seed must be a whole number of 0 or more, got 0.5."),
    ],
)
def test_what_is_refused(change, message):
    """At the call, not at the first frame."""
    arguments = {"images": torch.zeros(1, 1, 8, 8), "name": "rotate", "seed": 0, **change}
    with pytest.raises(InputError) as raised:
        perturbation_frames(**arguments)
    assert message in str(raised.value)
