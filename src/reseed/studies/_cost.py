"""What one run costs: the figures, and the stopwatch that takes those which depend on the machine."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import Any, TypedDict

import torch


class Cost(TypedDict, total=False):
    """What one run cost. A figure that is not known is absent, never 0.

    Runs that reseed trained have all that their machine tells; runs of `reseed.run` have the wall time and the memory
    of the process; imported runs have nothing. Loading data, features of a frozen encoder, the determinism probe and
    starting workers are not in it.
    """

    steps: int
    """Optimisation steps made."""
    samples_seen: int
    """Training samples, as often as they were seen: each is one forward and one backward pass of the training."""
    forward_passes: int
    """Samples predicted for recording: each recorded split at each checkpoint. The training's own are not in it."""
    lesson_passes: int
    """Samples that the run's own teachers predicted for it; absent where a recipe has none. Their training steps and
    samples are in the figures above."""
    shared_steps: int
    """Optimisation steps of teachers that all runs of the study share: made once, and the same figure in every run."""
    shared_samples_seen: int
    """Training samples that shared teachers saw."""
    shared_lesson_passes: int
    """Samples that shared teachers predicted."""
    shared_wall_s: float
    """Seconds that training and asking shared teachers took; absent where an earlier version did not time them."""
    wall_s: float
    """Seconds from drawing the weights to the last prediction, recording included; a stack's are shared evenly."""
    weights_bytes: int
    """Bytes of the files of weights that are kept of the run; 0 where none are, absent where an earlier version of
    reseed trained it."""
    peak_memory_bytes: float
    """Peak resident memory of the process that made the run, since that process started: its libraries, its copy of
    the data and its earlier runs included. All runs of a stack have the stack's."""
    peak_device_memory_bytes: float
    """Peak of what torch held allocated on the accelerator during the run, the data included; absent on a CPU and where
    torch does not tell (mps). All runs of a stack have the stack's."""


class Stopwatch:
    """Wall time and peak memory from its making on.

    Args:
        device: Where runs train. Its allocator's peak is reset.
    """

    def __init__(self, device: str = "cpu") -> None:
        self._device, self._allocator = device, _allocator(device)
        if self._allocator is not None:
            torch.empty(0, device=device)  # an accelerator that nobody has used yet has no figures to reset
            self._allocator.reset_peak_memory_stats(device)
        self._start = time.perf_counter()

    def cost(self, runs: int = 1, before: float = 0.0) -> Cost:
        """Return what each of ``runs`` runs of one program cost: an equal share of the time, all of the peaks.

        Args:
            runs: How many.
            before: Seconds that they took before they were interrupted.
        """
        cost = Cost(wall_s=(before + time.perf_counter() - self._start) / runs)
        if (peak := peak_resident()) is not None:
            cost["peak_memory_bytes"] = peak
        if self._allocator is not None:
            cost["peak_device_memory_bytes"] = float(self._allocator.max_memory_allocated(self._device))
        return cost


def peak_resident() -> float | None:
    """Return the peak resident memory of this process in bytes; None where the system does not tell."""
    if sys.platform == "linux":
        # Not getrusage: its figure begins with what the parent had when it started this process.
        try:
            status = Path("/proc/self/status").read_text()
        except OSError:
            return None
        found = re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE)
        return None if found is None else 1024.0 * int(found[1])
    if sys.platform == "win32":
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def _allocator(device: str) -> Any | None:
    """Return the module that tells the peak of a device's memory; None for the CPU and for mps."""
    module = torch.get_device_module(torch.device(device).type)
    return module if hasattr(module, "max_memory_allocated") else None
