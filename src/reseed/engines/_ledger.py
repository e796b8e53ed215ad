"""The ledger: asks an engine for what is not finished until everything is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from reseed._bounds import check_bound
from reseed._errors import InputError, TrainingError
from reseed._numbers import is_whole
from reseed.engines._protocol import Engine, Group, RunReport, Task, WorkersLostError

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 60.0


def check_retries(retries: object) -> None:
    """Accept a number of tries after the first.

    Raises:
        InputError: It is below zero, or above 100.
    """
    if not is_whole(retries) or retries < 0:
        raise InputError(f"retries must be 0 or more, got {retries!r}.")
    check_bound("retries", retries)


def complete_runs(
    task: Task,
    groups: Sequence[Group],
    *,
    engine: Engine,
    is_finished: Callable[[int], bool],
    on_report: Callable[[RunReport], None],
    retries: int = 2,
) -> None:
    """Have every run finished, dispatching again those that failed or were lost with their worker.

    Args:
        task: Does the runs of a group; see `Task`.
        groups: The wanted runs, in the groups that are done together. Finished groups are not dispatched.
        engine: Where tasks are called.
        is_finished: Whether a run has left complete results; the only thing that is believed.
        on_report: Called in this process for every report that arrives.
        retries: How often failed runs are tried again, with growing waits, from 0 to 100.

    Raises:
        InputError: ``retries`` is no such number.
        TrainingError: Some runs did not finish; the message names them and the first cause. Runs that finished
            stay finished.
    """
    check_retries(retries)
    messages: dict[int, str] = {}
    hopeless: set[int] = set()
    runs = [run for group in groups for run in group]
    for attempt in range(retries + 1):
        left = {run for run in runs if run not in hopeless and not is_finished(run)}
        pending = [group for group in groups if left & set(group)]
        if not pending:
            break
        if attempt:
            time.sleep(min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (attempt - 1)))
        try:
            for report in engine.map(task, pending):
                if report.status == "failed":
                    messages[report.run] = report.message
                    if report.is_final:
                        hopeless.add(report.run)
                on_report(report)
        except WorkersLostError as error:
            for run in left:
                messages.setdefault(run, str(error))
    unfinished = [run for run in runs if not is_finished(run)]
    if unfinished:
        first = unfinished[0]
        raise TrainingError(
            f"{len(unfinished)} of {len(runs)} runs did not finish (run {first} first): "
            f"{messages.get(first, 'no report arrived')}\n"
            "Finished runs are kept; the same command continues with the others."
        )
