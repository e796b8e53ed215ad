"""Studies from predictions that somebody already holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed._errors import InputError
from reseed._simplex import check_simplex
from reseed.studies._header import Header
from reseed.studies._samples import as_array, check_encodable, class_names_of, label_indices, samples_from
from reseed.studies._single import write_single_run
from reseed.studies._study import Study
from reseed.studies._tasks import only_writer
from reseed.studies._train import check_runs
from reseed.training import Level, RecordConfig


def from_predictions(
    predictions: Any,
    out: str | Path,
    *,
    targets: Sequence[Any] | NDArray[Any] | None = None,
    sample_ids: Sequence[Any] | None = None,
    class_names: Sequence[Any] | None = None,
    texts: Sequence[str] | None = None,
    dataset: str = "predictions",
    model: str = "imported",
    level: Level = "scores",
    notes: Sequence[str] = (),
) -> Study:
    """Make a study of the predictions of several trainings.

    Args:
        predictions: Labels [run, sample], as class names or indices; or probabilities [run, sample, class]. An
            array, or a sequence of one array a run.
        out: The new study's folder, or a URL that begins with ``s3://``, ``gs://`` or ``az://``.
        targets: Gold labels [sample], as class names or indices; default: unknown.
        sample_ids: Stable ids, [sample]; default: the row number.
        class_names: Names of the classes, in the order of the columns; default: the sorted distinct labels, or
            0, 1, ... for probabilities.
        texts: What the report shows of each sample, [sample].
        dataset: What the report calls the data.
        model: What the report calls the model.
        level: What is kept of probabilities: ``labels``, ``scores`` or ``full``.
        notes: What a reader of the results should know.

    Returns:
        The study.

    Raises:
        InputError: Runs differ in length, there are fewer than two, a label is no class, or rows are no
            probabilities.
        StudyError: The folder is not empty.
        StorageError: The folder cannot be written.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     study = from_predictions([["yes", "no"], ["yes", "yes"]], folder + "/mine", targets=["yes", "no"])
        ...     study.final("labels").tolist(), study.header.class_names
        ([[1, 0], [1, 1]], ('no', 'yes'))
    """
    check_encodable("dataset, model or notes", (dataset, model, *notes))
    record = RecordConfig(every="final", level=level)
    stacked = _stacked(predictions)
    is_labels = stacked.ndim == 2
    if is_labels:
        names = class_names_of(stacked, *([] if targets is None else [targets])) if class_names is None else class_names
    else:
        check_simplex(stacked, "predictions")
        names = range(stacked.shape[2]) if class_names is None else class_names
        if len(names) != stacked.shape[2]:
            raise InputError(f"class_names has {len(names)} names for {stacked.shape[2]} columns of predictions.")
    samples = samples_from(stacked.shape[1], targets=targets, sample_ids=sample_ids, class_names=names, texts=texts)
    if is_labels:
        stacked = label_indices(stacked, samples.class_names, "predictions")
    header = Header(
        kind="import",
        dataset=dataset,
        model=model,
        runs=len(stacked),
        class_names=samples.class_names,
        data=samples.digest,
        record=replace(record, level="labels") if is_labels else record,
        notes=tuple(notes),
    )
    with only_writer(out) as root:
        study = Study.create(out, header, samples)
        if study.manifests:
            raise InputError(f"{str(out)!r} already holds a study; choose another folder, or delete it first.")
        for run, found in enumerate(stacked):
            manifest = write_single_run(root, run, found, samples, level)
            if study.remote is not None:
                study.remote.push_run(root, manifest)
    return study.reread()


def _stacked(predictions: Any) -> NDArray[Any]:
    """Return predictions as one array, refusing runs of unequal shape."""
    is_sequence = isinstance(predictions, list | tuple)
    parts = [as_array(part, "predictions") for part in predictions] if is_sequence else None
    if parts:
        if any(part.dtype.kind == "O" for part in parts):
            parts = [part.astype(object) for part in parts]
        shapes = [part.shape for part in parts]
        for run, shape in enumerate(shapes):
            if shape != shapes[0]:
                raise InputError(
                    f"predictions are ragged: run 0 has shape {shapes[0]}, run {run} has {shape}; "
                    "every run must predict the same samples."
                )
    stacked = np.stack(parts) if parts else as_array(predictions, "predictions")
    if stacked.ndim not in (2, 3):
        raise InputError(f"predictions must have shape [run, sample] or [run, sample, class], got {stacked.shape}.")
    check_runs(len(stacked))
    if stacked.shape[1] == 0:
        raise InputError("predictions hold no samples.")
    if stacked.ndim == 3 and stacked.dtype.kind != "f":
        raise InputError(f"predictions of shape [run, sample, class] must be probabilities, got {stacked.dtype}.")
    return stacked
