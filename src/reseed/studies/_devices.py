"""The device that runs train on."""

from __future__ import annotations

from collections.abc import Callable

import torch

from reseed._arguments import argument
from reseed._errors import InputError
from reseed.engines import Engine


def devices(name: str, engine: str | Engine, announce: Callable[[str], None]) -> tuple[str, str]:
    """Return where runs train, and where this process checks before the first run that they can.

    Args:
        name: What the user calls it: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
        engine: Where runs execute.
        announce: Takes a line for the user.

    Raises:
        InputError: The device cannot be used.
    """
    if engine == "cluster" and name.startswith("cuda:"):
        raise InputError(
            f"{argument('device')} is {name!r}, but a cluster gives each run a GPU of its own; say 'cuda'."
        )
    try:
        here = str(_device(name))
        return here, here
    except InputError:
        if engine != "cluster" or name != "cuda":
            raise
    announce("this machine has no GPU: what is checked before the first run is checked on the CPU")
    return name, "cpu"


def _device(name: str) -> torch.device:
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        if device.type not in ("cpu", "cuda", "mps", "xpu"):
            raise RuntimeError("no training happens on such a device.")
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {name!r} cannot be used here: {str(error).splitlines()[0]}") from error
    return device
