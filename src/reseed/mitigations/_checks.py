"""Refusing options of mitigations that make no sense."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reseed._bounds import check_bound
from reseed._errors import RecipeError
from reseed._numbers import is_whole

if TYPE_CHECKING:
    from reseed.mitigations._mitigation import AbstractMitigation


def check_option(method: AbstractMitigation, field: str, is_valid: bool, expected: str) -> None:
    """Accept a field's value.

    Raises:
        RecipeError: It is not valid; the message names method and field.
    """
    if not is_valid:
        raise RecipeError(f"mitigation {method.name}: {field} must be {expected}, got {getattr(method, field)!r}.")


def check_networks(method: AbstractMitigation, field: str, least: int, why: str = "") -> None:
    """Accept a field's number of networks that are trained for each run.

    Args:
        method: The method.
        field: The field's name.
        least: The fewest.
        why: Why not fewer, for the error.

    Raises:
        RecipeError: It is no whole number, too small or above the bound; the message names method and field.
    """
    value = getattr(method, field)
    check_option(method, field, is_whole(value) and value >= least, f"{least} or more{why}")
    check_bound("networks", value, f"mitigation {method.name}: {field}", RecipeError)
