"""Recording any training loop as one run of a study."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from reseed._errors import InputError
from reseed._simplex import TOLERANCE, check_simplex
from reseed.data import Dataset
from reseed.integrations._untouched import untouched
from reseed.studies import (
    Header,
    RunRecording,
    as_array,
    check_runs,
    evaluation_data,
    unfinished_runs,
)
from reseed.training import Level, RecordConfig, prediction_arrays, probability_arrays

Outputs = Literal["logits", "probabilities"]


@final
class Recorder:
    """Records one training, of any kind, as one run of an ordinary study.

    Open it around the loop, and call `record` where a checkpoint shall be. The run exists once the ``with`` block ends
    without an error; if it ends with one, nothing of the run is left. Checkpoints go to the folder as they come, and
    their number need not be known. Several processes may record different runs into one folder. Of a study at a
    URL a run is kept in the local cache until it is finished, and copied to the URL then, its manifest last; different
    machines may record different runs.

    Args:
        out: The study's folder, or a URL that begins with ``s3://``, ``gs://`` or ``az://``; the first run makes it.
        run: This run's number, from 0 to ``runs - 1``.
        runs: How many runs there will be. Of a single one instability is estimated.
        data: The evaluation data, the same in all runs: ``(inputs, targets)``, or a `Dataset`. Inputs may be None if
            predictions are handed to `record`; targets may be None, class names, or indices.
        sample_ids: Stable ids, [sample]; default: the row number. A `Dataset` brings its own, and the next two.
        class_names: Names of the classes in the order of the columns; default: the sorted distinct targets.
        texts: What the report shows of each sample, [sample].
        unknown_target: The target of samples whose gold label is not known; see `reseed.run`.
        every: What `record` is called for: ``epoch``, or a number of steps, for the study's readers to know; or
            ``final``: only the last checkpoint is kept, which also suits trainings that stop early, as runs of one
            study must otherwise have the same checkpoints.
        level: What is kept: ``labels``, ``scores`` or ``full``.
        outputs: What two-dimensional predictions are: ``logits`` or ``probabilities``.
        seed: The seed of this training, for the manifest.
        dataset: What the report calls the data.
        model: What the report calls the model.
        batch_size: Samples predicted at once.

    Raises:
        InputError: An argument is unusable.

    Examples:
        >>> import tempfile
        >>> from reseed.studies import Study
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for run in Recorder.missing(folder + "/mine", runs=2):
        ...         with Recorder(folder + "/mine", run=run, runs=2, data=(None, ["in", "out"])) as recorder:
        ...             for epoch in range(3):
        ...                 recorder.record([[0.5, epoch - run], [0.0, 2.0]])
        ...     Study.open(folder + "/mine").labels.values.tolist()
        [[[0, 1], [1, 1], [1, 1]], [[0, 1], [0, 1], [1, 1]]]
    """

    def __init__(
        self,
        out: str | Path,
        *,
        run: int,
        runs: int,
        data: Dataset | tuple[Any, Any],
        sample_ids: Sequence[Any] | None = None,
        class_names: Sequence[Any] | None = None,
        texts: Sequence[str] | None = None,
        unknown_target: Any = "auto",
        every: str | int = "epoch",
        level: Level = "scores",
        outputs: Outputs = "logits",
        seed: int | None = None,
        dataset: str | None = None,
        model: str = "recorded",
        batch_size: int = 1024,
    ) -> None:
        record = RecordConfig(every=every, level=level)
        check_runs(runs, record)
        if outputs not in ("logits", "probabilities"):
            raise InputError(f"outputs must be 'logits' or 'probabilities', got {outputs!r}.")
        if batch_size < 1:
            raise InputError(f"batch_size must be 1 or more, got {batch_size}.")
        found = evaluation_data(
            data,
            "data",
            sample_ids=sample_ids,
            class_names=class_names,
            texts=texts,
            unknown_target=unknown_target,
            needs_inputs=False,
        )
        self._inputs, self._samples, self._labels = found.inputs, found.samples, found.labels
        self._out, self._run, self._outputs, self._batch_size = out, run, outputs, batch_size
        self._seeds = {} if seed is None else {"fit": seed}
        self._header = Header(
            kind="fit",
            dataset=dataset or found.name,
            model=model,
            runs=runs,
            class_names=self._samples.class_names,
            data=self._samples.digest,
            record=record,
            notes=found.notes,
        )
        self._recording: RunRecording | None = None

    @staticmethod
    def missing(out: str | Path, runs: int) -> tuple[int, ...]:
        """Return the numbers of the runs that are not finished yet: all, where there is no study.

        Args:
            out: The study's folder or URL.
            runs: How many runs there will be.

        Raises:
            InputError: There are fewer runs than one.
            StudyError: The folder holds a corrupt study.
            StorageError: The URL cannot be reached.
        """
        check_runs(runs, RecordConfig())
        return unfinished_runs(out, runs)

    def begin(self, *, resumable: bool = False, resume_from: int | None = None) -> None:
        """Begin the run; entering a ``with`` block does it.

        Args:
            resumable: Whether what is recorded outlives an interruption, until the run is begun anew or finished.
            resume_from: The step from which an interrupted training goes on.

        Raises:
            InputError: The run's number is none of the study's.
            StudyError: The folder holds another study, or the run is finished, or there is nothing to resume from.
            StorageError: The folder cannot be written.
        """
        self._recording = RunRecording(
            self._out, self._run, self._header, self._samples, resumable=resumable, resume_from=resume_from
        )

    def record(self, predicted: Any, step: int | None = None) -> None:
        """Record one checkpoint.

        Args:
            predicted: Logits or probabilities [sample, class], or, with level ``labels``, also labels [sample] as class
                names or indices. Or a function from a batch of inputs to these: a `torch.nn.Module` is put into
                evaluation mode and left as it was, a function of one's own sees to that itself. No gradients are
                kept, and no random generator is left changed.
            step: The training step; default: one more than that of the checkpoint before.

        Raises:
            InputError: The predictions do not fit the data, or the step does not rise.
            StudyError: The study's finished runs have no checkpoint at this step.
            StorageError: The folder cannot be written.
        """
        recording = self._open_recording()
        step = (recording.steps[-1] if recording.steps else 0) + 1 if step is None else step
        found = self._predict(predicted) if callable(predicted) else as_array(_logits(predicted), "predictions")
        if recording.has_diverged:
            return
        if found.dtype.kind == "f" and found.ndim == 2 and not np.isfinite(found).all():
            recording.diverge(step)
            warnings.warn(
                f"predictions at step {step} are not finite: run {self._run} counts as diverged.", stacklevel=2
            )
            return
        recording.write(self._arrays(found), step)

    @property
    def steps(self) -> tuple[int, ...]:
        """Steps of the checkpoints recorded so far."""
        return self._open_recording().steps

    def finish(self) -> None:
        """Make the run exist; leaving a ``with`` block without an error does it.

        Raises:
            StudyError: Nothing was recorded, or not at the steps of the study's finished runs.
            StorageError: It cannot be written. A run that only could not be copied to the URL is copied by `missing`,
                or when it is begun again.
        """
        try:
            self._open_recording().finish(self._seeds)
        finally:
            self.discard()  # of a run that is finished it removes nothing

    def discard(self) -> None:
        """End recording; of an unfinished run remove what was recorded. An error in a ``with`` block does it."""
        if self._recording is not None:
            self._recording.discard()
            self._recording = None

    def __enter__(self) -> Recorder:
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
        else:
            self.discard()

    def _open_recording(self) -> RunRecording:
        if self._recording is None:
            raise InputError("the recorder is not open; use it as `with reseed.Recorder(...) as recorder:`.")
        return self._recording

    def _predict(self, predict: Callable[[Any], Any]) -> NDArray[Any]:
        if self._inputs is None:
            raise InputError("data has no inputs to predict; pass data=(inputs, targets), or predictions to record.")
        owner = getattr(predict, "__self__", predict)
        model = owner if isinstance(owner, nn.Module) else None
        parameter = None if model is None else next(model.parameters(), None)
        parts = []
        with untouched(*([] if model is None else [model])):
            for start in range(0, len(self._samples), self._batch_size):
                batch = self._inputs[start : start + self._batch_size]
                if parameter is not None and isinstance(batch, torch.Tensor):
                    batch = batch.to(parameter.device)
                parts.append(as_array(_logits(predict(batch)), "predictions"))
        return np.concatenate(parts)

    def _arrays(self, found: NDArray[Any]) -> dict[str, NDArray[Any]]:
        names, targets, level = self._samples.class_names, self._samples.targets, self._header.record.level
        if found.ndim not in (1, 2) or len(found) != len(targets):
            raise InputError(
                f"predictions must have shape [sample] or [sample, class] with {len(targets)} samples, "
                f"got {found.shape}."
            )
        if found.ndim == 1:
            labels = self._labels.indices(found, "predictions")
            if level != "labels":
                raise InputError(f"predictions are labels, which have no scores for level {level!r}; pass "
                                 "level='labels' to the recorder.")  # fmt: skip
            return {"labels": labels}
        if found.shape[1] != len(names):
            raise InputError(f"predictions have {found.shape[1]} columns for the {len(names)} classes {names}.")
        if found.dtype.kind != "f":
            raise InputError(f"predictions of shape [sample, class] must be floats, got {found.dtype}.")
        if self._outputs == "probabilities":
            check_simplex(found, "predictions")
            return probability_arrays(found, targets, level)
        if (found >= 0).all() and (np.abs(found.sum(1, dtype=np.float64) - 1) <= TOLERANCE).all():
            raise InputError("predictions are probabilities, each row sums to 1; pass outputs='probabilities'.")
        return prediction_arrays(torch.from_numpy(np.ascontiguousarray(found)), targets, level)


def _logits(predicted: Any) -> Any:
    """Return the logits of what models of transformers give, anything else as it is."""
    if isinstance(predicted, Mapping) and "logits" in predicted:
        return predicted["logits"]
    return getattr(predicted, "logits", predicted)
