"""How torch computes while a run trains; set inside a block and put back after it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def arithmetic(threads: int, *, deterministic: bool = False) -> Iterator[None]:
    """Use that many threads, and perhaps deterministic kernels only, inside; and what there was before outside.

    On a CPU every kernel that reseed uses is deterministic at a given number of threads. On a GPU some add in no fixed
    order unless torch is told otherwise, which costs speed; a kernel that has no deterministic form then raises.

    Args:
        threads: Threads of arithmetic on the CPU.
        deterministic: Whether to use deterministic kernels only.
    """
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it, before its first use
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic or before[1])
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
