"""Augmentation of image batches from counter-based draws."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from reseed._draws import draw_key, draw_uniform


def augment(images: Tensor, kind: str, words: Sequence[int], step: int) -> Tensor:
    """Return randomly shifted, perhaps flipped, copies of a batch of images.

    Every image moves by up to an eighth of its side in each direction, zeros filling in; with ``"crop-flip"`` it
    is mirrored with probability one half. The draws are a pure function of (word, step, position in the batch).

    Args:
        images: Shape [sample, channel, height, width]; of several runs, those of each run one after the other.
        kind: ``"none"``, ``"crop"`` or ``"crop-flip"``.
        words: The augmentation word of each run.
        step: The training step.

    Returns:
        Images of the same shape; the same tensor when ``kind`` is ``"none"``.
    """
    if kind == "none":
        return images
    count, _, height, width = images.shape
    each = (3, count // len(words))
    place = torch.cat([draw_uniform(draw_key(word, step, 0), each, images.device) for word in words], dim=1)
    rows, columns = _source(place[0], height), _source(place[1], width)
    if kind == "crop-flip":
        columns = torch.where((place[2] < 0.5)[:, None], columns.flip(1), columns)
    inside = _inside(rows, height)[:, None, :, None] & _inside(columns, width)[:, None, None, :]
    index = torch.arange(count, device=images.device)[:, None, None]
    moved = images[index, :, rows.clamp(0, height - 1)[:, :, None], columns.clamp(0, width - 1)[:, None, :]]
    return moved.movedim(-1, 1) * inside


def _source(uniform: Tensor, side: int) -> Tensor:
    """Return for each output row the input row that it comes from, [sample, side]."""
    reach = max(1, side // 8)
    shift = (uniform * (2 * reach + 1)).to(torch.int64) - reach
    return torch.arange(side, device=uniform.device) + shift[:, None]


def _inside(positions: Tensor, side: int) -> Tensor:
    return (positions >= 0) & (positions < side)
