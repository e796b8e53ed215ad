"""Previews of texts, images and numbers."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from reseed._errors import DataError
from reseed.data import preview, previews


def test_text_is_shown_as_it_is(toy):
    """A preview neither escapes nor shortens a text."""
    texts = ("<script>alert('x')</script>", 'a "quoted"\0 word', "emoji \U0001f600")
    data = toy(inputs=texts)
    assert previews(data) == texts
    assert preview(data, 2) == texts[2]


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_image_becomes_a_png_of_the_same_pixels(toy, channels, mode):
    """A PNG decodes to the image, to within half a grey level."""
    images = torch.rand(3, channels, 4, 5, generator=torch.Generator().manual_seed(0))
    data = toy(inputs=images)
    for index, file in enumerate(previews(data)):
        with Image.open(io.BytesIO(file)) as picture:
            assert (picture.format, picture.mode, picture.size) == ("PNG", mode, (5, 4))
            pixels = np.asarray(picture).reshape(4, 5, channels).transpose(2, 0, 1) / 255
        assert np.abs(pixels - images[index].numpy()).max() <= 0.5 / 255 + 1e-6
        assert preview(data, index) == file


def test_numbers_become_a_short_string(toy):
    """Up to six values are shown, to four digits."""
    assert preview(toy(), 0) == "x=[0.1, 2.0]"
    many = toy(inputs=torch.arange(24.0).reshape(3, 8) / 3)
    assert preview(many, 1) == "x=[2.667, 3.0, 3.333, 3.667, 4.0, 4.333, ...]"


def test_images_with_other_channels_are_shown_as_numbers(toy):
    """What has no picture is still shown."""
    assert preview(toy(inputs=torch.zeros(3, 2, 1, 1)), 0) == "x=[0.0, 0.0]"


def test_some_samples_in_a_given_order(toy):
    """Previews follow the order of the indices, and none are made for no index."""
    data = toy(inputs=("x", "y", "z"))
    assert previews(data, [2, 0]) == ("z", "x")
    assert previews(data, []) == ()
    assert previews(toy(inputs=torch.zeros(3, 1, 2, 2)), []) == ()


@pytest.mark.parametrize("index", [3, -1])
def test_index_out_of_range(toy, index):
    """An index outside the data set is named together with the range."""
    with pytest.raises(DataError, match=f"index {index} is outside the data set; it has samples 0 to 2"):
        preview(toy(), index)
