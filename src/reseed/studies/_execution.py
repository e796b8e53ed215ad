"""Where the runs of a study execute, and how many of them as one program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from reseed._arguments import argument
from reseed._bounds import check_bound
from reseed._errors import InputError, ModelError
from reseed._numbers import is_whole
from reseed.engines import Engine, as_engine, usable_cores
from reseed.studies._header import Header, grouping
from reseed.studies._placement import Place, check_pays, where
from reseed.training import check_can_stack, group_size, trains_apart

if TYPE_CHECKING:
    from reseed.studies._train_run import TrainRun
    from reseed.training import StackedTraining

_STACKING = ("auto", "stacked", "processes", "cluster")
_MOST_APART = 8
"""Runs for each thread of a program that gains little from more; few, so that an interruption costs little."""
_MOST_IN_A_WORKER = 16
"""Runs in a program of a worker process: more gain little, and progress is seen, and kept, by the program."""


class ExecutionArguments(TypedDict, total=False):
    """Where and how runs execute, as `train_study` takes it; what trains several studies hands it on."""

    engine: str | Engine
    jobs: int | None
    address: str | None
    group: int | None
    device: str
    threads: int | None
    deterministic: bool
    probe: bool
    save_every: float | None


@dataclass(frozen=True)
class Execution:
    """How the runs of a study execute.

    Attributes:
        engine: Where.
        threads: Threads of arithmetic.
        groups: First run and the one after the last of each program; empty where every run is one by itself.
    """

    engine: Engine
    threads: int
    groups: tuple[tuple[int, int], ...]


def check_group(group: int | None, engine: str | Engine) -> None:
    """Accept a number of runs in one program.

    Raises:
        InputError: It is less than two, or less than one on a cluster, or above all bounds, or the engine trains runs
            one by one.
    """
    if group is not None and is_whole(group):
        check_bound("group", group, argument("group"))
    least = 1 if engine == "cluster" else 2
    if group is not None and (engine == "serial" or group < least):
        raise InputError(
            f"{argument('group')} is {group!r}; it is a number of runs, {least} or more, for the engines "
            f"{', '.join(_STACKING)}."
        )


def plan_execution(
    task: TrainRun,
    runs: int,
    found: Header | None,
    *,
    engine: str | Engine,
    jobs: int | None,
    address: str | None,
    device: str,
    group: int | None,
    threads: int | None,
    announce: Callable[[str], None],
) -> Execution:
    """Decide what the caller left open; a study that is there goes on the way it began.

    Args:
        task: Trains the runs; on a device of this machine.
        runs: How many there will be.
        found: The header of the study that is there.
        engine: See `train_study`.
        jobs: Groups at once.
        address: Where the cluster is.
        device: Where runs will train.
        group: Runs in one program.
        threads: Threads of arithmetic.
        announce: Takes a line for the user.

    Raises:
        ModelError: The engine is ``stacked`` and the model cannot be.
    """
    pair, is_auto = task.stacked((0, 1)), engine == "auto"
    is_on_cpu = device.startswith("cpu")
    stacks = engine == "stacked" or (group or 1) > 1
    if is_auto or (engine == "cluster" and group is None):
        stacks = bool(found.groups) if found is not None else _gains(pair, is_on_cpu, announce)
    elif stacks:
        check_can_stack(pair)
    start, groups = (found.runs, found.groups) if found is not None and found.groups else (0, ())
    known = threads or (None if found is None else found.threads)

    def size(at_once: int, threads: int) -> int:
        if group is not None:
            return group
        sharing = 1 if engine == "cluster" else at_once  # whose memory is not this machine's alone
        most = runs
        if trains_apart(pair):
            most = _MOST_APART * threads
        elif engine == "processes" or (is_auto and at_once > 1):
            most = _MOST_IN_A_WORKER
        return max(1, min(most, group_size(pair) // sharing, -(-(runs - start) // at_once)))

    place = Place(engine, known or (usable_cores() if engine == "stacked" else 1))
    if is_auto:
        place = where(task, pair, runs, stacks=stacks, size=size, is_fixed=group is not None, jobs=jobs, threads=known)
    chosen = as_engine(place.engine, jobs=jobs, address=address, threads=place.threads, device=device)
    if not stacks:
        return Execution(chosen, place.threads, ())
    at_once = place.at_once or chosen.workers
    return Execution(chosen, place.threads, groups + grouping(start, max(start, runs), size(at_once, place.threads)))


def _gains(pair: StackedTraining, is_on_cpu: bool, announce: Callable[[str], None]) -> bool:
    """Whether several runs can be one program, and are no slower so; where not, the user is told why."""
    try:
        if is_on_cpu:
            check_pays(pair)
        check_can_stack(pair)
    except ModelError as error:
        announce(f"training one run at a time: {error}")
        return False
    return True
