"""Predictions in tables, long and wide: which column is what, and which rows belong together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from reseed._errors import DataError
from reseed._near import did_you_mean
from reseed.data import column_texts, find_column, read_table, table_notes, without_index


@dataclass(frozen=True)
class ColumnNames:
    """What the columns of a table of predictions are called; they are found without regard to case."""

    run: str = "run"
    """Column of a long table that says which run a row belongs to."""
    id: str = "sample_id"
    """Column that identifies the sample; optional in a wide table."""
    label: str = "label"
    """Column of a long table that holds the predicted class."""
    target: str = "target"
    """Column that holds the gold label; optional."""
    text: str = "text"
    """Column that holds what the report shows of a sample; optional."""
    probability_prefix: str = "p_"
    """Prefix of the probability columns of a long table; the class name follows it."""
    runs: tuple[str, ...] = ()
    """Columns of a wide table that hold one run each; default: all that are nothing else."""


USUAL = ColumnNames()
_ROLES = {"run": "runs", "id": "sample ids", "label": "answers", "target": "gold labels", "text": "texts"}


@final
@dataclass(frozen=True, eq=False)
class PredictionTable:
    """A table of predictions, and what its columns are.

    Attributes:
        table: Its rows; columns of delimited files hold text as it is written.
        where: What messages call it.
        names: What the user calls columns.
        columns: The table's column of each role that it has.
        notes: What was left out, in words.
    """

    table: Any
    where: str
    names: ColumnNames
    columns: dict[str, str]
    notes: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path, names: ColumnNames) -> PredictionTable:
        """Read a file.

        Raises:
            DataError: It is unreadable, or lacks a column that was named on purpose.
        """
        wanted = {role: str(getattr(names, role)) for role in _ROLES}
        table, index = without_index(read_table(path, None), {*wanted.values(), *names.runs})
        notes = table_notes(table)
        notes += (f"{path.name}: {', '.join(index)} was left out, an index that pandas wrote.",) if index else ()
        found = cls(table, path.name, names, {}, notes)
        # What was named on purpose comes first: --target label takes the column away from the answers.
        for role in sorted(wanted, key=lambda role: not found.is_named(role)):
            column = find_column(table.column_names, wanted[role])
            if column is None and found.is_named(role):
                raise found.lacks(wanted[role])
            if column is not None and (found.is_named(role) or column not in found.columns.values()):
                found.columns[role] = column
        return found

    def is_named(self, role: str) -> bool:
        """Whether the user named the column of a role, instead of leaving it at its usual name."""
        return bool(getattr(self.names, role) != getattr(USUAL, role))

    def lacks(self, name: str) -> DataError:
        """Return what to raise where a column is needed that is not there."""
        names = self.table.column_names
        return DataError(f"{self.where} has no column {name!r}.{did_you_mean(name, names)} It has: {', '.join(names)}.")

    def values(self, role: str) -> NDArray[Any] | None:
        """Return a role's values as text, [sample]; None where the table has no such column.

        Raises:
            DataError: A value is missing, or the column holds neither text nor numbers.
        """
        return self.column(self.columns[role], may_be_empty=role == "text") if role in self.columns else None

    def needed(self, role: str) -> NDArray[Any]:
        """Return a role's values as text, [sample].

        Raises:
            DataError: The table has no such column.
        """
        values = self.values(role)
        if values is None:
            raise self.lacks(getattr(self.names, role))
        return values

    def column(self, name: str, *, may_be_empty: bool = False) -> NDArray[Any]:
        """Return a column's values as text, [sample]: whole numbers without a point, all else as it is written.

        Raises:
            DataError: A value is missing, or its type is no text and no number.
        """
        import pyarrow as pa

        kind = self.table.column(name).type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            raise DataError(f"{self.where}: column {name!r} is of type {kind}; it must hold text or numbers.")
        values = np.array(column_texts(self.table, name, self.where), dtype=object)
        is_missing = np.array([value is None or (value == "" and not may_be_empty) for value in values.tolist()], bool)
        if is_missing.any():
            row = int(np.flatnonzero(is_missing)[0])
            raise DataError(f"{self.where}: column {name!r} has no value in row {row} (counting from 0).")
        return values

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column's values as numbers, [sample].

        Raises:
            DataError: One is missing or no number.
        """
        values = self.column(name)
        try:
            return values.astype(np.float64)
        except ValueError as error:
            raise DataError(f"{self.where}: column {name!r} must hold probabilities: {error}.") from error

    @property
    def others(self) -> list[str]:
        """The columns that have no role, in their order."""
        return [name for name in self.table.column_names if name not in self.columns.values()]

    @property
    def probability_columns(self) -> list[str]:
        """Those of them that begin with the prefix, sorted."""
        return sorted(name for name in self.others if name.startswith(self.names.probability_prefix))

    def parts(self) -> Iterator[PredictionTable]:
        """Yield the rows of each run, in the order in which runs appear."""
        run = self.needed("run")
        for item in dict.fromkeys(run.tolist()):
            yield replace(self, table=self.table.filter(run == item), where=f"{self.where}, run {item}", notes=())

    def taken(self, used: Sequence[str] = (), *, without: Sequence[str] = ()) -> str:
        """Say what each column was taken for.

        Args:
            used: Columns without a role that were used.
            without: Roles that the kind of table does not have.
        """
        roles = {role: what for role, what in _ROLES.items() if role in self.columns and role not in without}
        told = [f"{what} from {self.columns[role]!r}" for role, what in roles.items()]
        unused = [name for name in self.table.column_names
                  if name not in used and name not in {self.columns[role] for role in roles}]  # fmt: skip
        told += [f"not used: {_listed(unused)}"] if unused else []
        return f"{self.where}: {'; '.join(told)}."


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:8])
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown


def check_names(names: ColumnNames) -> None:
    """Accept names of columns.

    Raises:
        DataError: One that everything depends on is empty.
    """
    for item in fields(ColumnNames):
        if item.name != "runs" and not getattr(names, item.name):
            if item.name == "probability_prefix":
                raise DataError("the prefix of probability columns is empty, so every column would be one; name it.")
            raise DataError(f"the name of the {item.name} column is empty; name a column, or leave the option out.")
