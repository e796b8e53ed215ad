"""One run after another, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reseed.engines._protocol import RunReport, Task


@dataclass(frozen=True)
class SerialEngine:
    """Calls the task in this process, one run at a time."""

    name: str = "serial"
    workers: int = 1

    def map(self, task: Task, runs: Sequence[int]) -> Iterator[RunReport]:
        """Yield each run's report in order."""
        return map(task, runs)
