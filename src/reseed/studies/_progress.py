"""The progress bars of training and of reading, drawn by the parent process; silent when nobody looks."""

from __future__ import annotations

import sys
from types import TracebackType

from reseed._notebook import NotebookBar
from reseed._plain import plain
from reseed.engines import RunReport


class RunProgress:
    """Shows runs done, mean accuracy so far and time left on standard error; silent when that is no terminal.

    In a notebook a bar in the output shows the same, but for the time.

    Args:
        total: Runs that will be done in all.
        done: Runs that are finished already.
        accuracies: Accuracies of those.
    """

    def __init__(self, total: int, done: int, accuracies: list[float]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        self._accuracies = accuracies
        self._progress = Progress(
            TextColumn("runs"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[accuracy]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._bar = self._progress.add_task("runs", total=total, completed=done, accuracy=self._shown())
        self._done, self._notebook = done, NotebookBar("runs", total, done, self._shown())

    def __enter__(self) -> RunProgress:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
        if report.accuracy == report.accuracy:  # not NaN
            self._accuracies.append(report.accuracy)
        self._done += 1
        self._progress.update(self._bar, advance=1, accuracy=self._shown())
        self._notebook.move(self._done, self._shown())

    def _shown(self) -> str:
        if not self._accuracies:
            return ""
        return f"accuracy {sum(self._accuracies) / len(self._accuracies):.4f}"


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
    """Print a line to standard error, at once."""
    print(line, file=sys.stderr, flush=True)
