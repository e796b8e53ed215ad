"""Perturbation sequences: images that change a little from frame to frame, whose answers should not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, final

import torch
from torch import Tensor

from reseed._arrays import ArrayLike, Result
from reseed._errors import InputError
from reseed._numbers import is_whole
from reseed.perturbations._corruptions import check_seed, item_numbers, named
from reseed.perturbations.images import _frames
from reseed.perturbations.images._checks import check_images
from reseed.perturbations.images._corruption import constants_of
from reseed.perturbations.images._draws import Draws, draw_word

Frames = Callable[[Tensor, Any, Draws, float, range], Iterator[Tensor]]


@final
@dataclass(frozen=True)
class PerturbationSequence:
    """One kind of sequence, with the published constants.

    Attributes:
        name: The name of the suites CIFAR-10-P and ImageNet-P.
        change: Yields the frames.
        small: Constants for images of 32 pixels.
        large: Constants for images of 224 pixels.
        frames: How many frames there are, for small and for large images.
        reference: Which frame an answer is compared with: the ``first``, clean one, or the ``previous`` one.
        from_start: Whether fewer frames are the first ones, as where these are clean; else those of the middle.
    """

    name: str
    change: Frames
    small: Any
    large: Any
    frames: tuple[int, int] = (31, 31)
    reference: Literal["first", "previous"] = "previous"
    from_start: bool = False


SEQUENCES: Mapping[str, PerturbationSequence] = MappingProxyType(
    {
        sequence.name: sequence
        for sequence in (
            PerturbationSequence(
                "gaussian_noise", _frames.gaussian_noise, 0.02, 0.03, reference="first", from_start=True
            ),
            PerturbationSequence("shot_noise", _frames.shot_noise, 700, 300, (31, 31), "first", True),
            PerturbationSequence("motion_blur", _frames.motion_blur, (6, 1.8, 9, 20), (10, 3, 4, 30), (21, 31)),
            PerturbationSequence("zoom_blur", _frames.zoom_blur, 0.004, 0.004, from_start=True),
            PerturbationSequence(
                "spatter", _frames.spatter, (0.6, 0.265, 1.75, 0.7, 0.6), (0.65, 0.27, 3.7, 0.69, 0.6), from_start=True
            ),
            PerturbationSequence("brightness", _frames.brightness, 0.015, 0.02),
            PerturbationSequence("translate", _frames.translate, 7, 20, (16, 41)),
            PerturbationSequence("rotate", _frames.rotate, 1.0, 1.0),
            PerturbationSequence("tilt", _frames.tilt, 0.75, 1.0),
            PerturbationSequence("scale", _frames.scaled, (0.7, 0.02), (0.4, 0.025)),
        )
    }
)
"""The 10 sequences that flip rates are taken over, by name."""


def perturbation_sequence(
    images: ArrayLike,
    name: str,
    *,
    seed: int,
    frames: int | None = None,
    items: ArrayLike | Iterable[int] | None = None,
) -> Result:
    """Return a perturbation sequence of images, all frames at once; see `perturbation_frames`.

    Returns:
        A new array [frame, sample, channel, height, width] in the dtype of the images, in [0, 1].

    Examples:
        >>> images = torch.rand(10, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> sequence = perturbation_sequence(images, "rotate", seed=0)
        >>> sequence.shape, torch.equal(sequence[15], images)
        (torch.Size([31, 10, 1, 8, 8]), True)
    """
    found_frames = list(perturbation_frames(images, name, seed=seed, frames=frames, items=items))
    result = torch.stack([torch.as_tensor(frame) for frame in found_frames])
    return result if isinstance(images, Tensor) else result.numpy()


def perturbation_frames(
    images: ArrayLike,
    name: str,
    *,
    seed: int,
    frames: int | None = None,
    items: ArrayLike | Iterable[int] | None = None,
) -> Iterator[Result]:
    """Return the frames of a perturbation sequence one after the other, so that one at a time is in memory.

    The kinds and constants are those of CIFAR-10-P and ImageNet-P, chosen and scaled by the size of the images as
    `corrupt` does. ``SEQUENCES[name].reference`` says whether an answer is compared with that to the first frame
    (noise, where the frames have no order) or to the frame before. Nothing is rounded to 8 bits; translations by parts
    of a pixel are read between pixels; the plane that tilts turns about its own axes.

    Args:
        images: Values in [0, 1], [sample, channel, height, width], at least 8 x 8.
        name: A key of `SEQUENCES`.
        seed: Seeds the draws.
        frames: How many, at least 2; by default all that were published. Fewer are the first ones of noise, zoom
            and spatter, else those of the middle. Of noise alone there can be more.
        items: Numbers of the samples, [sample]; by default 0, 1, ...

    Returns:
        An iterator of arrays [sample, channel, height, width] in the dtype of the images, in [0, 1].

    Raises:
        InputError: The name is unknown, there are not so many frames, or the images are too small, of another shape or
            not in [0, 1], or the numbers of the samples do not fit.
        InputTypeError: The images hold whole numbers.

    Examples:
        >>> images = torch.full((2, 3, 32, 32), 0.5)
        >>> [f"{frame.mean():.3f}" for frame in perturbation_frames(images, "brightness", seed=0, frames=3)]
        ['0.485', '0.500', '0.515']
    """
    sequence = named(name, SEQUENCES, "perturbation sequence")
    check_seed(seed)
    given = check_images(images, 8, name)
    numbered = item_numbers(items, len(given)).to(given.device)
    constants, scale = constants_of(sequence.small, sequence.large, min(given.shape[2:]))
    published = sequence.frames[0 if constants is sequence.small else 1]
    count = published if frames is None else frames
    if not is_whole(count) or count < 2 or (count > published and sequence.reference == "previous"):
        most = f" and at most {published}" if sequence.reference == "previous" else ""
        raise InputError(f"frames must be a whole number of at least 2{most} for {name!r}, got {frames!r}.")
    start = 0 if sequence.from_start else (published - count) // 2
    worked = given if given.dtype == torch.float64 else given.float()
    draws = Draws(draw_word(seed, f"{name} sequence"), 0, numbered)
    numbers = range(start, start + count)
    changed = sequence.change(worked, constants, draws, scale, numbers) if len(given) else (worked for _ in numbers)
    return _given_back(changed, given.dtype, isinstance(images, Tensor))


def _given_back(frames: Iterator[Tensor], dtype: torch.dtype, tensors: bool) -> Iterator[Result]:
    for frame in frames:
        with torch.no_grad():
            kept = frame.clamp(0, 1).to(dtype)
        yield kept if tensors else kept.numpy()
