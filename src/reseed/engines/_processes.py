"""Runs in worker processes of this machine."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pickle import PicklingError

from reseed._errors import TrainingError
from reseed.engines._allocator import keep_freed_memory
from reseed.engines._orphans import end_with
from reseed.engines._protocol import Group, RunReport, Task, WorkersLostError


@dataclass(frozen=True)
class ProcessesEngine:
    """Calls the task in worker processes that joblib keeps; large arrays are shared by memory map.

    Workers end when this process does, even if it is killed.

    Args:
        workers: Number of worker processes.
    """

    workers: int
    name: str = "processes"

    def map(self, task: Task, groups: Sequence[Group]) -> Iterator[RunReport]:
        """Yield reports as groups end.

        Raises:
            WorkersLostError: A worker was killed (out of memory, say) before its run ended.
            TrainingError: The task cannot be pickled, or not be unpickled in a worker.
        """
        from joblib import Parallel, delayed
        from joblib.externals.loky.process_executor import BrokenProcessPool, TerminatedWorkerError

        # Said in a thread of loky's own: where warnings are errors that ends, and nobody would ever take the results.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
        parallel = Parallel(
            n_jobs=min(self.workers, max(2, len(groups))),  # a single one would mean this process
            return_as="generator_unordered",
            mmap_mode="c",  # copied on write: workers may hand the arrays to torch, which wants to be able to write
            batch_size=1,
            initializer=_begin,
            initargs=(os.getpid(),),
        )
        try:
            with _interrupts_held():
                results = parallel(delayed(task)(group) for group in groups)
            for reports in results:
                yield from reports
        except TerminatedWorkerError as error:
            raise WorkersLostError("a worker process was killed, perhaps for want of memory") from error
        except (BrokenProcessPool, PicklingError) as error:
            raise TrainingError(
                f"a run cannot be sent to worker processes: {error} Choose the engine 'serial', or define what "
                "it needs in a module that can be imported."
            ) from error


def _begin(parent: int) -> None:
    end_with(parent)
    keep_freed_memory()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back inside; processes started inside never see it.

    A terminal sends it to the workers too, which would print what they were at. To end them is this process's part.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
