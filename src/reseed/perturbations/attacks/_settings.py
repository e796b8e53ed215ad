"""Settings of attacks: what they must be."""

from __future__ import annotations

import math

from reseed._errors import InputError
from reseed._numbers import is_whole


def check_counts(attack: object, *names: str, least: int = 1) -> None:
    """Accept settings that count something.

    Raises:
        InputError: One is no whole number, or too small; the message names it.
    """
    for name in names:
        value = getattr(attack, name)
        if not is_whole(value) or value < least:
            raise InputError(f"{name} must be a whole number of {least} or more, got {value!r}.")


def check_positive(attack: object, *names: str) -> None:
    """Accept settings that are sizes.

    Raises:
        InputError: One is not above 0 and finite; the message names it.
    """
    for name in names:
        value = getattr(attack, name)
        if not 0 < value < math.inf:
            raise InputError(f"{name} must be above 0 and finite, got {value!r}.")
