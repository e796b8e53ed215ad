"""One sample as people see it in a report: its text, its picture, or its first numbers."""

import io
from collections.abc import Sequence

import torch
from jaxtyping import Float32

from reseed._errors import DataError
from reseed.data._dataset import Dataset

_NUMBERS_SHOWN = 6
_NUMBERS = "x=["


def shows_numbers(shown: str) -> bool:
    """Whether a preview is of a sample made of numbers, and so of its first few only.

    Example:
        >>> shows_numbers("x=[0.1, 2.0]"), shows_numbers("play some jazz")
        (True, False)
    """
    return shown.startswith(_NUMBERS)


def preview(dataset: Dataset, index: int) -> str | bytes:
    """One sample in the form a report shows.

    Args:
        dataset: where the sample is.
        index: position of the sample, from 0 to `len(dataset) - 1`.

    Returns:
        The text as it is; the bytes of a PNG file for an image with 1 or 3 channels; the first values for
        others. Texts are not escaped: whoever puts them in a page does that.

    Raises:
        DataError: `index` is outside the data set.

    Example:
        >>> x = torch.tensor([[0.1, 2.0], [1e-5, 3.0]])
        >>> preview(Dataset("toy", "train", x, torch.tensor([0, 1]), ("a", "b"), ("no", "yes")), 0)
        'x=[0.1, 2.0]'
    """
    return previews(dataset, [index])[0]


def previews(dataset: Dataset, indices: Sequence[int] | None = None) -> tuple[str | bytes, ...]:
    """Many samples in the form a report shows.

    Args:
        dataset: where the samples are.
        indices: positions of the samples, each from 0 to `len(dataset) - 1`; None for all of them.

    Returns:
        What `preview` gives for each, in the order of `indices`.

    Raises:
        DataError: an index is outside the data set.

    Example:
        >>> previews(Dataset("toy", "train", ("hi", "bye"), torch.tensor([0, 1]), ("a", "b"), ("in", "out")))
        ('hi', 'bye')
    """
    chosen = range(len(dataset)) if indices is None else indices
    for index in chosen:
        if not 0 <= index < len(dataset):
            raise DataError(f"index {index} is outside the data set; it has samples 0 to {len(dataset) - 1}.")
    if not isinstance(dataset.inputs, torch.Tensor):
        return tuple(dataset.inputs[index] for index in chosen)
    inputs = dataset.inputs[torch.as_tensor(list(chosen), dtype=torch.int64)]
    if dataset.is_image and inputs.shape[1] in (1, 3):
        return _png_files(inputs)
    values = inputs.flatten(1)
    more = ", ..." if values.shape[1] > _NUMBERS_SHOWN else ""
    return tuple(
        f"{_NUMBERS}{', '.join(str(float(f'{value:.4g}')) for value in row)}{more}]"
        for row in values[:, :_NUMBERS_SHOWN].tolist()
    )


def _png_files(images: Float32[torch.Tensor, "sample channel height width"]) -> tuple[bytes, ...]:
    from PIL import Image

    pixels = images.mul(255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    files = []
    for picture in pixels[..., 0] if pixels.shape[-1] == 1 else pixels:
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG")
        files.append(file.getvalue())
    return tuple(files)
