"""Checks of the settings of attacks, which name the setting."""

from __future__ import annotations

from collections.abc import Mapping

from reseed._errors import InputError
from reseed._numbers import check_whole


def check_counts(**counts: int) -> None:
    """Accept whole numbers of 1 or more.

    Raises:
        InputError: One is none.
    """
    for name, value in counts.items():
        check_whole(name, value)


def check_above_zero(meanings: Mapping[str, str], **values: float) -> None:
    """Accept numbers above 0.

    Args:
        meanings: What each number is, for the message, by its name.
        **values: The numbers.

    Raises:
        InputError: One is not.
    """
    for name, value in values.items():
        if not 0 < value < float("inf"):
            raise InputError(f"{name} must be above 0, {meanings[name]}, got {value!r}.")
