"""One group of runs after another, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reseed.engines._protocol import Group, RunReport, Task


@dataclass(frozen=True)
class SerialEngine:
    """Calls the task in this process, one group of runs at a time."""

    name: str = "serial"
    workers: int = 1

    def map(self, task: Task, groups: Sequence[Group]) -> Iterator[RunReport]:
        """Yield each group's reports in order."""
        for group in groups:
            yield from task(group)
