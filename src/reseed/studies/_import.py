"""Studies from predictions that somebody already holds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from reseed._errors import InputError
from reseed._simplex import check_simplex
from reseed.engines import RunReport
from reseed.studies._header import Header
from reseed.studies._labels import LabelReading, as_array, class_names_of, label_array
from reseed.studies._progress import RunProgress
from reseed.studies._samples import Samples, check_encodable, check_lengths, reading_of, samples_from
from reseed.studies._single import Predicted, write_single_run
from reseed.studies._store import remove_leftovers
from reseed.studies._study import Study
from reseed.studies._targets import AUTO, Targets
from reseed.studies._tasks import only_writer
from reseed.studies._train import check_runs
from reseed.training import Level, RecordConfig


def from_predictions(
    predictions: Any,
    out: str | Path,
    *,
    probabilities: Any = None,
    targets: Sequence[Any] | NDArray[Any] | None = None,
    sample_ids: Sequence[Any] | None = None,
    class_names: Sequence[Any] | None = None,
    texts: Sequence[str] | None = None,
    unknown_target: Any = AUTO,
    dataset: str = "predictions",
    model: str = "imported",
    level: Level = "scores",
    notes: Sequence[str] = (),
) -> Study:
    """Make a study of the predictions of several trainings.

    Finished runs are kept: called again with the same predictions and the same folder, it continues.

    Args:
        predictions: Labels [run, sample], as class names or positions; or probabilities [run, sample, class]. An
            array, or a sequence of one array a run. Whole numbers are read as names or as positions throughout, see
            `LabelReading`.
        out: The new study's folder, or a URL that begins with ``s3://``, ``gs://`` or ``az://``.
        probabilities: Probabilities [run, sample, class] that stand beside labels; where they say otherwise, as of
            models with a threshold of their own, the labels are the answers.
        targets: Gold labels [sample], as class names or positions; default: unknown.
        sample_ids: Stable ids, [sample]; default: the row number.
        class_names: Names of the classes, in the order of the columns; default: the sorted distinct labels, or
            0, 1, ... for probabilities.
        texts: What the report shows of each sample, [sample].
        unknown_target: The target of samples whose gold label is not known. Default: -1 and -100 beside targets of
            zero and above that no run answers, see `Targets`; None: every target is a class.
        dataset: What the report calls the data.
        model: What the report calls the model.
        level: What is kept of probabilities: ``labels``, ``scores`` or ``full``.
        notes: What a reader of the results should know.

    Returns:
        The study.

    Raises:
        InputError: Runs differ in length, there are fewer than two, a label is no class, or rows are no
            probabilities.
        StudyError: The folder holds another study, or something else.
        StorageError: The folder cannot be written.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     study = from_predictions([["yes", "no"], ["yes", "yes"]], folder + "/mine", targets=["yes", "no"])
        ...     study.final("labels").tolist(), study.header.class_names
        ([[1, 0], [1, 1]], ('no', 'yes'))
    """
    check_encodable("dataset, model or notes", (dataset, model, *notes))
    given = _stacked(predictions, "predictions")
    check_runs(len(given))
    read = understood(
        given,
        probabilities=probabilities,
        targets=targets,
        sample_ids=sample_ids,
        class_names=class_names,
        texts=texts,
        unknown_target=unknown_target,
    )
    runs, samples = read.runs, read.samples
    record = RecordConfig(every="final", level=level)
    header = Header(
        kind="import",
        dataset=dataset,
        model=model,
        runs=len(runs),
        class_names=samples.class_names,
        data=samples.digest,
        predictions=_digest(runs),
        record=replace(record, level="labels") if runs[0].probabilities is None else record,
        notes=(*notes, *read.notes),
    )
    with only_writer(out) as root:
        study = Study.create(out, header, samples)
        accuracies = [manifest.accuracy for manifest in study.manifests if manifest.accuracy is not None]
        with RunProgress(len(runs), len(runs) - len(study.missing), accuracies) as progress:
            for run in study.missing:
                remove_leftovers(root, run, None)
                manifest = write_single_run(root, run, runs[run], samples, level)
                if study.remote is not None:
                    study.remote.push_run(root, manifest)
                accuracy = float("nan") if manifest.accuracy is None else manifest.accuracy
                progress.report(RunReport(run, "complete", accuracy))
    return study.reread()


@final
@dataclass(frozen=True, eq=False)
class Understood:
    """Predictions that somebody holds, understood.

    Attributes:
        runs: What each run answers.
        samples: Who is predicted.
        notes: How labels and gold labels were read, where somebody could have meant it otherwise.
    """

    runs: list[Predicted]
    samples: Samples
    notes: tuple[str, ...]


def understood(
    predictions: Any,
    *,
    probabilities: Any = None,
    targets: Sequence[Any] | NDArray[Any] | None = None,
    sample_ids: Sequence[Any] | None = None,
    class_names: Sequence[Any] | None = None,
    texts: Sequence[str] | None = None,
    unknown_target: Any = AUTO,
    may_be_one_class: bool = False,
) -> Understood:
    """Return what predictions of one run or more say, by the arguments of `from_predictions`.

    With ``may_be_one_class`` all labels may be equal.

    Raises:
        InputError: Runs differ in length, a label is no class, or rows are no probabilities.
    """
    given = _stacked(predictions, "predictions")
    beside = _beside(given, probabilities)
    answers = given if given.ndim == 2 else None
    check_lengths(given.shape[1], targets=targets)
    if beside is not None and class_names is not None and len(class_names) != beside.shape[2]:
        raise InputError(f"class_names has {len(class_names)} names for {beside.shape[2]} columns of predictions.")
    if beside is not None and answers is None and class_names is None:
        class_names = range(beside.shape[2])
    gold = None
    if targets is not None:
        are_answers = answers is not None
        gold = Targets.of(targets, unknown_target, class_names=class_names, labels=answers, are_answers=are_answers)
    known = {"predictions": answers, "targets": None if gold is None else gold.known}
    labels = _only_class(known) if class_names is None and may_be_one_class else None
    labels = labels or reading_of(class_names, **known)
    if beside is not None and len(labels.class_names) != beside.shape[2]:
        raise InputError(
            f"probabilities have {beside.shape[2]} columns, but there are {len(labels.class_names)} distinct labels; "
            "pass class_names, the name of each column."
        )
    samples = samples_from(given.shape[1], labels, targets=gold, sample_ids=sample_ids, texts=texts)
    if answers is None:
        runs = [Predicted.of(part) for part in given]
    else:
        read = labels.indices(answers, "predictions")
        runs = [Predicted(part, None if beside is None else beside[run]) for run, part in enumerate(read)]
    return Understood(runs, samples, (*labels.note(), *(() if gold is None else gold.notes)))


def _only_class(known: dict[str, Any]) -> LabelReading | None:
    """Return how labels are read where all that are known are equal; None where they are not."""
    names = class_names_of(*(part for part in known.values() if part is not None))
    return LabelReading(names, "names") if len(names) == 1 else None


def _beside(given: NDArray[Any], probabilities: Any) -> NDArray[Any] | None:
    """Return the probabilities [run, sample, class] of what is given as predictions, if there are any.

    Raises:
        InputError: They do not belong to the predictions, or are none.
    """
    if given.ndim == 3:
        if probabilities is not None:
            raise InputError("predictions are probabilities already; pass labels [run, sample] beside probabilities.")
        return _checked(given, "predictions")
    if probabilities is None:
        return None
    beside = _stacked(probabilities, "probabilities")
    if beside.ndim != 3 or beside.shape[:2] != given.shape:
        raise InputError(
            f"probabilities must have shape [run, sample, class] with {given.shape} runs and samples, "
            f"got {beside.shape}."
        )
    return _checked(beside, "probabilities")


def _checked(found: NDArray[Any], argument: str) -> NDArray[Any]:
    if found.dtype.kind != "f":
        raise InputError(f"{argument} of shape [run, sample, class] must be probabilities, got {found.dtype}.")
    check_simplex(found, argument)
    return found


def _stacked(predictions: Any, argument: str) -> NDArray[Any]:
    """Return what all runs predict as one array, refusing runs of unequal shape."""
    is_sequence = isinstance(predictions, list | tuple)
    parts = [as_array(part, argument) for part in predictions] if is_sequence else []
    for run, part in enumerate(parts):
        if part.shape != parts[0].shape:
            raise InputError(
                f"{argument} are ragged: run 0 has shape {parts[0].shape}, run {run} has {part.shape}; "
                "every run must predict the same samples."
            )
    stacked = _joined(parts, argument) if parts else as_array(predictions, argument)
    if stacked.ndim not in (2, 3):
        raise InputError(f"{argument} must have shape [run, sample] or [run, sample, class], got {stacked.shape}.")
    if stacked.shape[1] == 0:
        raise InputError(f"{argument} hold no samples.")
    return stacked


def _joined(parts: Sequence[NDArray[Any]], argument: str) -> NDArray[Any]:
    """Return arrays of equal shape as one; labels of different types keep their values, as numpy's own do not."""
    if parts[0].ndim == 1 and len({part.dtype for part in parts}) > 1:
        parts = [label_array(part, argument).astype(object) for part in parts]
    return np.stack(parts)


def _digest(runs: Sequence[Predicted]) -> str:
    """Return what the predictions are, so that a study is not continued with others."""
    digest = hashlib.sha256()
    for run in runs:
        digest.update(run.labels.astype("<i8").tobytes())
        if run.probabilities is not None:
            digest.update(run.probabilities.astype("<f8").tobytes())
    return digest.hexdigest()[:16]
