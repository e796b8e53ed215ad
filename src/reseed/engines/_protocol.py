"""What an engine promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True)
class RunReport:
    """What a task tells about one run; predictions never travel this way, they are in the store.

    Attributes:
        run: The run's number.
        status: ``complete``; ``diverged``: finished, but to no usable predictions; ``failed``: not finished.
        accuracy: Share of correct evaluation labels; NaN where there are no targets or the run diverged.
        message: What happened, for a run that diverged or failed, or what the user should know of a complete one.
        is_final: For a failed run: whether trying again is pointless (bad input, a full disk).
    """

    run: int
    status: Literal["complete", "diverged", "failed"]
    accuracy: float = float("nan")
    message: str = ""
    is_final: bool = False


Group = tuple[int, ...]
"""Runs that are done together: a single one, or several that are trained as one program."""

Task = Callable[[Group], list[RunReport]]
"""Does the runs of a group that are not finished, and reports on them. It is idempotent, can be pickled, and reports
failure instead of raising."""


class Engine(Protocol):
    """Calls a task somewhere, at least once for each group of runs.

    That is all: retry, resume and progress are the ledger's (`complete_runs`). An engine that loses workers
    raises `WorkersLostError`; the ledger then asks again for what is not finished.
    """

    @property
    def name(self) -> str:
        """What the engine is called on the command line."""

    @property
    def workers(self) -> int:
        """How many groups it works on at once."""

    def map(self, task: Task, groups: Sequence[Group]) -> Iterator[RunReport]:
        """Yield the reports of each group as it ends, in any order."""


class WorkersLostError(Exception):
    """An engine lost worker processes before all runs ended."""
