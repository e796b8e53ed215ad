"""Pictures to tensors."""

import io
import re

import pytest
from PIL import Image

import reseed
from reseed._errors import DataError
from reseed.data._images import from_pictures


def png(mode="L", size=(3, 2), colour=255):
    """The bytes of a picture of one colour."""
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, "PNG")
    return file.getvalue()


def test_grey_among_colour_becomes_colour():
    """Pictures and files of pictures are read alike, and all get the channels of the richest."""
    found = from_pictures([png(), Image.new("RGB", (3, 2), (255, 0, 0)), png("LA", colour=(255, 0))])
    assert found.shape == (3, 3, 2, 3)
    assert found[:, :, 0, 0].tolist() == [[1, 1, 1], [1, 0, 0], [1, 1, 1]]


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        ("text", "image 1 is of type str; it must be a picture or the bytes of a file."),
        ({"bytes": b""}, "image 1 is of type dict; it must be a picture or the bytes of a file."),
        (b"no picture", "image 1 cannot be decoded: cannot identify image file"),
        (png()[:40], "image 1 cannot be decoded: "),
        (png(size=(3, 3)), "images differ in size: image 0 is 3x2, image 1 is 3x3; resize them first."),
    ],
)
def test_what_is_no_picture_is_refused(picture, message):
    """Each is named by its position."""
    with pytest.raises(DataError, match=re.escape(message)):
        from_pictures([png(), picture])


def test_large_pictures_are_refused_before_they_are_unpacked():
    """What a picture says of its size is held against the limit."""
    with reseed.max_bytes(1 << 20), pytest.raises(DataError, match=r"^image 0 takes 1\.91 MiB or more to read"):
        from_pictures([png(size=(2000, 1000))])
