"""The device that runs train on."""

from __future__ import annotations

from collections.abc import Callable

import torch

from reseed._arguments import argument, setting
from reseed._errors import InputError
from reseed._near import did_you_mean
from reseed.engines import Engine

AUTO = "auto"
_KINDS = ("cpu", "cuda", "mps", "xpu")
_ONE_PROCESS = (AUTO, "serial", "stacked")  # engines that have a GPU to themselves


def devices(name: str, engine: str | Engine, announce: Callable[[str], None]) -> tuple[str, str]:
    """Return where runs train, and where this process checks before the first run that they can.

    Args:
        name: What the user calls it: ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
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


def chosen_device(engine: str | Engine, began: str | None, announce: Callable[[str], None]) -> str:
    """Return the device where the user leaves it open, and say which one it is where there is a choice.

    A study goes on where it began. A new one trains on a GPU of CUDA if there is one that computes, and the engine
    trains in one process; else on the CPU. Apple's GPUs are left to those who ask for them: they lack double precision.

    Args:
        engine: Where runs execute.
        began: Where the study that is there trains; None for a new one.
        announce: Takes a line for the user.
    """
    if began is not None:
        if began != "cpu" or torch.cuda.is_available():
            announce(f"device: {began}, where the study began")
        return began
    if not torch.cuda.is_available():
        return "cpu"
    if engine not in _ONE_PROCESS:
        called = engine if isinstance(engine, str) else engine.name
        announce(
            f"device: cpu; the engine {called!r} uses a GPU only where {setting('device', 'cuda')} asks for it, since "
            "its processes may have to share one"
        )
        return "cpu"
    if (problem := _problem_of_gpu()) is not None:
        announce(f"device: cpu; there is a GPU, but it cannot be used: {problem}")
        return "cpu"
    announce(f"device: cuda ({torch.cuda.get_device_name()})")
    return "cuda"


def _problem_of_gpu() -> str | None:
    """Return why the GPU computes nothing, such as a version of torch without kernels for it; None where it does."""
    try:
        torch.ones(1, device="cuda").add_(1).item()
    except (RuntimeError, AssertionError) as error:
        return str(error).splitlines()[0]
    return None


def _device(name: str) -> torch.device:
    refused = f"{argument('device')} {name!r} cannot be used here"
    if name.partition(":")[0] not in _KINDS:
        raise InputError(f"{refused}; there are {', '.join(_KINDS)} and {AUTO}.{did_you_mean(name, (*_KINDS, AUTO))}")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"{refused}: {str(error).splitlines()[0]}") from error
    return device
