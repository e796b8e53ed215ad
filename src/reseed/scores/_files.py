"""The files of one lens's scores: a folder of arrays and a table, and the JSON that names it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reseed._errors import InputError, StudyError
from reseed._foreign import check_regular, damage_told, parse_json, read_text, reason
from reseed._limits import check_size
from reseed._parquet import check_parquet
from reseed.scores._chart import Chart
from reseed.scores._columns import Column
from reseed.scores._scores import Scores, Split
from reseed.studies import create_array, inside, open_numbers, replace_json, replace_table, storing

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1
SAMPLES = "samples.parquet"
_DATA = re.compile(r"(evaluation|train)-[0-9a-f]{8}")
_ARRAYS = {"by_run": ("run", "sample"), "of_runs": ("run",), "series": ("run", "step")}
_ID = "sample_id"


def write_scores(folder: Path, name: str, scores: Scores, digest: str) -> None:
    """Write scores into a folder of their lens: first the data under a new name, then the JSON that names it.

    Args:
        folder: The lens's own.
        name: That of the data, which is not there yet.
        scores: What to write.
        digest: That of the samples.

    Raises:
        InputError: The options, the summary or the cost are nothing that JSON holds, or a column nothing that Parquet
            does.
        StorageError: It cannot be written.
    """
    data = folder / name
    table = _table(scores)
    with storing(data):
        data.mkdir(parents=True)
    replace_table(data / SAMPLES, table)
    for kind, axes in _ARRAYS.items():
        for column, values in getattr(scores, kind).items():
            with storing(data):
                rows = (np.asarray(values[place]) for place in range(len(scores.runs)))
                create_array(data / kind / column, rows, len(scores.runs), axes)
    try:
        replace_json(folder / f"{scores.split}.json", _tree(scores, name, digest))
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"options, summary and cost of the lens {scores.lens!r} must be what JSON holds: {reason(error)}."
        ) from error


def read_scores(folder: Path, split: Split, digest: str, ids: tuple[str, ...] | None, runs: int) -> Scores | None:
    """Return what `write_scores` wrote; None where there is nothing.

    Args:
        folder: The lens's own.
        split: Which samples.
        digest: That of the study's samples.
        ids: The study's samples; None where it does not know them.
        runs: One more than the highest number of a run of the study.

    Raises:
        StudyError: It is damaged, takes more to read than `reseed.max_bytes` allows, or is of other samples.
    """
    path = inside(folder, f"{split}.json")
    try:
        text = read_text(path, error=StudyError)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"the scores {str(path)!r} cannot be read: {reason(error)}.") from error
    with damage_told(
        (KeyError, TypeError, ValueError, AttributeError, OSError),
        lambda error: (
            f"the scores {str(path)!r} are damaged: {reason(error)}. Delete {str(folder)!r}, and have them made again."
        ),
    ):
        tree = parse_json(text)
        if tree["format"] != FORMAT:
            raise ValueError(f"they have format {tree['format']!r}, this version of reseed reads format {FORMAT}")
        if tree["digest"] != digest:
            raise StudyError(
                f"the scores {str(path)!r} are of other samples than this study's; they were moved here. Delete "
                f"{str(folder)!r}."
            )
        if not _DATA.fullmatch(tree["data"]):
            raise ValueError(f"{tree['data']!r} is no name of a folder of scores")
        scores = _scores(tree, folder.name, split, inside(folder, tree["data"]), ids, runs)
    return scores


def data_name(folder: Path, split: Split) -> str | None:
    """Return which folder of data a lens's JSON names; None where there is none that can be read."""
    try:
        found = parse_json(read_text(inside(folder, f"{split}.json"), error=StudyError))["data"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) and _DATA.fullmatch(found) else None


def _table(scores: Scores) -> pa.Table:
    import pyarrow as pa

    columns = {name: values for name, values in scores.samples.items() if name != _ID}
    try:
        return pa.table({_ID: pa.array(scores.ids, pa.string()), **columns})
    except (pa.ArrowException, TypeError) as error:
        raise InputError(
            f"a column of samples of the lens {scores.lens!r} is nothing that Parquet holds: {reason(error)}."
        ) from error


def _tree(scores: Scores, name: str, digest: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "lens": scores.lens,
        "split": scores.split,
        "data": name,
        "digest": digest,
        "runs": list(scores.runs),
        "steps": list(scores.steps),
        "columns": {column: found.metadata for column, found in scores.columns.items()},
        "by_run": list(scores.by_run),
        "of_runs": list(scores.of_runs),
        "series": list(scores.series),
        "summary": dict(scores.summary),
        "groups": {title: list(names) for title, names in scores.groups.items()},
        "notes": list(scores.notes),
        "options": dict(scores.options),
        "cost": dict(scores.cost),
        "charts": [chart.tree for chart in scores.charts],
    }


def _scores(
    tree: Mapping[str, Any], lens: str, split: Split, data: Path, ids: tuple[str, ...] | None, runs: int
) -> Scores:
    if (tree["lens"], tree["split"]) != (lens, split):
        raise ValueError(f"they are of the lens {tree['lens']!r} and the split {tree['split']!r}")
    numbers, steps = _whole(tree["runs"]), _whole(tree["steps"])
    if not all(0 <= run < runs for run in numbers) or len(set(numbers)) < len(numbers):
        raise ValueError("they are of runs that the study does not have")
    table = _read_table(data / SAMPLES)
    known = tuple(table.column(_ID).to_pylist())
    if ids is not None and known != ids:
        raise StudyError(
            f"the scores in {str(data.parent)!r} are of other samples than this study's; delete that folder."
        )
    sizes = {"run": len(numbers), "sample": len(known), "step": len(steps)}
    arrays = {
        kind: {
            name: open_numbers(inside(data, kind, _text(name)), tuple(sizes[axis] for axis in axes))
            for name in tree[kind]
        }
        for kind, axes in _ARRAYS.items()
    }
    return Scores(
        lens=lens,
        ids=known,
        columns={_text(name): Column.from_metadata(found) for name, found in tree["columns"].items()},
        split=split,
        samples={name: table.column(name) for name in table.column_names if name != _ID},
        by_run=arrays["by_run"],
        of_runs={name: np.asarray(values) for name, values in arrays["of_runs"].items()},
        series={name: np.asarray(values) for name, values in arrays["series"].items()},
        runs=numbers,
        steps=steps,
        summary=dict(tree["summary"]),
        groups={_text(title): tuple(map(_text, names)) for title, names in tree.get("groups", {}).items()},
        notes=tuple(map(_text, tree["notes"])),
        options=dict(tree["options"]),
        cost={_text(name): float(value) for name, value in tree["cost"].items()},
        charts=tuple(map(Chart.from_tree, tree["charts"])),
    )


def _read_table(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = inside(path.parent, path.name)
    check_regular(path)
    check_size(path.stat().st_size, repr(str(path)), StudyError)
    try:
        metadata = pq.read_metadata(path)
        names = metadata.schema.to_arrow_schema().names
        if len(set(names)) < len(names) or _ID not in names:
            raise ValueError("its columns are not those of scores")
        check_parquet(path, metadata, names, StudyError)
        with pq.ParquetFile(path, metadata=metadata) as file:
            return file.read(use_threads=False)
    except pa.ArrowException as error:
        raise ValueError(f"{path.name} cannot be read: {reason(error)}") from error


def _whole(values: Any) -> tuple[int, ...]:
    if not isinstance(values, list) or not all(type(value) is int and value >= 0 for value in values):
        raise ValueError("runs or steps are no whole numbers")
    return tuple(values)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value
