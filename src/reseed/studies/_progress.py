"""The progress bars of training and of reading, drawn by the parent process; silent when nobody looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType

from reseed._notebook import NotebookBar, is_notebook
from reseed._plain import plain
from reseed.engines import RunReport
from reseed.studies._pulse import read_pulses
from reseed.training import Moment

_LOOK_S = 1.0
_FIRST_LINE_S, _NEXT_LINE_S = 10.0, 60.0


class RunProgress:
    """Shows how far the runs of a study are on standard error, in steps of all runs, and the time left.

    In a terminal that is a bar, in a notebook one in the output, elsewhere a line now and then.

    Args:
        total: Runs that will be done in all.
        done: Runs that are finished already.
        accuracies: Accuracies of those.
        steps: Of each run.
        pulses: Folder in which runs that are under way say how far they are; None: they do not.
    """

    def __init__(
        self, total: int, done: int, accuracies: list[float], steps: int = 1, pulses: Path | None = None
    ) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = console = Console(stderr=True)
        self._accuracies, self._total, self._done, self._steps = accuracies, total, done, steps
        self._pulses, self._reported = pulses, set[int]()
        self._progress = Progress(
            TextColumn("runs"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        made, told = self._state()
        self._bar = self._progress.add_task("runs", total=total * steps, completed=made, told=told)
        self._notebook = NotebookBar(total * steps, made, f"runs {told}")
        self._begun, self._first, self._next_line = time.monotonic(), made, _FIRST_LINE_S
        self._lock, self._ended = Lock(), Event()
        self._thread = Thread(target=self._keep_looking, daemon=True)

    def __enter__(self) -> RunProgress:
        self._progress.start()
        if self._pulses is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._pulses is not None:
            self._thread.join()
        self._progress.stop()

    def report(self, report: RunReport) -> None:
        """Take a report that arrived from an engine."""
        if report.status == "failed":
            self._progress.console.print(
                f"run {report.run} failed: {plain(report.message.partition(chr(10))[0])}", markup=False
            )
            return
        if report.message:
            self._progress.console.print(f"run {report.run} {report.message}", markup=False)
        with self._lock:
            if report.accuracy == report.accuracy:  # not NaN
                self._accuracies.append(report.accuracy)
            self._done += 1
            self._reported.add(report.run)
            self._show()

    def _keep_looking(self) -> None:
        while not self._ended.wait(_LOOK_S):
            with self._lock:
                self._show()

    def _show(self) -> None:
        made, told = self._state()
        self._progress.update(self._bar, completed=made, told=told)
        self._notebook.move(made, f"runs {told}")
        taken = time.monotonic() - self._begun
        if taken >= self._next_line and not self._console.is_terminal and not is_notebook():
            self._next_line = taken + _NEXT_LINE_S
            self._console.print(f"runs {told}{self._left(made, taken)}", markup=False, highlight=False, soft_wrap=True)

    def _left(self, made: int, taken: float) -> str:
        """Return in words how long the rest will take at the pace so far."""
        if made <= self._first:
            return ""
        seconds = taken / (made - self._first) * (self._total * self._steps - made)
        return f", about {timedelta(seconds=round(seconds))} left"

    def _state(self) -> tuple[int, str]:
        """Return how many steps of all runs are made, and what to say of them."""
        pulses = [] if self._pulses is None else read_pulses(self._pulses)
        under_way = [(len(set(pulse.runs) - self._reported), pulse.moment) for pulse in pulses]
        moments = [moment for runs, moment in under_way if runs]
        made = self._done * self._steps + sum(runs * moment.step for runs, moment in under_way)
        words = [f"{self._done}/{self._total}", *_epochs(moments)]
        known = [one for moment in moments for one in moment.accuracies if one == one] or self._accuracies
        if known:
            words.append(f"accuracy {sum(known) / len(known):.4f}")
        return min(made, self._total * self._steps), ", ".join(words)


def _epochs(moments: Sequence[Moment]) -> list[str]:
    """Return in which epochs trainings are that are under way.

    Examples:
        >>> _epochs([Moment(11, 30, 10, ()), Moment(10, 30, 10, ())])
        ['epoch 1-2 of 3']
    """
    if not moments:
        return []
    now = sorted({-(-moment.step // moment.epoch_steps) for moment in moments})
    of = -(-moments[0].total // moments[0].epoch_steps)
    return [f"epoch {now[0]}{f'-{now[-1]}' * (len(now) > 1)} of {of}"]


_LONG = 30_000_000  # recorded values; fewer are read in a second or two, in which a bar would only flash


class ReadingProgress:
    """Shows how much of a long reading of a study is done on standard error; silent when that is no terminal.

    Args:
        total: Recorded values that will be read in all. A bar is shown for many only, and vanishes at the end.
    """

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("measuring"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal or total < _LONG,
        )
        self._bar = self._progress.add_task("measuring", total=total)

    def __enter__(self) -> ReadingProgress:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def advance(self, values: int) -> None:
        """Take note that so many more values were read."""
        self._progress.update(self._bar, advance=values)


class WorkProgress:
    """Shows how much of named parts of some work is done on standard error; silent when that is no terminal.

    Args:
        title: What the work is.
        parts: How many parts it has.
    """

    def __init__(self, title: str, parts: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[part]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._done = 0
        self._bar = self._progress.add_task(title, total=parts, part="")

    def __enter__(self) -> WorkProgress:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, part: str) -> None:
        """Say which part begins."""
        self._progress.update(self._bar, part=part)

    def within(self, share: float) -> None:
        """Take note of which share of the part is done."""
        self._progress.update(self._bar, completed=self._done + share)

    def end(self) -> None:
        """Take note that the part is done."""
        self._done += 1
        self.within(0.0)


def to_stderr(line: str) -> None:
    """Print a line to standard error, at once; in a notebook, where that looks like a failure, to standard output."""
    print(line, file=sys.stdout if is_notebook() else sys.stderr, flush=True)
