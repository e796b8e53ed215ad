"""Watching a training that is recorded: how far it is, and all that it takes to go on from there."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, final

from torch import Tensor

from reseed.training._snapshot import Snapshot

_GLANCE_S = 1.0
_MOST_GROWTH = 8


@final
@dataclass(frozen=True)
class Moment:
    """How far some runs are that are trained together.

    Attributes:
        step: Steps made.
        total: Steps of the whole training.
        epoch_steps: Steps of an epoch.
        accuracies: Of each run that has not diverged, its accuracy at the last checkpoint where that is known.
    """

    step: int
    total: int
    epoch_steps: int
    accuracies: tuple[float, ...]


@final
@dataclass(frozen=True, eq=False)
class Standing:
    """All that a training which is being recorded goes on from, bit for bit, but for what its sinks were given.

    Attributes:
        training: Where the training itself stands.
        pending: What is known of the steps that no outcome counts yet, and signals of all steps, by name.
        outcomes: What is known so far of each run, as values for JSON.
    """

    training: Snapshot
    pending: Mapping[str, Tensor]
    outcomes: Mapping[str, Any]


class Watcher(Protocol):
    """Looks at a training now and then: about once a second, and wherever it stops anyway."""

    def look(self, moment: Moment, standing: Callable[[], Standing]) -> None:
        """Take how far it is, and what says where it stands, which holds until the training goes on."""


@final
class Marks:
    """The numbers of steps to which a training goes at a time: its stops, and about every second between.

    Where these lie depends on how fast it is, so nothing but looking on may happen there.

    Args:
        made: Steps made before.
        stops: Where to stop in any case, in rising order.
        is_watched: Whether to go to them directly else.
    """

    def __init__(self, made: int, stops: Sequence[int], *, is_watched: bool) -> None:
        self.number, self._stops = made, stops
        self._stretch: float = 1 if is_watched else math.inf
        self._last, self._begun = made, 0.0

    def __iter__(self) -> Iterator[int]:
        for stop in self._stops:
            while self.number < stop:
                self._last, self.number = self.number, int(min(stop, self.number + self._stretch))
                self._begun = time.perf_counter()
                yield self.number

    def reached(self) -> None:
        """Take note that the last of them is reached."""
        taken, steps = time.perf_counter() - self._begun, self.number - self._last
        wanted = steps * min(_MOST_GROWTH, _GLANCE_S / max(taken, 1e-9))
        self._stretch = self._stretch if self._stretch == math.inf else max(1, round(wanted))
