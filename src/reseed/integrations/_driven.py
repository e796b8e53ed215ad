"""What the callbacks for other libraries' trainers share: when to record, and how to go on after an interruption."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, final

from torch import nn

from reseed.integrations._recorder import Recorder
from reseed.integrations._untouched import untouched
from reseed.training import RecordConfig


@final
class DrivenRecorder:
    """Records one run of a training that somebody else's loop drives.

    Args:
        out: The study's folder.
        every: ``epoch``, ``final``, or a number of steps.
        arguments: Those of `Recorder` besides.

    Raises:
        InputError: An argument is unusable, which is better known before the training begins.
    """

    def __init__(self, out: str | Path, *, every: str | int, **arguments: Any) -> None:
        self._every = str(RecordConfig(every=every).every)
        self._make = partial(Recorder, out, every=every, **arguments)
        self._make()
        self._recorder: Recorder | None = None

    @property
    def only_final(self) -> bool:
        """Whether the last checkpoint alone is kept."""
        return self._every == "final"

    @property
    def each_epoch(self) -> bool:
        """Whether every epoch is recorded."""
        return self._every == "epoch"

    def is_due(self, step: int) -> bool:
        """Whether a number of steps is complete."""
        return self._every.isdecimal() and step > 0 and step % int(self._every) == 0

    def begin(self, step: int, **arguments: Any) -> None:
        """Begin the run, or go on with it from a step that is above zero.

        Args:
            step: Optimisation steps that the training has behind it.
            arguments: Those of `Recorder` that are known only now.
        """
        self.discard()
        recorder = self._make(**arguments)
        resumes = step > 0 and not self.only_final
        recorder.begin(resumable=not self.only_final, resume_from=step if resumes else None)
        self._recorder = recorder

    def record(self, predict: Callable[[Any], Any], step: int, model: nn.Module) -> None:
        """Record a checkpoint, once for each step, leaving the model and the random generators as they were."""
        recorder = self._recorder
        if recorder is not None and recorder.steps[-1:] != (step,):
            with untouched(model):
                recorder.record(predict, step)

    def finish(self) -> None:
        """Make the run exist, if one was begun here."""
        if self._recorder is not None:
            recorder, self._recorder = self._recorder, None
            recorder.finish()

    def discard(self) -> None:
        """Drop a run that did not end; what a resumed training needs of it stays."""
        if self._recorder is not None:
            self._recorder.discard()
            self._recorder = None
