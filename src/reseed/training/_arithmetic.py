"""How torch computes while a run trains; set inside a block and put back after it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch

from reseed._arguments import argument
from reseed._bounds import check_bound
from reseed._errors import InputError
from reseed._numbers import is_whole

_LARGE = 512  # numbers of an input


def check_threads(threads: object) -> None:
    """Accept a number of threads.

    Raises:
        InputError: It is below one, or above what any machine has, with which torch ends the process.
    """
    if not is_whole(threads) or threads < 1:
        raise InputError(f"{argument('threads')} must be 1 or more, got {threads!r}.")
    check_bound("threads", threads, argument("threads"))


@contextmanager
def arithmetic(threads: int, *, deterministic: bool = False) -> Iterator[None]:
    """Use that many threads, and perhaps deterministic kernels only, inside; and what there was before outside.

    On a CPU every kernel that reseed uses is deterministic at a given number of threads. On a GPU some add in no fixed
    order unless torch is told otherwise, which costs speed; a kernel that has no deterministic form then raises.

    Args:
        threads: Threads of arithmetic on the CPU.
        deterministic: Whether to use deterministic kernels only.

    Raises:
        InputError: ``threads`` is no number of threads, see `check_threads`.
    """
    check_threads(threads)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with _deterministic() if deterministic else nullcontext():
            yield
    finally:
        torch.set_num_threads(before)


def usual_threads(inputs: torch.Tensor) -> int:
    """Return as many threads as shorten work on inputs [sample, ...]: those of small ones wait for each other."""
    return torch.get_num_threads() if inputs[0].numel() >= _LARGE else 1


@contextmanager
def _deterministic() -> Iterator[None]:
    """Use deterministic kernels only; torch imports its compiler to say so, which takes seconds."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it, before its first use
    before, only_warned = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=only_warned)
