"""What the values under a name are, in one form for all lenses and all outputs."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

if TYPE_CHECKING:
    import pyarrow as pa

Direction = Literal["higher_is_worse", "lower_is_worse", "none"]
HIGHER: Direction = "higher_is_worse"
LOWER: Direction = "lower_is_worse"
NONE: Direction = "none"


@final
@dataclass(frozen=True)
class Column:
    """What the values under a name are.

    Attributes:
        about: What they are, in words.
        direction: ``higher_is_worse``, ``lower_is_worse``, or ``none`` where neither is.
        range: Where they lie, an interval in which R is the number of runs, K of classes, T of checkpoints; empty for
            what is no quantity.
        unit: Of what they are; empty for what is no quantity.
        source: The function that computes them, or ``data``: what was predicted, or ``recorded``: what the runs
            answered, or ``groups``: `reseed.instability.sample_groups`.
    """

    about: str
    direction: Direction
    range: str
    unit: str
    source: str

    def ends(self, **sizes: float) -> tuple[float, float]:
        """Return the ends of the range as numbers, infinite where they are not known.

        Args:
            sizes: What its letters stand for.

        Examples:
            >>> entropy = Column("entropy over runs", HIGHER, "[0, ln(min(K, R))]", "nats", "label_entropy")
            >>> entropy.ends(), entropy.ends(K=1, R=5)
            ((0.0, inf), (0.0, 0.0))
        """
        low, _, high = self.range.removeprefix("[").removesuffix("]").partition(", ")
        return _end(low, sizes, -math.inf), _end(high, sizes, math.inf)

    @property
    def metadata(self) -> dict[str, str]:
        """Everything by name, as outputs carry it."""
        return {
            "description": self.about,
            "direction": self.direction,
            "range": self.range,
            "unit": self.unit,
            "source": self.source,
        }

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> Column:
        """Return the column whose `metadata` this is.

        Raises:
            ValueError: It is none.

        Examples:
            >>> column = Column("its length", HIGHER, "[0, inf]", "words", "lengths")
            >>> Column.from_metadata(column.metadata) == column
            True
        """
        names = ("description", "direction", "range", "unit", "source")
        if not all(isinstance(metadata.get(name), str) for name in names):
            raise ValueError("a column is described by other words than reseed's")
        if (direction := metadata["direction"]) not in (HIGHER, LOWER, NONE):
            raise ValueError(f"a column's direction is {direction!r}")
        found = {"higher_is_worse": HIGHER, "lower_is_worse": LOWER}.get(direction, NONE)
        return cls(metadata["description"], found, metadata["range"], metadata["unit"], metadata["source"])


def _end(text: str, sizes: Mapping[str, float], unknown: float) -> float:
    """Return what an end of a range is as a number; a letter that stands for nothing makes it unknown."""
    try:
        return _number(ast.parse(text.strip(), mode="eval").body, sizes)
    except (KeyError, SyntaxError):
        return unknown


def _number(node: ast.expr, sizes: Mapping[str, float]) -> float:
    """Return the number that an expression of numbers, letters, ``/``, ``-``, ``ln``, ``log2`` and ``min`` is."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id="inf"):
            return math.inf
        case ast.Name(id=letter):
            return sizes[letter]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(operand, sizes)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _number(left, sizes) / _number(right, sizes)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _number(left, sizes) - _number(right, sizes)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            values = [_number(each, sizes) for each in arguments]
            return min(values) if name == "min" else {"ln": math.log, "log2": math.log2}[name](*values)
    raise KeyError(ast.unparse(node))


def describe(table: pa.Table, columns: Mapping[str, Column], notes: Sequence[str] = ()) -> pa.Table:
    """Return a table whose fields say in their metadata what they hold, as far as it is known; see `Column`.

    Args:
        table: One row a sample.
        columns: What there may be in it, by name.
        notes: What the table's own metadata says, under ``notes``, one a line: what a reader should know.

    Examples:
        >>> import pyarrow as pa
        >>> known = {"length": Column("its length", HIGHER, "[0, inf]", "words", "lengths")}
        >>> described = describe(pa.table({"length": [3], "colour": ["red"]}), known)
        >>> described.field("length").metadata[b"unit"], described.field("colour").metadata
        (b'words', None)
    """
    import pyarrow as pa

    fields = []
    for field in table.schema:
        found = columns.get(field.name)
        fields.append(field if found is None else field.with_metadata({**(field.metadata or {}), **found.metadata}))
    told = {b"notes": "\n".join(notes).encode()} if notes else {}
    return table.cast(pa.schema(fields, {**(table.schema.metadata or {}), **told} or None))
