"""The file of a study's evaluation samples: `evaluation.parquet`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reseed._foreign import damage_told, parse_json, reason
from reseed.studies._files import inside, replace_table
from reseed.studies._samples import Samples
from reseed.studies._table_file import number_rows, numbers_of, read_columns, values_of

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLES_FILE = "evaluation.parquet"
_NAMES = b"names"


def write_samples(root: Path, samples: Samples) -> None:
    """Write the samples beside the runs, once."""
    import pyarrow as pa

    columns: dict[str, Any] = {"sample_id": list(samples.ids), "target": samples.targets}
    if samples.texts is not None:
        columns["text"] = list(samples.texts)
    if samples.images is not None:
        columns["image"] = pa.array(samples.images, pa.binary())
    table = pa.table(columns)
    if samples.features is not None:
        rows = number_rows(samples.features)
        names = None if samples.feature_names is None else {_NAMES: json.dumps(samples.feature_names)}
        table = table.append_column(pa.field("features", rows.type, metadata=names), rows)
    replace_table(root / SAMPLES_FILE, table)


def read_samples(root: Path, class_names: tuple[str, ...], digest: str) -> Samples:
    """Read what `write_samples` wrote.

    Raises:
        StudyError: The file is missing or unreadable, or takes more to read than `reseed.max_bytes` allows.
    """
    import pyarrow as pa

    path = inside(root, SAMPLES_FILE)
    with damage_told(
        (OSError, ValueError, pa.ArrowException),
        lambda error: f"cannot read {str(path)!r}: {reason(error)}. The study is not usable without it.",
    ):
        samples = _samples(read_columns(path, _known_columns, _TEXTS), class_names, digest)
        if not set(samples.targets.tolist()) <= set(range(-1, len(class_names))):
            raise ValueError("a target is none of the classes")
        if len(set(samples.ids)) != len(samples):
            raise ValueError("a sample id stands more than once")
    return samples


_TEXTS = {"sample_id": "string", "text": "string", "image": "binary"}


def _known_columns(schema: pa.Schema) -> list[str]:
    """Return the names of the columns that samples are made of, and their types are as they should be.

    Raises:
        ValueError: One is missing, twice there, or of another type.
    """
    import pyarrow as pa
    import pyarrow.types as kinds

    names = []
    for name in ("sample_id", "target", "text", "image", "features"):
        fields = [field for field in schema if field.name == name]
        if not fields and name in ("text", "image", "features"):
            continue
        if len(fields) != 1:
            raise ValueError(f"it has {len(fields)} columns {name!r}")
        kind = fields[0].type
        fits = {
            "target": kinds.is_integer(kind),
            "features": kinds.is_fixed_size_list(kind) and kind.value_type == pa.float32(),
        }
        if not fits.get(name, str(kind) == _TEXTS.get(name)):
            raise ValueError(f"the column {name!r} is of type {kind}")
        names.append(name)
    return names


def _samples(table: pa.Table, class_names: tuple[str, ...], digest: str) -> Samples:
    import pyarrow as pa

    columns = {name: table.column(name) for name in table.column_names}
    features, names = None, None
    if "features" in columns:
        features = numbers_of(columns["features"], "features")
        names = _feature_names(table.schema.field("features").metadata, features.shape[1])
    return Samples(
        values_of(columns["sample_id"]),
        columns["target"].cast(pa.int64()).to_numpy(),
        class_names,
        values_of(columns["text"]) if "text" in columns else None,
        values_of(columns["image"]) if "image" in columns else None,
        digest,
        features,
        names,
    )


def _feature_names(metadata: dict[bytes, bytes] | None, width: int) -> tuple[str, ...] | None:
    if not metadata or _NAMES not in metadata:
        return None
    names = parse_json(metadata[_NAMES].decode())
    if not isinstance(names, list) or len(names) != width or not all(isinstance(name, str) for name in names):
        raise ValueError(f"the names of the {width} features are not as many texts")
    return tuple(names)
