"""What one run costs: the figures, and the stopwatch that takes those which depend on the machine."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import torch

_OTHERS = 0.5  # load of what else goes on on a machine that nobody uses


class Cost(TypedDict, total=False):
    """What one run cost. A figure that is not known is absent, never 0.

    Runs that reseed trained have all that their machine tells; runs of `reseed.run` have the wall time and the memory
    of the process; imported runs have nothing. Loading data, features of a frozen encoder, the determinism probe and
    starting workers are not in it.
    """

    steps: int
    """Optimisation steps made."""
    samples_seen: int
    """Training samples, as often as they were seen: each is one forward and one backward pass of the training. What a
    method takes before the first step is in it, see `reseed.mitigations.AbstractMitigation.samples_before`."""
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
    shared_cpu_s: float
    """Seconds of processor time that they took, of all threads; absent where an earlier version did not count it."""
    wall_s: float
    """Seconds from drawing the weights to the last prediction, recording included; a stack's are shared evenly."""
    cpu_s: float
    """Seconds of processor time of the same, those of all threads together; a stack's are shared evenly. What a GPU
    does is not in it. Absent where an earlier version of reseed trained the run."""
    weights_bytes: int
    """Bytes of the files of weights that are kept of the run; 0 where none are, absent where an earlier version of
    reseed trained it."""
    peak_memory_bytes: float
    """Peak resident memory of the process that made the run, since that process started: its libraries, its copy of
    the data and its earlier runs included. All runs of a stack have the stack's."""
    peak_device_memory_bytes: float
    """Peak of what torch held allocated on the accelerator during the run, the data included; absent on a CPU and where
    torch does not tell (mps). All runs of a stack have the stack's."""


class Taken(NamedTuple):
    """How long something took."""

    wall_s: float = 0.0
    """Seconds that a clock showed."""
    cpu_s: float = 0.0
    """Seconds of processor time of all threads of this process."""

    @classmethod
    def now(cls) -> Taken:
        """Return the time by both clocks, for differences."""
        return cls(time.perf_counter(), time.process_time())

    def since(self, start: Taken) -> Taken:
        """Return how much later than ``start`` this is."""
        return Taken(self.wall_s - start.wall_s, self.cpu_s - start.cpu_s)


NOTHING = Taken()
"""What something took that has not begun."""


class Stopwatch:
    """Wall time, processor time and peak memory from its making on.

    Args:
        device: Where runs train. Its allocator's peak is reset.
        threads: How many threads they may keep busy.
    """

    def __init__(self, device: str = "cpu", threads: int = 1) -> None:
        self._device, self._allocator = device, _allocator(device)
        if self._allocator is not None:
            torch.empty(0, device=device)  # an accelerator that nobody has used yet has no figures to reset
            self._allocator.reset_peak_memory_stats(device)
        self._threads, self._was_quiet = threads, is_quiet(threads)
        self._start = Taken.now()

    @property
    def had_machine(self) -> bool:
        """Whether nothing else kept the machine busy, as far as its load tells then and now."""
        return self._was_quiet and is_quiet(self._threads)

    def cost(self, runs: int = 1, before: Taken = NOTHING) -> Cost:
        """Return what each of ``runs`` runs of one program cost: an equal share of the time, all of the peaks.

        Args:
            runs: How many.
            before: How long they took before they were interrupted.
        """
        taken = Taken.now().since(self._start)
        cost = Cost(wall_s=(before.wall_s + taken.wall_s) / runs, cpu_s=(before.cpu_s + taken.cpu_s) / runs)
        if (peak := peak_resident()) is not None:
            cost["peak_memory_bytes"] = peak
        if self._allocator is not None:
            cost["peak_device_memory_bytes"] = float(self._allocator.max_memory_allocated(self._device))
        return cost


def is_quiet(threads: int) -> bool:
    """Whether the machine's load in the last minute is no more than what so many busy threads make of it.

    False where the system does not tell.
    """
    try:
        return os.getloadavg()[0] < threads + _OTHERS
    except (AttributeError, OSError):  # no system but Unix has it
        return False


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
