"""Engines by name."""

from __future__ import annotations

from typing import get_args

from reseed._arguments import argument
from reseed._bounds import check_bound
from reseed._choices import EngineName
from reseed._errors import InputError
from reseed._near import did_you_mean
from reseed.engines._cluster import ClusterEngine
from reseed.engines._cores import most_workers, usable_cores
from reseed.engines._processes import ProcessesEngine
from reseed.engines._protocol import Engine
from reseed.engines._serial import SerialEngine


def as_engine(
    engine: str | Engine,
    *,
    jobs: int | None = None,
    address: str | None = None,
    threads: int = 1,
    device: str = "cpu",
) -> Engine:
    """Return the engine of a name; an engine is returned as it is.

    Args:
        engine: ``serial``; ``stacked``: serial too, with several runs as one program, which is the task's part;
            ``processes``; ``cluster``; ``auto``: processes where there is more than one core to use and no accelerator
            to share, else serial; or an engine of one's own.
        jobs: Groups at once, for ``processes`` and ``cluster``; default: as many as there is room for.
        address: Where the cluster is, see `ClusterEngine`.
        threads: Cores for each group of a cluster.
        device: Where runs train.

    Raises:
        InputError: The name is unknown, ``jobs`` is less than 1 or too many for this machine, or an option is not the
            engine's.

    Examples:
        >>> as_engine("processes", jobs=2)
        ProcessesEngine(workers=2, name='processes')
    """
    if jobs is not None and jobs < 1:
        raise InputError(f"{argument('jobs')} must be 1 or more, got {jobs}.")
    if jobs is not None:
        check_bound("jobs", jobs, argument("jobs"))
    if address is not None and engine != "cluster":
        raise InputError(
            f"{argument('address')} is {address!r}, but only the engine 'cluster' has one; the engine is {engine!r}."
        )
    if not isinstance(engine, str):
        if not all(hasattr(engine, name) for name in ("name", "workers", "map")):
            raise InputError(
                f"{argument('engine')} must be a name or an object with name, workers and map, got "
                f"{type(engine).__name__}."
            )
        if jobs is not None:
            raise InputError(
                f"{argument('jobs')} is {jobs}, but the engine {engine.name!r} is given whole; set its workers instead."
            )
        return engine
    if engine not in get_args(EngineName):
        names = get_args(EngineName)
        raise InputError(f"unknown engine {engine!r}.{did_you_mean(engine, names)} Choose among {', '.join(names)}.")
    if engine == "cluster":
        return ClusterEngine(address, jobs, threads, gpus=int(device.startswith("cuda")))
    workers = jobs or usable_cores()
    if engine == "stacked":
        return SerialEngine("stacked")
    if engine == "serial" or (engine == "auto" and (workers == 1 or not device.startswith("cpu"))):
        return SerialEngine()
    if workers > (most := most_workers()):
        raise InputError(
            f"{argument('jobs')} is {workers:,}, but this machine has memory for {most:,} worker processes, which "
            f"would share {usable_cores()} cores; ask for fewer."
        )
    return ProcessesEngine(workers)
