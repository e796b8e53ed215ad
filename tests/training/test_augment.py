"""Augmentation."""

import numpy as np
import torch

from reseed.training import augment


def shifted(image: np.ndarray, down: int, right: int) -> np.ndarray:
    """Shift an image by whole pixels, zeros filling in; a plain reference."""
    out = np.zeros_like(image)
    height, width = image.shape[-2:]
    for i in range(height):
        for j in range(width):
            if 0 <= i + down < height and 0 <= j + right < width:
                out[:, i, j] = image[:, i + down, j + right]
    return out


def test_every_image_is_a_shift_perhaps_mirrored():
    """Each result is one of the possible shifts and mirrorings of its image, and all kinds occur."""
    images = torch.rand(200, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    out = augment(images, "crop-flip", words=[3], step=5)
    seen = set()
    for image, moved in zip(images.numpy(), out.numpy(), strict=True):
        matches = [
            (down, right, flip)
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
            for flip in (False, True)
            if np.array_equal(shifted(image, down, right)[..., :: -1 if flip else 1], moved)
        ]
        assert len(matches) == 1
        seen.add(matches[0])
    assert len(seen) == 18


def test_crop_does_not_mirror_and_none_does_nothing():
    """Without flips images only move; without augmentation the same tensor comes back."""
    images = torch.rand(50, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    assert augment(images, "none", [1], 1) is images
    out = augment(images, "crop", [1], 1).numpy()
    for image, moved in zip(images.numpy(), out, strict=True):
        assert any(
            np.array_equal(shifted(image, down, right), moved) for down in range(-2, 3) for right in range(-2, 3)
        )


def test_draws_depend_on_word_and_step():
    """Equal counters repeat the augmentation, others do not."""
    images = torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(augment(images, "crop", [1], 1), augment(images, "crop", [1], 1))
    assert not torch.equal(augment(images, "crop", [1], 1), augment(images, "crop", [1], 2))
    assert not torch.equal(augment(images, "crop", [1], 1), augment(images, "crop", [2], 1))
