"""Labels that come from outside, as names or as numbers, read in one way for a whole study."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from reseed._arguments import argument
from reseed._errors import InputError

Numbers = Literal["names", "positions"]


def as_array(value: Any, argument: str) -> NDArray[Any]:
    """Return what predictions or labels come in as numpy; torch tensors come from any device.

    Names that do not come as an array become objects: numpy's own strings drop a NUL at the end.

    Raises:
        InputError: Lists have unequal lengths, or values are masked.
    """
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        if value.is_floating_point() and value.itemsize < 4:  # numpy has no bfloat16
            value = value.float()
    if np.ma.is_masked(value):
        masked = int(np.ma.getmaskarray(value).sum())
        raise InputError(f"{argument} is masked at {masked} places; leave these samples out.")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InputError(f"{argument} must be rectangular, got lists of unequal length.") from error
    return np.asarray(value, dtype=object) if array.dtype.kind == "U" and array is not value else array


def label_array(labels: Any, argument: str) -> NDArray[Any]:
    """Return labels as an array of integers, booleans or names; integers beyond 64 bits as objects.

    Raises:
        InputError: One is neither, or there is none.
    """
    values = as_array(labels, argument)
    if values.dtype.kind == "f":
        bad = values[~np.isfinite(values) | (values != np.round(values))]
        if bad.size:
            raise InputError(f"{argument} must be class names or integers, got {bad.flat[0].item()!r}.")
        return _integers([int(item) for item in values.ravel().tolist()], values.shape)
    if values.dtype.kind in "OT":
        items = values.ravel().tolist()
        other = next((item for item in items if not isinstance(item, str | int | np.integer | np.bool_)), items)
        if other is not items:
            raise InputError(f"{argument} must be class names or integers, got {other!r}.")
        if any(isinstance(item, str) for item in items):
            return np.array([str(item) for item in items], dtype=object).reshape(values.shape)
        if items and all(isinstance(item, bool | np.bool_) for item in items):
            return values.astype(bool)
        return _integers([int(item) for item in items], values.shape)
    if values.dtype.kind not in "biuU":
        raise InputError(f"{argument} must be class names or integers, got an array of {values.dtype}.")
    return values


def _integers(items: list[int], shape: tuple[int, ...]) -> NDArray[Any]:
    bounds = np.iinfo(np.int64)
    is_small = all(bounds.min <= item <= bounds.max for item in items)
    return np.array(items, dtype=np.int64 if is_small else object).reshape(shape)


def one_each(labels: Any, argument: str) -> Any:
    """Return one label for each sample, [sample], of what may come as a column [sample, 1] or a frame of one column.

    Raises:
        InputError: There is another number of labels for each sample; the message names what it may be.
    """
    shape: tuple[int, ...] | None = getattr(labels, "shape", None)
    if shape is None:  # a list: its rows tell
        first = next(iter(labels), None)
        shape = (len(labels), len(first)) if isinstance(first, list | tuple) else (len(labels),)
    if len(shape) == 2 and shape[1] == 1:
        return np.asarray(as_array(labels, argument)).reshape(-1)
    if len(shape) != 1:
        raise InputError(
            f"{argument} has shape {tuple(shape)}, but one label for each sample is needed, [sample]; of one-hot rows "
            "pass their argmax, of a table its column. Several labels for one sample cannot be compared."
        )
    return labels


def class_names_of(*labels: Any) -> tuple[str, ...]:
    """Return the sorted distinct labels as names; integers in numerical order.

    Raises:
        InputError: Some labels are names and some are numbers, and none are equal, so that it takes the names of
            the classes to tell which is which.
    """
    parts = [set(label_array(part, "labels").ravel().tolist()) for part in labels]
    distinct = set().union(*parts)
    if not any(isinstance(item, str) for item in distinct):
        is_boolean = all(isinstance(item, bool) for item in distinct)
        return tuple(str(item if is_boolean else int(item)) for item in sorted(distinct))
    are_names = [any(isinstance(item, str) for item in part) for part in parts]
    named = [{str(item) for item in part} for part in parts]
    if len(set(are_names)) == 2 and not set.intersection(*named):
        raise InputError(
            "predictions and targets do not speak of the same classes: one holds names, the other numbers; pass "
            "class_names, the name of each number."
        )
    return tuple(sorted(set().union(*named)))


@final
@dataclass(frozen=True)
class LabelReading:
    """How labels from outside become positions among the classes, decided once for a whole study.

    Text is always a class's name. A whole number, or a boolean, may be one too (classes "3" and "5"), or a position
    (0 is the first class). Which of them is decided from all labels that are known together, since part of them may
    allow both.

    Args:
        class_names: Names of the classes.
        numbers: What numbers are.
        is_told: Whether a reader should be told.

    Examples:
        >>> LabelReading.of(["1", "2", "3"], targets=[1, 1, 2], predictions=[0, 1, 2]).numbers
        'positions'
        >>> LabelReading.of(["1", "2", "3"], targets=[1, 1, 2]).indices([3, 1], "predictions").tolist()
        [2, 0]
    """

    class_names: tuple[str, ...]
    numbers: Numbers
    is_told: bool = False

    @classmethod
    def of(cls, class_names: Sequence[Any], *, are_named: bool = True, **labels: Any) -> LabelReading:
        """Decide how labels are read.

        Numbers are names where all of them are; else positions where all of them are; a mixture is refused. Where
        there are none, they will be names if all classes are called by numbers.

        Args:
            class_names: Names of the classes.
            are_named: Whether somebody gave these names, instead of deriving them from the labels.
            **labels: What is known of the labels, by argument; None where nothing is.

        Raises:
            InputError: Numbers can be read in neither way throughout, or two class names are equal, or there is one
                only.
        """
        names = tuple(map(str, class_names))
        if len(set(names)) != len(names) or len(names) < 2:
            raise InputError(f"{argument('class_names')} must be two or more distinct names, got {names!r}.")
        known = set(names)
        found = {given: label_array(part, given) for given, part in labels.items() if part is not None}
        distinct = {
            argument: [item for item in _distinct(values)[0] if not isinstance(item, str)]
            for argument, values in found.items()
        }
        numbers = [item for items in distinct.values() for item in items]
        if not numbers:
            return cls.without_numbers(names) if are_named else cls(names, "names")
        is_name = {item: _name(item, known) in known for item in numbers}
        is_position = {item: 0 <= item < len(names) for item in numbers}
        only_names = [item for item in numbers if is_name[item] and not is_position[item]]
        only_positions = [item for item in numbers if is_position[item] and not is_name[item]]
        if only_names and only_positions:
            raise InputError(
                f"{' and '.join(argument for argument, items in distinct.items() if items)} hold {only_names[0]!r}, "
                f"which can only be the name of a class, and {only_positions[0]!r}, which can only be a position among "
                f"the classes {shortened(names)}; numbers are read in one way in the whole study. Pass names as text, "
                "or list every class in class_names."
            )
        by_name = bool(only_names) or (not only_positions and any(is_name.values()))
        reading = cls(names, "names" if by_name else "positions", are_named)
        for given, values in found.items():
            reading.indices(values, given)  # says where the first label stands that is no class
        return reading

    @classmethod
    def without_numbers(cls, class_names: Sequence[str]) -> LabelReading:
        """Decide how numbers will be read where none are known yet: as names if all classes are called by numbers."""
        are_numbers = all(map(_is_number, class_names))
        return cls(tuple(class_names), "names" if are_numbers else "positions", are_numbers)

    def indices(self, labels: Any, argument: str) -> NDArray[np.int64]:
        """Return labels as positions among the classes, in their shape.

        Raises:
            InputError: A label is no class; the message names it and where it stands.
        """
        values = label_array(labels, argument)
        distinct, inverse = _distinct(values)
        position = {name: index for index, name in enumerate(self.class_names)}
        found = [self._index(item, position) for item in distinct]
        if -1 in found:
            bad = distinct[found.index(-1)]
            where = tuple(int(axis) for axis in np.argwhere(values == bad)[0])
            how = "" if isinstance(bad, str) or not self._matters else f" (numbers are {self._explained})"
            raise InputError(
                f"{argument} holds {bad!r} at position {where}, which is none of the {len(self.class_names)} classes "
                f"{shortened(self.class_names)}{how}; class_names must list every class."
            )
        return np.array(found, dtype=np.int64)[inverse].reshape(values.shape)

    def _index(self, item: Any, position: dict[str, int]) -> int:
        if isinstance(item, str) or self.numbers == "names":
            return position.get(_name(item, position), -1)
        return int(item) if 0 <= item < len(self.class_names) else -1

    @property
    def _matters(self) -> bool:
        """Whether the two readings differ."""
        return any(name != str(index) for index, name in enumerate(self.class_names))

    @property
    def _explained(self) -> str:
        return "names of classes" if self.numbers == "names" else f"positions: 0 is {self.class_names[0]!r}"

    def note(self) -> tuple[str, ...]:
        """Return a sentence that says how numbers are read, where somebody could have meant it otherwise."""
        if not self.is_told or not self._matters:
            return ()
        return (f"Labels that are numbers are {self._explained}; this holds for all runs and targets.",)


def _name(item: Any, known: Container[str]) -> str:
    """Return what a label is called; booleans are 0 and 1 where no class is called by them."""
    return str(int(item)) if isinstance(item, bool) and str(item) not in known else str(item)


def _is_number(name: str) -> bool:
    return name.removeprefix("-").isdecimal()


def _distinct(values: NDArray[Any]) -> tuple[list[Any], NDArray[np.int64]]:
    """Return the sorted distinct values, and the position among them of each value, flat."""
    if values.dtype.kind != "O":
        distinct, inverse = np.unique(values, return_inverse=True)
        return distinct.tolist(), inverse.ravel()
    items = values.ravel().tolist()
    names = sorted(set(items))
    position = {name: index for index, name in enumerate(names)}
    return names, np.fromiter((position[item] for item in items), np.int64, len(items))


def shortened(names: Sequence[str]) -> str:
    """Return the first few names for a message."""
    shown = ", ".join(repr(name) for name in names[:5])
    return f"({shown}{', ...' if len(names) > 5 else ''})"
