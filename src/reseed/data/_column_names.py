"""Which of a table's columns is meant by a name."""

from __future__ import annotations

from collections.abc import Sequence


def find_column(columns: Sequence[str], name: str) -> str | None:
    """The column of this name: written just so, else the only one that differs by case or by blanks around it.

    Returns:
        The column as the table calls it; None where there is none, or several that differ so.

    Example:
        >>> find_column(["ID", " Label"], "label"), find_column(["Label", "LABEL"], "label")
        (' Label', None)
    """
    if name in columns:
        return name
    like = [column for column in columns if plain_name(column) == plain_name(name)]
    return like[0] if len(like) == 1 else None


def plain_name(name: str) -> str:
    """A column's name without case and without blanks around it."""
    return name.strip().casefold()
