"""What a corruption draws: numbers that belong to a seed, a corruption, a severity and a sample."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from torch import Tensor

from reseed._draws import draw_key, item_normal, item_uniform


def draw_word(seed: int, name: str) -> int:
    """Return the 32-bit word of what is drawn for ``name`` under a seed."""
    return int(np.random.SeedSequence((seed, zlib.crc32(name.encode()))).generate_state(1)[0])


@final
@dataclass(frozen=True)
class Draws:
    """The draws of one corruption at one severity, for some samples.

    Attributes:
        word: See `draw_word`.
        step: The severity, or the frame of a sequence.
        items: Numbers of the samples, [sample].
    """

    word: int
    step: int
    items: Tensor

    def uniform(self, place: int, shape: Sequence[int]) -> Tensor:
        """Return float32 numbers uniform in [0, 1), [sample, *shape]; each ``place`` draws others."""
        return item_uniform(draw_key(self.word, self.step, place), self.items, shape)

    def normal(self, place: int, shape: Sequence[int]) -> Tensor:
        """Return float32 standard normal numbers, [sample, *shape]; each ``place`` draws others."""
        return item_normal(draw_key(self.word, self.step, place), self.items, shape)
