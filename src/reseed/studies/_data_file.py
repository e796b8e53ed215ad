"""The file of a study whose data was in memory: `data.parquet`, both splits as they were."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from reseed._arguments import argument
from reseed._errors import ReseedError, StudyError
from reseed._foreign import check_regular, damage_told, parse_json, reason
from reseed._limits import check_size
from reseed.data import Dataset, Splits, digest_of
from reseed.studies._files import inside, replace_table
from reseed.studies._table_file import number_rows, numbers_of, read_columns, values_of

if TYPE_CHECKING:
    import pyarrow as pa

DATA_FILE = "data.parquet"
_ABOUT = b"data"
_TYPES = {"sample_id": "string", "label": "int64", "is_evaluation": "bool"}


def write_data(root: Path, splits: Splits | None) -> None:
    """Write the data of a study that begins, by rename; without any, remove that of one that did not begin.

    A file of the same data stays: it may be one that studies which are trained together share, see `link_data`.
    """
    import pyarrow as pa

    if splits is None:
        (root / DATA_FILE).unlink(missing_ok=True)
        return
    digest = digest_of(splits)
    if _digest_in(root) == digest:
        return
    parts, first = (splits.train, splits.evaluation), splits.train
    columns: dict[str, Any] = {
        "sample_id": [name for part in parts for name in part.sample_ids],
        "label": np.concatenate([part.labels.numpy() for part in parts]),
        "is_evaluation": np.repeat([False, True], [len(part) for part in parts]),
    }
    if first.is_text:
        columns["text"] = [text for part in parts for text in part.inputs]
    else:
        columns["values"] = number_rows(np.concatenate([np.asarray(part.inputs) for part in parts]))
    about = {
        "names": [part.name for part in parts],
        "splits": [part.split for part in parts],
        "class_names": first.class_names,
        "feature_names": [part.feature_names for part in parts],
        "divisors": [part.divisor for part in parts],
        "shape": first.input_shape,
        "notes": splits.notes,
        "digest": digest,
    }
    table = pa.table(columns).replace_schema_metadata({_ABOUT: json.dumps(about).encode()})
    replace_table(root / DATA_FILE, table)


def link_data(others: Iterable[Path], root: Path) -> None:
    """Give a study that begins the data of another one, as one file under two names: each folder stays whole by itself.

    Where that cannot be, on a file system without such links, nothing is done, and the study writes a copy.

    Args:
        others: Folders of studies of the same data, which may not be there.
        root: The study's folder.
    """
    for other in others:
        file = other / DATA_FILE
        if file.is_file() and not file.is_symlink() and not (root / DATA_FILE).exists():
            with suppress(OSError):
                root.mkdir(parents=True, exist_ok=True)
                os.link(file, root / DATA_FILE)


def _digest_in(root: Path) -> str | None:
    """Return the digest of the data that a study's file says it holds; None where there is none."""
    import pyarrow.parquet as pq

    path = inside(root, DATA_FILE)
    try:
        check_regular(path)
        check_size(path.stat().st_size, repr(str(path)), StudyError)
        found = parse_json((pq.read_metadata(path).metadata or {})[_ABOUT].decode())["digest"]
    except (OSError, ValueError, LookupError, TypeError, ReseedError):
        return None
    return found if isinstance(found, str) else None


def read_data(root: Path, digest: str) -> Splits:
    """Read what `write_data` wrote.

    Args:
        root: The study's folder.
        digest: That of the data which the study's recipe names.

    Raises:
        StudyError: The file is missing, unreadable, damaged or of other data, leads outside the study, or takes more to
            read than `reseed.max_bytes` allows.
    """
    import pyarrow as pa

    path = inside(root, DATA_FILE)
    with damage_told(
        (OSError, ValueError, LookupError, TypeError, pa.ArrowException),
        lambda error: (
            f"cannot read {str(path)!r}, the data that was in memory when the study began: {reason(error)}. Bring the "
            f"file back, or measure the data again with another {argument('out')}."
        ),
    ):
        splits = _splits(read_columns(path, _known_columns, ("sample_id", "text")))
        if digest_of(splits) != digest:
            raise ValueError("it holds other data than the recipe names")
    return splits


def _known_columns(schema: pa.Schema) -> list[str]:
    """Return the names of the columns that samples are made of, which are there and of the right types.

    Raises:
        ValueError: One is missing or of another type.
    """
    import pyarrow as pa

    found = {field.name: field.type for field in schema}
    types: dict[str, list[str]] = {name: [kind] for name, kind in _TYPES.items()}
    inputs = "text" if "text" in found else "values"
    wrong = [name for name, kinds in types.items() if str(found.get(name)) not in kinds]
    kind = found.get(inputs)
    is_text = inputs == "text" and str(kind) == "string"
    are_numbers = kind is not None and pa.types.is_fixed_size_list(kind) and kind.value_type == pa.float32()
    if wrong or len(found) < len(schema) or not (is_text or are_numbers):
        raise ValueError(f"its columns are {schema.names}, and not those of data")
    return [*_TYPES, inputs]


def _splits(table: pa.Table) -> Splits:
    about = parse_json((table.schema.metadata or {})[_ABOUT].decode())
    ids, labels = values_of(table.column("sample_id")), table.column("label").to_numpy()
    is_evaluation = table.column("is_evaluation").to_numpy()
    is_text = "text" in table.column_names
    texts = values_of(table.column("text")) if is_text else ()
    values = None if is_text else numbers_of(table.column("values"), "values").reshape(len(ids), *about["shape"])
    parts = []
    for number, places in enumerate((np.flatnonzero(~is_evaluation), np.flatnonzero(is_evaluation))):
        names = about["feature_names"][number]
        parts.append(
            Dataset(
                about["names"][number],
                about["splits"][number],
                tuple(texts[place] for place in places) if values is None else torch.from_numpy(values[places]),
                torch.from_numpy(labels[places].astype(np.int64)),
                tuple(ids[place] for place in places),
                tuple(about["class_names"]),
                None if names is None else tuple(names),
                about["divisors"][number],
            )
        )
    return Splits(parts[0], parts[1], tuple(map(str, about["notes"])))
