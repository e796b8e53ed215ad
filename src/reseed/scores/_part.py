"""One part of a lens's work: what it found, and how it is kept until all parts are there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from reseed._errors import InputError
from reseed._foreign import parse_json, read_arrays
from reseed.studies import replace_file

Told = Callable[[float], None]  # takes the share of the part that is done


@final
@dataclass(frozen=True, eq=False)
class Part:
    """What a part of an evaluation found.

    Attributes:
        cells: Values of runs and samples, [run, sample] of those that were asked, by name; NaN where there is none.
        of_runs: Numbers of each run, [run], by name.
        numbers: Single numbers with their ends, [value, low, high], by name.
        arrays: What charts are drawn of, by name.
        notes: What a reader should know.
        cost: What it took, by name.
    """

    cells: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    of_runs: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    numbers: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    cost: Mapping[str, float] = field(default_factory=dict)


_KINDS = ("cells", "of_runs", "numbers", "arrays")
_SAID = "said"


def write_part(path: Path, part: Part) -> None:
    """Keep a part in a file, by rename.

    Raises:
        StorageError: It cannot be written.
    """
    said = json.dumps({"notes": list(part.notes), "cost": dict(part.cost)})
    arrays = {f"{kind}.{name}": np.asarray(value) for kind in _KINDS for name, value in getattr(part, kind).items()}

    def write(place: Path) -> None:
        with place.open("wb") as file:
            np.savez(file, **arrays, **{_SAID: np.frombuffer(said.encode(), np.uint8)})  # type: ignore[arg-type]

    replace_file(path, write)


def read_part(path: Path, runs: int, samples: int) -> Part | None:
    """Return a part that was kept; None where there is none that can be read, so that it is made again."""
    try:
        arrays = read_arrays(path)
        said = parse_json(arrays.pop(_SAID).tobytes().decode())
        found: dict[str, dict[str, NDArray[Any]]] = {kind: {} for kind in _KINDS}
        for name, value in arrays.items():
            kind, _, own = name.partition(".")
            found[kind][own] = value
        notes, cost = tuple(map(str, said["notes"])), {str(name): float(each) for name, each in said["cost"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, InputError):
        return None
    for kind, shape in {"cells": (runs, samples), "of_runs": (runs,), "numbers": (3,)}.items():
        if any(value.shape != shape or value.dtype.kind not in "fiub" for value in found[kind].values()):
            return None
    return Part(found["cells"], found["of_runs"], found["numbers"], found["arrays"], notes, cost)
