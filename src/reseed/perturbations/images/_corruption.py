"""What a corruption is: a change of images, and its constants for small and for large ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, final

from torch import Tensor

from reseed.perturbations.images._draws import Draws

Group = Literal["noise", "blur", "weather", "digital"]
SMALL_SIDE, LARGE_SIDE = 32, 224
_LARGEST_SMALL = 64

# (images [sample, channel, height, width], constants of the severity, draws, pixels of this size to one of the
# constants' size) -> images, which may leave [0, 1]; what is given is never written to.
Change: TypeAlias = Callable[[Tensor, Any, Draws, float], Tensor]


@final
@dataclass(frozen=True)
class Corruption:
    """One type of corruption, with the published constants of its five severities.

    Attributes:
        name: The name of the suites CIFAR-10-C and ImageNet-C.
        group: Which of their four groups it is of.
        change: What it does.
        small: Constants of the five severities for images of 32 pixels.
        large: Constants of the five severities for images of 224 pixels.
        smallest: The fewest pixels of height and of width.
    """

    name: str
    group: Group
    change: Change
    small: tuple[Any, ...]
    large: tuple[Any, ...]
    smallest: int = 1

    def constants(self, side: int, severity: int) -> tuple[Any, float]:
        """Return the constants of a severity, and what their lengths in pixels are multiplied by.

        Up to 64 pixels on the shorter side the constants are those of 32 pixels, above it those of 224.

        Args:
            side: Pixels of the shorter side.
            severity: From 1 to 5.
        """
        chosen, scale = constants_of(self.small, self.large, side)
        return chosen[severity - 1], scale


def constants_of(small: Any, large: Any, side: int) -> tuple[Any, float]:
    """Return those of two sets of constants that are for images of a size, and pixels of it to one of the set's."""
    return (small, side / SMALL_SIDE) if side <= _LARGEST_SMALL else (large, side / LARGE_SIDE)
