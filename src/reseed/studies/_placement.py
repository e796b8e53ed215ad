"""Where ``auto`` trains: in this process, or in workers, which take seconds to start.

What decides the bits of a result, which runs are one program and how many threads an operation has, is counted, so that
the same command makes the same study. Where the programs run changes no bit, and is decided by the time that a trial
takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reseed._errors import ModelError
from reseed.engines import usable_cores
from reseed.studies._manifest import existing_runs
from reseed.studies._pace import seconds_of_a_run
from reseed.training import predict, rounds_apart, trains_apart

if TYPE_CHECKING:
    from reseed.studies._train_run import TrainRun
    from reseed.training import StackedTraining

_MOST_THREADS = 4
"""Threads that share the runs of a program; Python's lock was not measured with more, so workers get them."""
_SHARED = 0.8
"""Share of its core that each of these threads makes use of."""
_START_S = 8.0
"""Seconds that worker processes take to start, to import what they need and to be given the data, about: so much later
do four runs of digits end in them, which take next to no time."""
_WORTH_WORKERS, _WORTH_WORKERS_MAPPED = 2e11, 1e10
"""Operations of a study from which on its programs are made as small as workers want them: of native models, where a
study of digits was timed, and of foreign ones, where it is an estimate."""
_MOST_MAPPED, _MOST_MAPPED_PASS = 400_000, 7e7
"""Parameters of a foreign model, and operations of a batch's forward pass, up to which mapping its code over runs was
measured to pay on a CPU."""


@dataclass(frozen=True)
class Place:
    """Where runs are trained.

    Attributes:
        engine: The engine's name, or an engine of the user's own.
        threads: Threads of arithmetic.
        at_once: How many programs the runs are cut into at least; None for the number of the engine's workers.
    """

    engine: Any
    threads: int
    at_once: int | None = None


def where(
    task: TrainRun,
    pair: StackedTraining,
    runs: int,
    *,
    stacks: bool,
    size: Callable[[int, int], int],
    is_fixed: bool,
    jobs: int | None,
    threads: int | None,
) -> Place:
    """Return the faster place of a study that leaves it open.

    Work that is shared by worker processes takes as long as the one with the most of it, and the time in which they
    start. Threads that share runs start at once and wait for each other; those that share one operation wait more than
    they gain where cores are shared, and are not used.

    Args:
        task: Trains the runs, on a device of this machine.
        pair: Two of them as one program.
        runs: How many there will be.
        stacks: Whether several are one program.
        size: Runs of a program, given how many there are at once and their threads.
        is_fixed: Whether the user says how many.
        jobs: Worker processes that the user asks for.
        threads: Threads that are settled already.
    """
    cores, inside = usable_cores(), "stacked" if stacks else "serial"
    if not task.device.startswith("cpu"):
        return Place(inside, threads or 1, 1)
    if jobs is not None:
        return Place("processes" if jobs > 1 else inside, threads or 1, jobs)
    shares = stacks and cores <= _MOST_THREADS and threads != 1 and trains_apart(pair)
    here = Place(inside, threads or (cores if shares else 1), 1)
    there = Place("processes", threads or 1, cores // (threads or 1))
    if not there.at_once or there.at_once < 2:
        return here
    alone = not stacks or rounds_apart(pair)
    if not alone and not is_fixed:
        if shares or not _is_worth_workers(pair, runs):
            return here
        here = replace(here, at_once=there.at_once)
    left = runs - sum(run < runs for run in existing_runs(task.root))
    if left < 2:
        return here
    together = size(there.at_once, there.threads) if stacks else 1
    programs = -(-left // together)
    stacked = (1 if alone else together) if stacks else None
    seconds = left * seconds_of_a_run(task, stacked)
    inside_s = seconds / (here.threads * _SHARED if here.threads > 1 else 1)
    workers_s = seconds / there.threads * -(-programs // there.at_once) / programs + _START_S
    return there if workers_s < inside_s else here  # not where the trial failed, which makes them NaN


def check_pays(pair: StackedTraining) -> None:
    """Accept a model of which several runs as one program are no slower than one after another on a CPU.

    Raises:
        ModelError: They are; the message says what can be done nevertheless.
    """
    if pair.architecture.is_native:
        return
    parameters = sum(parameter.numel() for parameter in pair.draw(0).parameters())
    what = f"{parameters:,} parameters"
    if parameters <= _MOST_MAPPED:
        operations = _operations_of_pass(pair)
        if operations <= _MOST_MAPPED_PASS:
            return
        what = f"{operations:.2g} operations for a batch"
    raise ModelError(
        f"model {pair.recipe.model.name!r} has {what} and layers that reseed does not know, "
        "and stacks of such models are slower on a CPU. The engine stacked makes them all the same."
    )


def _is_worth_workers(pair: StackedTraining, runs: int) -> bool:
    """Whether the study is so long that workers, with smaller programs, may be the faster way."""
    operations = 3 * _operations_of_pass(pair) * pair.total_steps * runs
    return operations > (_WORTH_WORKERS if pair.architecture.is_native else _WORTH_WORKERS_MAPPED)


def _operations_of_pass(pair: StackedTraining) -> float:
    """Return the operations of a network's products and convolutions in the forward pass of a batch, 0 if unknown."""
    from torch.utils.flop_counter import FlopCounterMode

    model, rows = pair.draw(0), pair.data.inputs[:2]
    try:
        with FlopCounterMode(display=False) as counter:
            predict(model, rows)
    except Exception:  # foreign code that runs, but not under the counter
        return 0.0
    return float(counter.get_total_flops()) / len(rows) * min(pair.recipe.batch_size, len(pair.data.labels))
