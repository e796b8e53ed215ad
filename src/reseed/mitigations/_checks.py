"""Refusing options of mitigations that make no sense."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reseed._errors import RecipeError

if TYPE_CHECKING:
    from reseed.mitigations._mitigation import AbstractMitigation


def check_option(method: AbstractMitigation, field: str, is_valid: bool, expected: str) -> None:
    """Accept a field's value.

    Raises:
        RecipeError: It is not valid; the message names method and field.
    """
    if not is_valid:
        raise RecipeError(f"mitigation {method.name}: {field} must be {expected}, got {getattr(method, field)!r}.")
