"""The file of a study whose training samples were corrupted on purpose: `corruption.parquet`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reseed._foreign import damage_told, parse_json, reason
from reseed.data import CorruptionRecord
from reseed.studies._files import inside, replace_table
from reseed.studies._table_file import read_columns, values_of

if TYPE_CHECKING:
    import pyarrow as pa

CORRUPTION_FILE = "corruption.parquet"
_TYPES = {
    "sample_id": "string",
    "label_true": "int64",
    "label_given": "int64",
    "is_selected": "bool",
    "is_changed": "bool",
}
_ABOUT = b"corruption"
_WORD = re.compile("[a-z][a-z0-9_-]{0,63}")


def write_corruption(root: Path, corruption: CorruptionRecord | None) -> None:
    """Write what was corrupted in a study that begins, by rename; without it, remove that of one that did not begin."""
    import pyarrow as pa

    if corruption is None:
        (root / CORRUPTION_FILE).unlink(missing_ok=True)
        return
    about = {"kind": corruption.kind, "rate": corruption.rate, "statistics": dict(corruption.statistics)}
    columns = (
        list(corruption.sample_ids),
        corruption.true_labels,
        corruption.given_labels,
        corruption.selected,
        corruption.changed,
    )
    table = pa.table(dict(zip(_TYPES, columns, strict=True)))
    replace_table(root / CORRUPTION_FILE, table.replace_schema_metadata({_ABOUT: json.dumps(about).encode()}))


def read_corruption(root: Path, class_names: tuple[str, ...]) -> CorruptionRecord | None:
    """Read what `write_corruption` wrote; None where there is nothing.

    Raises:
        StudyError: The file is unreadable, damaged or of other classes, leads outside the study, or takes more to read
            than `reseed.max_bytes` allows.
    """
    import pyarrow as pa

    path = inside(root, CORRUPTION_FILE)
    if not path.exists():
        return None
    with damage_told(
        (OSError, ValueError, pa.ArrowException),
        lambda error: (
            f"cannot read {str(path)!r}: {reason(error)}. Which training samples were corrupted is not known without "
            "it; bring it back."
        ),
    ):
        found = _corruption(read_columns(path, _known_columns, ["sample_id"]), len(class_names))
    return found


def _known_columns(schema: pa.Schema) -> list[str]:
    """Return the names of the columns, which are there and of the right types.

    Raises:
        ValueError: One is missing or of another type.
    """
    for name, kind in _TYPES.items():
        found = [str(field.type) for field in schema if field.name == name]
        if found != [kind]:
            raise ValueError(f"it has columns {name!r} of the types {found}, and should have one of {kind}")
    return list(_TYPES)


def _corruption(table: pa.Table, num_classes: int) -> CorruptionRecord:
    about = parse_json(((table.schema.metadata or {}).get(_ABOUT) or b"null").decode())
    if not isinstance(about, dict) or not isinstance(kind := about.get("kind"), str) or not _WORD.fullmatch(kind):
        raise ValueError("it does not say what was done")
    rate, statistics = about.get("rate"), about.get("statistics")
    if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1):
        raise ValueError("its rate is no share")
    if not isinstance(statistics, dict) or not all(map(_is_statistic, statistics.items())):
        raise ValueError("its statistics are no numbers")
    arrays: Mapping[str, Any] = {name: table.column(name).to_numpy() for name in _TYPES if name != "sample_id"}
    ids = values_of(table.column("sample_id"))
    if len(set(ids)) != len(ids):
        raise ValueError("a sample id stands more than once")
    for name in ("label_true", "label_given"):
        if len(ids) and not 0 <= arrays[name].min() <= arrays[name].max() < num_classes:
            raise ValueError(f"{name} holds what is none of the classes")
    return CorruptionRecord(
        kind,
        None if rate is None else float(rate),
        ids,
        arrays["label_true"].astype(np.int64),
        arrays["label_given"].astype(np.int64),
        arrays["is_selected"].astype(bool),
        arrays["is_changed"].astype(bool),
        statistics,
    )


def _is_statistic(item: tuple[str, Any]) -> bool:
    name, value = item
    values = value if isinstance(value, list) else [value]
    return _WORD.fullmatch(name) is not None and all(isinstance(one, int | float) for one in values)
