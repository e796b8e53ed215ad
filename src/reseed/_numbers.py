"""Questions about single numbers that several packages ask."""

from __future__ import annotations

from typing import TypeGuard

import numpy as np

from reseed._arguments import argument
from reseed._errors import InputError


def is_whole(value: object) -> TypeGuard[int]:
    """Tell whether a value is an integer of Python or numpy, and no boolean."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def check_whole(name: str, value: object, least: int = 1) -> None:
    """Accept a whole number that is not too small.

    Raises:
        InputError: It is none; the message names the argument.

    Examples:
        >>> check_whole("draws", 0)
        Traceback (most recent call last):
            ...
        reseed._errors.InputError: draws must be a whole number of 1 or more, got 0.
    """
    if not is_whole(value) or value < least:
        raise InputError(f"{argument(name)} must be a whole number of {least} or more, got {value!r}.")


def check_margin(margin: object) -> None:
    """Accept a margin of accuracy, in percentage points.

    Raises:
        InputError: It is no finite number of zero or more.
    """
    is_number = isinstance(margin, int | float | np.number) and not isinstance(margin, bool)
    if not is_number or not 0 <= float(margin) < float("inf"):  # type: ignore[arg-type]  # it is a number
        raise InputError(
            f"{argument('margin')} must be a finite number of percentage points, 0 or more, got {margin!r}; 0.5 lets "
            "accuracy fall by half a point at most."
        )
