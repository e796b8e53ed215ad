"""What the callbacks for other libraries' trainers share: when to record, and how to go on after an interruption."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, final

from torch import nn

from reseed._notebook import show_link
from reseed._shown import write_report
from reseed.integrations._failures import OnError, report
from reseed.integrations._predictor import Ask, Predictor
from reseed.integrations._recorder import Recorder
from reseed.integrations._untouched import bare, check_whole
from reseed.studies import Study
from reseed.training import RecordConfig


@final
class DrivenRecorder:
    """Records one run of a training that somebody else's loop drives.

    Args:
        out: The study's folder.
        every: ``epoch``, ``final``, or a number of steps.
        on_error: What an error does once the training runs: ``report`` or ``raise``.
        writes_report: Whether the study's report is written once all its runs are recorded.
        arguments: Those of `Recorder` besides; without ``data`` it comes when the run begins.

    Raises:
        InputError: An argument is unusable, which is better known before the training begins.
    """

    def __init__(
        self, out: str | Path, *, every: str | int, on_error: OnError, writes_report: bool = True, **arguments: Any
    ) -> None:
        self._every = str(RecordConfig(every=every).every)
        self._on_error, self._run = on_error, arguments["run"]
        self._make = partial(Recorder, out, every=every, on_error=on_error, **arguments)
        self._out, self._writes_report = out, writes_report
        if arguments.get("data") is not None:
            self._make()
        self._begun: tuple[Recorder, Ask] | None = None

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

    def begin(self, step: int, model: nn.Module, asking: Callable[[], Ask], *, is_main: bool, **arguments: Any) -> None:
        """Try the model out, then begin the run, or go on with it from a step that is above zero.

        A training that has no step behind it loses nothing by an error, so there is one if it cannot be recorded. One
        that is resumed has: there the error is only reported, unless it shall be raised.

        Args:
            step: Optimisation steps that the training has behind it.
            model: What is asked.
            asking: Finds out how it is asked.
            is_main: Whether this is the process that records.
            arguments: Those of `Recorder` that are known only now.
        """
        self.discard()
        try:
            check_whole(model)
            if is_main:
                self._begin(step, model, asking(), arguments)
        except Exception as error:
            if step == 0 or self._on_error == "raise":
                raise
            if is_main:
                report(f"run {self._run} is not recorded from step {step} on", error)

    def record(self, step: int, model: nn.Module) -> None:
        """Record a checkpoint, once for each step, leaving the model and the random generators as they were."""
        if self._begun is not None:
            recorder, ask = self._begun
            if recorder.steps[-1:] != (step,):
                recorder.record(Predictor(ask, bare(model)), step)

    def finish(self) -> None:
        """Make the run exist, if one was begun here."""
        if self._begun is not None:
            (recorder, _), self._begun = self._begun, None
            recorder.finish()
            if self._writes_report:
                self._write_report()

    def discard(self) -> None:
        """Drop a run that did not end; what a resumed training needs of it stays."""
        if self._begun is not None:
            (recorder, _), self._begun = self._begun, None
            recorder.discard()

    def _write_report(self) -> None:
        """Write the report if the last run of the study is recorded; like all else, no error in it ends a training."""
        try:
            if not Study.open(self._out).missing:
                show_link(write_report(self._out))
        except Exception as error:
            if self._on_error == "raise":
                raise
            report(f"the report of {str(self._out)!r} is not written", error)

    def _begin(self, step: int, model: nn.Module, ask: Ask, arguments: dict[str, Any]) -> None:
        recorder = self._make(**arguments)
        recorder.check(Predictor(ask, bare(model)))
        resumes = step > 0 and not self.only_final
        recorder.begin(resumable=not self.only_final, resume_from=step if resumes else None)
        self._begun = recorder, ask
