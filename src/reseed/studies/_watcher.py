"""What looks on while a group of runs is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from reseed.studies._pulse import Pulse, write_pulse
from reseed.studies._unfinished import Keeper
from reseed.training import Moment, Standing


@final
@dataclass(frozen=True)
class GroupWatcher:
    """Says how far a group is, and has it kept; a `training.Watcher`.

    Args:
        runs: Those of the group that are not finished.
        keeper: Keeps where it stands.
        folder: Where to say how far it is; None: nowhere.
    """

    runs: Sequence[int]
    keeper: Keeper
    folder: Path | None

    def look(self, moment: Moment, standing: Callable[[], Standing]) -> None:
        """Take how far it is."""
        if self.folder is not None:
            write_pulse(self.folder, Pulse(tuple(self.runs), moment))
        if moment.step < moment.total:
            self.keeper.look(standing, moment.total)
