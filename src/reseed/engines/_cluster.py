"""Runs on the nodes of a Ray cluster, or of a Ray on this machine alone."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pickle import PicklingError
from typing import Any
from unittest.mock import patch

from reseed._arguments import argument
from reseed._errors import InputError, MissingExtraError, TrainingError
from reseed.engines._cores import usable_cores
from reseed.engines._protocol import Group, RunReport, Task, WorkersLostError
from reseed.engines._reachable import ANSWER_S, check_nodes, found_address

_PORT = 6379
_STOP_S = 5.0


@dataclass(frozen=True)
class ClusterEngine:
    """Calls the task on the nodes of a Ray cluster, spread over them.

    The task is sent once, and each node keeps one copy. A process that is connected to a Ray already goes on with
    that one; one that has had a Ray of its own keeps that one's credentials, and cannot go to a cluster with others.
    reseed, and whatever else the task imports, must be installed on all nodes in the same versions.

    Args:
        address: ``auto`` or HOST[:PORT] of a cluster that is there; None: a Ray on this machine alone, which is started
            for the work and ends with it.
        jobs: Groups at once; default: as many as there are cores and GPUs for.
        threads: Cores for each group.
        gpus: GPUs for each group.
    """

    address: str | None = None
    jobs: int | None = None
    threads: int = 1
    gpus: int = 0
    name: str = "cluster"

    @property
    def workers(self) -> int:
        """How many groups it works on at once.

        Raises:
            InputError: No cluster answers at the address.
            MissingExtraError: Ray is not installed.
        """
        if self.jobs is not None:
            return self.jobs
        ray = _import_ray()
        if self.address is None and not self.gpus and not ray.is_initialized():
            return max(1, usable_cores() // self.threads)  # known without the seconds that a start takes
        with self._connected() as ray:
            return max(1, self._room(ray.nodes()))

    def map(self, task: Task, groups: Sequence[Group]) -> Iterator[RunReport]:
        """Yield reports as groups end; what was lost with a worker or node is told when the others have ended.

        Raises:
            InputError: No cluster answers at the address.
            MissingExtraError: Ray is not installed.
            WorkersLostError: A worker or a node was lost before its group ended.
            TrainingError: No node is large enough, or the task cannot be sent.
        """
        with self._connected() as ray:
            room = self._room(ray.nodes())
            if not room:
                raise TrainingError(
                    f"no node of the cluster has the {self.threads} cores ({argument('threads')}) and {self.gpus} GPUs "
                    "that a run needs; ask for fewer threads, or start such a node first."
                )
            shared = _put(ray, task)
            # Lost work is asked for again by the ledger, which knows what was finished; Ray must not repeat it as well.
            call = ray.remote(_call).options(
                num_cpus=self.threads, num_gpus=self.gpus, max_retries=0, scheduling_strategy="SPREAD"
            )
            # Beyond the room there is, a few wait at the cluster: one that can grow then grows.
            most = self.jobs or 2 * room
            waiting = iter(groups)
            flying: list[Any] = []
            lost: list[Exception] = []
            try:
                while True:
                    flying += [call.remote(shared, group) for group in islice(waiting, most - len(flying))]
                    if not flying:
                        break
                    (ended,), flying = ray.wait(flying)
                    try:
                        yield from ray.get(ended)
                    except ray.exceptions.RayError as error:
                        cause = getattr(error, "cause", error)  # what a task raised, or Ray before it began
                        if not isinstance(cause, ray.exceptions.RayError):
                            reason = f"{type(cause).__name__}: {cause}"
                            raise TrainingError(f"a node of the cluster cannot do a run: {reason}") from error
                        lost.append(cause)
            finally:
                _stop(ray, flying)
            if lost:
                reason = str(lost[0]).partition("\n")[0]
                raise WorkersLostError(f"a worker or a node of the cluster was lost: {reason}") from lost[0]

    def _room(self, nodes: Sequence[dict[str, Any]]) -> int:
        """Return how many groups the nodes have room for."""
        free = [node["Resources"] for node in nodes if node["Alive"]]
        rooms = [node.get("CPU", 0) // self.threads for node in free]
        if self.gpus:
            rooms = [min(room, node.get("GPU", 0) // self.gpus) for room, node in zip(rooms, free, strict=True)]
        return int(sum(rooms))

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        ray = _import_ray()
        if ray.is_initialized():
            yield ray
            return
        if self.address is not None:
            where: dict[str, Any] = {"address": self._reached(self.address)}
        else:
            cores = max(usable_cores(), self.threads, (self.jobs or 0) * self.threads)
            # A Ray for this machine alone need not be seen from others.
            where = {"address": "local", "num_cpus": cores, "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
        # Ray would report its use over the network, and print on standard output what the ledger tells already.
        silent = patch("ray._private.worker.listen_error_messages", lambda *_: None, create=True)
        with patch.dict(os.environ, RAY_USAGE_STATS_ENABLED="0"), silent, _termination_kept():
            try:
                ray.init(**where, log_to_driver=False, logging_level=logging.ERROR)
            except (ConnectionError, RuntimeError, ValueError, OSError) as error:
                raise self._unreachable(str(error).partition("\n")[0]) from error
        try:
            yield ray
        finally:
            ray.shutdown()

    def _reached(self, address: str) -> str:
        """Return the address with its port, once the cluster's nodes answer; Ray itself would wait for ever."""
        if address.startswith("ray://"):  # whose server stands for all nodes
            return address
        host, _, port = address.partition(":")
        full = f"{host}:{port or _PORT}"
        try:
            if address == "auto":
                check_nodes(found_address())
                return address
            socket.create_connection((host, int(port or _PORT)), timeout=ANSWER_S).close()
            check_nodes(full)
        except (OSError, ValueError, OverflowError) as error:
            raise self._unreachable(str(error)) from error
        return full

    def _unreachable(self, reason: str) -> InputError:
        reason = reason.rstrip(".")
        if self.address is None:
            return InputError(f"Ray cannot be started on this machine: {reason}. Choose another engine.")
        return InputError(
            f"no Ray cluster can be used at the address {self.address!r}: {reason}. Start one with `ray start --head`, "
            "or give no address, for a Ray on this machine alone."
        )


@contextmanager
def _termination_kept() -> Iterator[None]:
    """Keep what this process does on SIGTERM; Ray would print what it was at, and abort."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def _call(task: Task, group: Group) -> list[RunReport]:
    return task(group)


def _stop(ray: Any, calls: list[Any]) -> None:
    """End calls that nobody waits for any more; first they may clean up behind them."""
    for force in (False, True):
        for call in calls:
            ray.cancel(call, force=force)
        if calls:
            _, calls = ray.wait(calls, num_returns=len(calls), timeout=_STOP_S)


def _put(ray: Any, task: Task) -> Any:
    try:
        return ray.put(task)
    except (PicklingError, TypeError, AttributeError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise TrainingError(
            f"a run cannot be sent to the cluster: {reason}. Choose the engine 'serial', or define what it needs in a "
            "module that can be imported on every node."
        ) from error


def _import_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError(
            "the engine 'cluster' needs the package ray; install it with: pip install 'reseed[cluster]'."
        ) from error
    return ray
