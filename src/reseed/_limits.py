"""How much reading one file may take; what a file declares is checked before it is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from reseed._arguments import argument
from reseed._errors import DataError, InputError
from reseed._numbers import is_whole

MAX_BYTES = 2 << 30
"""What one file, or one chunk of a recorded array, may take in memory unless the user says otherwise."""
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_limit: ContextVar[int] = ContextVar("reseed_max_bytes", default=MAX_BYTES)


@contextmanager
def max_bytes(limit: int) -> Iterator[None]:
    """Read files inside that take up to ``limit`` bytes in memory, instead of 2 GiB.

    A small file can unpack to any size, so what it declares, or what comes out of it, is held against a limit.

    Args:
        limit: Bytes, one or more.

    Raises:
        InputError: ``limit`` is no such number.

    Examples:
        >>> with max_bytes(1 << 34):
        ...     pass  # reseed.measure("large.csv.gz")
    """
    if not is_whole(limit) or limit < 1:
        raise InputError(f"max_bytes must be a number of bytes, 1 or more, got {limit!r}.")
    token = _limit.set(int(limit))
    try:
        yield
    finally:
        _limit.reset(token)


def bytes_left(taken: int = 0) -> int:
    """Return how many more bytes may be read where some are read already; negative above the limit."""
    return _limit.get() - taken


def check_size(size: int, what: str, error: type[InputError] = DataError) -> None:
    """Accept to read what takes ``size`` bytes in memory.

    Args:
        size: What is declared, or what has come out so far.
        what: Which file or part of it, the beginning of the message.
        error: The type to raise.

    Raises:
        InputError: It is above the limit; of type ``error``.

    Examples:
        >>> check_size(1 << 40, "'labels.npy'")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        reseed._errors.DataError: 'labels.npy' takes 1 TiB or more to read, above the limit of 2 GiB; if it is meant...
    """
    if size > _limit.get():
        raise error(
            f"{what} takes {_shown(size)} or more to read, above the limit of {_shown(_limit.get())}; if it is meant "
            f"to be that large, raise the limit with {argument('reseed.max_bytes')}."
        )


def _shown(size: int) -> str:
    """Return a size in the largest unit that it fills."""
    place = min(max(0, size.bit_length() - 1) // 10, len(_UNITS) - 1)
    filled = size / (1 << 10 * place)
    return f"{filled:.{3 if filled < 1000 else 4}g} {_UNITS[place]}"
