"""Whether this machine reaches the nodes of a Ray cluster, where Ray itself would wait for ever or end the process."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

ANSWER_S = 10.0
"""How long the cluster has to answer, and each of its nodes."""
_WAIT_S = 60.0  # a node that went away is one of the cluster until Ray has noticed
_LOOK_AGAIN_S = 2.0


def found_address() -> str:
    """Return HOST:PORT of the cluster that this machine is in, or that the environment names.

    Raises:
        ConnectionError: There is none.
    """
    from ray._private.services import canonicalize_bootstrap_address

    return str(canonicalize_bootstrap_address("auto"))


def check_nodes(address: str) -> None:
    """Accept a cluster each of whose nodes can be reached where the cluster says that it is.

    Args:
        address: HOST:PORT of its head.

    Raises:
        ConnectionError: What answers there is no Ray, or some nodes are not reached for a minute.
    """
    from ray.exceptions import RayError

    deadline = time.monotonic() + _WAIT_S
    try:
        while silent := _silent(_nodes(address)):
            if time.monotonic() > deadline:
                raise ConnectionError(
                    f"the cluster answers, but this machine cannot reach its node{'s'[: len(silent) > 1]} at "
                    f"{_listed(silent)}; start nodes with an address that it can reach (ray start --node-ip-address)"
                )
            time.sleep(_LOOK_AGAIN_S)
    except RayError as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise ConnectionError(f"something answers there, but not as a Ray cluster does ({reason})") from error


def _nodes(address: str) -> list[tuple[str, int]]:
    """Return where the living nodes of a cluster say that they are."""
    raylet: Any = import_module("ray._raylet")
    nodes = raylet.GcsClient(address=address).get_all_node_info(timeout=ANSWER_S).values()
    return [(node.node_manager_address, node.node_manager_port) for node in nodes if node.state == 0]  # 0: alive


def _silent(nodes: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return those that do not answer."""
    with ThreadPoolExecutor(min(32, len(nodes)) or 1) as pool:
        return [node for node, answers in zip(nodes, pool.map(_answers, nodes), strict=True) if not answers]


def _answers(node: tuple[str, int]) -> bool:
    try:
        socket.create_connection(node, timeout=ANSWER_S).close()
    except OSError:
        return False
    return True


def _listed(nodes: Sequence[tuple[str, int]]) -> str:
    shown = ", ".join(f"{host}:{port}" for host, port in nodes[:3])
    return shown + (f" and {len(nodes) - 3} more" if len(nodes) > 3 else "")
