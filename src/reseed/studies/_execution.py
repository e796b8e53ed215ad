"""Where the runs of a study execute, and how many of them as one program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from reseed._bounds import check_bound
from reseed._errors import InputError, ModelError
from reseed._numbers import is_whole
from reseed.engines import Engine, as_engine, usable_cores
from reseed.studies._header import Header, grouping
from reseed.training import check_can_stack, group_size, trains_apart

if TYPE_CHECKING:
    from reseed.studies._train import TrainRun
    from reseed.training import StackedTraining

_STACKING = ("auto", "stacked", "processes", "cluster")
_MOST_APART = 8
"""Runs for each thread of a program that gains little from more; few, so that an interruption costs little."""
_MOST_THREADS = 4
"""Threads that share the runs of a program; Python's lock was not measured with more, so workers get them."""
_MOST_IN_A_WORKER = 16
"""Runs in a program of a worker process: more gain little, and progress is seen, and kept, by the program."""
_MOST_MAPPED = 10**6
"""Parameters of a foreign model up to which mapping its code over runs was measured to pay on a CPU."""
_WORTH_WORKERS = 1e12
"""Operations of a study from which worker processes, which take seconds to start, are the faster way."""


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
        check_bound("group", group)
    least = 1 if engine == "cluster" else 2
    if group is not None and (engine == "serial" or group < least):
        raise InputError(
            f"group is {group!r}; it is a number of runs, {least} or more, for the engines {', '.join(_STACKING)}."
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
    pair = task.stacked((0, 1))
    is_open = engine == "auto" or (engine == "cluster" and group is None)
    stacks = bool(found.groups) if found is not None and is_open else engine == "stacked" or (group or 1) > 1
    is_on_cpu = device.startswith("cpu")
    if is_open and found is None:
        try:
            if is_on_cpu:
                _check_pays(pair)
            check_can_stack(pair)
            stacks = True
        except ModelError as error:
            announce(f"training one run at a time: {error}")
    elif stacks:
        check_can_stack(pair)
    is_apart = stacks and trains_apart(pair)
    cores = usable_cores()
    own_threads = cores if engine == "stacked" else 1
    if engine == "auto" and stacks:
        # Threads of one operation wait for each other, which costs more than it gains where cores are shared; threads
        # that share runs, and workers with a thread each, do not.
        shares_runs = is_apart and cores <= _MOST_THREADS
        is_large = is_apart or _operations(pair, runs) > _WORTH_WORKERS
        has_use = cores > 1 and is_large and not shares_runs
        engine = "processes" if is_on_cpu and (jobs is not None or has_use) else "stacked"
        own_threads = cores if shares_runs and engine == "stacked" else 1
    if threads is None:
        threads = found.threads if found is not None else own_threads
    chosen = as_engine(engine, jobs=jobs, address=address, threads=threads, device=device)
    if not stacks:
        return Execution(chosen, threads, ())
    start, groups = (found.runs, found.groups) if found is not None and found.groups else (0, ())
    if group is None:
        workers = chosen.workers
        sharing = 1 if engine == "cluster" else workers  # whose memory is not this machine's alone
        most = _MOST_APART * threads if is_apart else _MOST_IN_A_WORKER if engine == "processes" else runs
        group = max(1, min(most, group_size(pair) // sharing, -(-(runs - start) // workers)))
    return Execution(chosen, threads, groups + grouping(start, max(start, runs), group))


def _check_pays(pair: StackedTraining) -> None:
    """Accept a model of which several runs as one program are no slower than one after another on a CPU.

    Raises:
        ModelError: They are; the message says what can be done nevertheless.
    """
    parameters = sum(parameter.numel() for parameter in pair.draw(0).parameters())
    if not pair.architecture.is_native and parameters > _MOST_MAPPED:
        raise ModelError(
            f"model {pair.recipe.model.name!r} has {parameters:,} parameters and layers that reseed does not know, "
            "and stacks of such models are slower on a CPU. The engine stacked makes them all the same."
        )


def _operations(pair: StackedTraining, runs: int) -> float:
    """Return roughly how many operations the study's trainings take: six for each weight and sample.

    Counted and not timed, so that the same command always makes the same groups.
    """
    weights = sum(parameter.numel() for parameter in pair.trained) / len(pair.seeds)
    return 6.0 * weights * pair.total_steps * pair.recipe.batch_size * runs
