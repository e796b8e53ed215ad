"""How much a plan may ask for, in one place: checked before anything is allocated or trained."""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from reseed._errors import InputError

BOUNDS: Mapping[str, int] = MappingProxyType(
    {
        "runs": 10**6,
        "steps": 10**8,
        "checkpoints": 10**6,
        "monitored steps": 10**7,
        "batch_size": 10**8,
        "group": 10**4,
        "threads": 1024,
        "jobs": 4096,
        "retries": 100,
        "networks": 10**4,
        "layers": 10**4,
        "width": 10**6,
        "vocabulary": 10**7,
        "max_length": 10**5,
        "dropout_passes": 1000,
        "seed": 2**128 - 1,
    }
)
"""The largest number of each kind that is accepted: far above what anybody trains, and below what a mistyped number
needs to fill memory or to keep a machine busy for years before a word is said. `docs/scale.md` lists them."""

_SHOWN_IN_FULL = 10**15


def check_bound(
    kind: str, value: float, name: str | None = None, error: type[InputError] = InputError, *, why: str = ""
) -> None:
    """Accept a number that is no larger than the bound of its kind.

    Args:
        kind: Which bound, a key of `BOUNDS`.
        value: The number.
        name: What an error calls it; default: the kind.
        error: The type to raise.
        why: More words for the error, where the number follows from others.

    Raises:
        InputError: It is larger, or no number at all; of type ``error``.

    Examples:
        >>> check_bound("runs", 10**18)
        Traceback (most recent call last):
            ...
        reseed._errors.InputError: runs must be at most 1,000,000, got 1.0e+18.
    """
    if not value <= BOUNDS[kind]:
        raise error(f"{name or kind} must be at most {shown(BOUNDS[kind])}, got {shown(value)}{why}.")


def machine_bytes() -> int:
    """Return how much memory this machine has; where it does not tell, 16 GiB."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, AttributeError):  # macOS and Windows
        return 1 << 34


def shown(value: float) -> str:
    """Return a number as text that people can read, however large it is.

    Examples:
        >>> shown(4096), shown(10**18), shown(2**128 - 1), shown(float("nan"))
        ('4,096', '1.0e+18', '3.4e+38', 'NaN')
    """
    return f"{value:,}" if abs(value) < _SHOWN_IN_FULL else f"{Decimal(value):.1e}"  # `str` refuses large integers
