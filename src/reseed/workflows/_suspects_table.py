"""The suspicious samples as a table that people and tools read, with pictures beside it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reseed.data import previews
from reseed.scores import Scores
from reseed.studies import Study, data_for
from reseed.workflows._formulas import without_formulas

if TYPE_CHECKING:
    import pyarrow as pa

PICTURES = "suspects"
_MOST_PICTURES = 1000


def suspects_table(study: Study, scores: Scores) -> tuple[pa.Table, dict[str, bytes]]:
    """Return the samples whose labels are thought wrong, the most suspicious first, and their pictures by file name.

    Columns: ``sample_id``; ``text``, or ``image``, the path of a picture below the study's folder; ``given_label``,
    ``likely_label``, ``score``; and as cleanlab calls them ``is_label_issue``, ``label_quality`` (lower is more
    suspicious), ``predicted_label``.

    Args:
        study: Whose training samples they are.
        scores: What the lens says of them.
    """
    import pyarrow as pa

    recipe = study.recipe
    assert recipe is not None  # noqa: S101 (there are scores of its training split)
    train = data_for(recipe, study.path).train
    suspicion = np.asarray(scores.samples["suspicion"], np.float64)
    is_issue = np.asarray(scores.samples["is_label_issue"], np.bool_)
    order = np.argsort(-suspicion, kind="stable")
    places = order[is_issue[order]]
    table = scores.table.take(pa.array(places, pa.int64()))
    likely = table["likely_label"]
    columns: dict[str, Any] = {"sample_id": table["sample_id"]}
    pictures: dict[str, bytes] = {}
    shown = previews(train, [int(place) for place in places])
    if any(isinstance(item, bytes) for item in shown):
        names = [f"{PICTURES}/{number:04}.png" if number < _MOST_PICTURES else "" for number in range(len(shown))]
        pictures = {name: item for name, item in zip(names, shown, strict=True) if name and isinstance(item, bytes)}
        columns["image"] = pa.array(names, pa.string())
    else:
        columns["text"] = pa.array([str(item) for item in shown], pa.string())
    columns |= {"given_label": table["given_label"], "likely_label": likely, "score": table["suspicion"]}
    columns |= {"is_label_issue": table["is_label_issue"], "label_quality": table["label_quality"]}
    columns["predicted_label"] = table["predicted_label"] if "predicted_label" in table.column_names else likely
    return pa.table(columns), pictures


def csv_writer(table: pa.Table) -> Callable[[Path], None]:
    """Return what writes a table as CSV, whose texts no spreadsheet takes for formulas."""
    return partial(_write_csv, without_formulas(table))


def _write_csv(table: pa.Table, path: Path) -> None:
    import csv

    # Not Arrow's writer, which quotes otherwise than spreadsheets read.
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(table.column_names)
        writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
