"""Recording any training loop as one run of a study."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from torch.nn.parameter import is_lazy

from reseed._errors import InputError, ReseedError
from reseed.data import Dataset
from reseed.integrations._factory import Factory, KeepWeights, weights_word
from reseed.integrations._failures import OnError, RecordingWarning, check_on_error, described, report
from reseed.integrations._inputs import sliceable
from reseed.integrations._predictions import Outputs, are_finite, check_shape, recorded_arrays
from reseed.integrations._predictor import Predictor, answers_of, predictor_of
from reseed.integrations._untouched import untouched
from reseed.studies import (
    Header,
    RunRecording,
    as_array,
    check_runs,
    evaluation_data,
    kept_inputs,
    shape_of_sample,
    unfinished_runs,
)
from reseed.training import EvaluatedWeights, Level, RecordConfig

_TRIAL = 8


@final
class Recorder:
    """Records one training, of any kind, as one run of an ordinary study.

    Open it around the loop, and call `record` where a checkpoint shall be. The run exists once the ``with`` block ends
    without an error; if it ends with one, nothing of the run is left. What makes recording impossible from the start, a
    finished run or another study in the folder, is an error when the block is entered; how the model is asked, `check`
    tries out. From then on nothing that fails in recording ends the training: a `RecordingWarning` tells of it, calls
    of `record` do nothing, and nothing of the run is left.

    Checkpoints go to the folder as they come, and their number need not be known. Several processes may record
    different runs into one folder. Of a study at a URL a run is kept in the local cache until it is finished, and then
    copied to the URL, its manifest last; different machines may record different runs.

    Args:
        out: The study's folder, or a URL that begins with ``s3://``, ``gs://`` or ``az://``; the first run makes it.
        run: This run's number, from 0 to ``runs - 1``.
        runs: How many runs there will be. Of a single one instability is estimated.
        data: The evaluation data, the same in all runs: ``(inputs, targets)``, or a `Dataset`. Inputs may be None if
            predictions are handed to `record`, and several inputs a mapping or a tuple of arrays, in batches then
            likewise; targets may be None, class names, or indices.
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
        on_error: What an error in recording does once the run has begun: ``report`` it and leave the training alone, or
            ``raise`` it.
        weights: Whether the weights are kept of the module that is recorded, so that `Study.networks` builds it: True
            or ``final``: those of the last checkpoint; ``checkpoints``: of every one; False or ``none``.
        factory: ``MODULE:FUNCTION``, which makes a fresh module with the same tensors, called as
            ``function(input_shape, num_classes)``; ``input_shape`` is that of one sample, ``()`` where inputs are not
            one array of numbers. It is imported and called once before the run begins, and compared with the module by
            `check`. With it the study also keeps the inputs, if they are one array of numbers of at most 64 MiB.

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
        on_error: OnError = "report",
        weights: KeepWeights = False,
        factory: str | None = None,
    ) -> None:
        check_on_error(on_error)
        kept = weights_word(weights, factory)
        record = RecordConfig(every=every, level=level, weights=kept)
        check_runs(runs, record)
        if outputs not in ("logits", "probabilities"):
            raise InputError(f"outputs must be 'logits' or 'probabilities', got {outputs!r}.")
        if batch_size < 1:
            raise InputError(f"batch_size must be 1 or more, got {batch_size}.")
        self._data = evaluation_data(
            sliceable(data),
            "data",
            sample_ids=sample_ids,
            class_names=class_names,
            texts=texts,
            unknown_target=unknown_target,
            needs_inputs=False,
        )
        self._samples = self._data.samples
        self._shape = shape_of_sample(self._data.inputs)
        self._factory = None if factory is None else Factory(factory, self._shape, len(self._samples.class_names))
        self._kept_of = None if weights in (False, "none") else self._factory
        if self._kept_of is not None and self._data.inputs is None:
            raise InputError(
                f"weights={weights!r} keeps those of a module that is asked, and data has no inputs to ask it; pass "
                "data=(inputs, targets), or weights=False."
            )
        self._out, self._run, self._outputs, self._batch_size = out, run, outputs, batch_size
        self._on_error, self._has_failed = on_error, False
        self._seeds = {} if seed is None else {"fit": seed}
        self._header = Header(
            kind="fit",
            dataset=dataset or self._data.name,
            model=model,
            runs=runs,
            class_names=self._samples.class_names,
            data=self._samples.digest,
            record=record,
            notes=self._data.notes,
            factory=factory or "",
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

    def check(self, predicted: Any) -> None:
        """Predict the first few samples, keep nothing, and raise what `record` would, while no training is lost by it.

        A model whose parameters take shape when it is first called is left alone, as calling it would draw them.

        Args:
            predicted: What `record` will be called with.

        Raises:
            InputError: The model cannot be asked, or its predictions do not fit the data; or its weights shall be kept,
                and the factory makes another module.
        """
        predictor = predictor_of(predicted) if callable(predicted) else None
        if self._kept_of is not None:
            self._kept_of.check(None if predictor is None else predictor.model)
        if predictor is not None and predictor.model is not None and any(map(is_lazy, predictor.model.parameters())):
            return
        try:
            found = self._found(predictor or predicted, most=_TRIAL)
            if are_finite(found):
                self._arrays(found)
                return
        except ReseedError:
            raise
        except Exception as error:
            raise InputError(
                f"the model cannot be recorded: asked for {min(_TRIAL, len(self._samples))} samples before the "
                f"training it raised {described(error)}; a function of your own may say how it is asked."
            ) from error
        warnings.warn(
            f"predictions before the training are not finite; where they stay so, run {self._run} will count as "
            "diverged.",
            RecordingWarning,
            stacklevel=2,
        )

    def begin(self, *, resumable: bool = False, resume_from: int | None = None) -> None:
        """Begin the run; entering a ``with`` block does it.

        Args:
            resumable: Whether what is recorded outlives an interruption, until the run is begun anew or finished.
            resume_from: The step from which an interrupted training goes on.

        Raises:
            InputError: The run's number is none of the study's, or the factory makes no module.
            StudyError: The folder holds another study, or the run is finished, or there is nothing to resume from.
            StorageError: The folder cannot be written.
        """
        self._has_failed = False
        inputs = None if self._factory is None else kept_inputs(self._data.inputs, self._factory.dtype)
        self._recording = RunRecording(
            self._out,
            self._run,
            self._header,
            self._samples,
            resumable=resumable,
            resume_from=resume_from,
            input_shape=self._shape,
            inputs=inputs,
        )

    def record(self, predicted: Any, step: int | None = None) -> None:
        """Record one checkpoint.

        The first predictions that are NaN or infinite end the recording: the run counts as diverged from this step on.

        Args:
            predicted: Logits or probabilities [sample, class], or, with level ``labels``, also labels [sample] as class
                names or indices. Of a mapping the ``logits`` are taken, of a tuple what follows the loss. Or a function
                from a batch of inputs to these: a `torch.nn.Module` is put into evaluation mode and left as it was, a
                function of one's own sees to that itself. No gradients are kept, and no random generator is left
                changed.
            step: The training step; default: one more than that of the checkpoint before.

        Raises:
            InputError: With ``on_error="raise"``: the predictions do not fit the data, or the step does not rise, or
                weights shall be kept and what is recorded is no module of the factory's. In any case: the recorder is
                not open.
            StudyError: The study's finished runs have no checkpoint at this step (``on_error="raise"``).
            StorageError: The folder cannot be written (``on_error="raise"``).
        """
        if self._has_failed:
            return
        recording = self._open_recording()
        if recording.has_diverged:
            return
        step = (recording.steps[-1] if recording.steps else 0) + 1 if step is None else step
        try:
            predictor = predictor_of(predicted) if callable(predicted) else None
            found = self._found(predictor or predicted)
            if are_finite(found):
                recording.write(self._arrays(found), step, self._weights_of(predictor))
            else:
                recording.diverge(step)
        except Exception as error:
            if self._on_error == "raise":
                raise
            self._fail(f"run {self._run} is recorded no longer, and nothing of it kept, since step {step}", error, step)
        if recording.has_diverged:
            warnings.warn(
                f"predictions at step {step} are not finite: run {self._run} counts as diverged.",
                RecordingWarning,
                stacklevel=2,
            )

    @property
    def steps(self) -> tuple[int, ...]:
        """Steps of the checkpoints recorded so far; none, once recording has failed."""
        return () if self._has_failed else self._open_recording().steps

    def finish(self) -> None:
        """Make the run exist; leaving a ``with`` block without an error does it.

        Raises:
            StudyError: Nothing was recorded, or not at the steps of the study's finished runs (``on_error="raise"``).
            StorageError: It cannot be written (``on_error="raise"``). A run that only could not be copied to the URL is
                copied by `missing`, or when it is begun again.
        """
        if self._has_failed:
            return
        recording = self._open_recording()
        try:
            recording.finish(self._seeds)
        except Exception as error:
            if self._on_error == "raise":
                raise
            self._fail(f"run {self._run} is not finished", error)
        finally:
            self.discard()  # of a run that is finished it removes nothing

    def discard(self) -> None:
        """End recording; of an unfinished run remove what was recorded. An error in a ``with`` block does it."""
        if self._recording is not None:
            recording, self._recording = self._recording, None
            recording.discard()

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

    def _fail(self, what: str, error: Exception, step: int | None = None) -> None:
        self._has_failed = True
        recording, self._recording = self._recording, None
        if recording is not None:
            with suppress(Exception):  # what cannot be removed now is removed when the run is begun again
                recording.discard(stopped_at=step)
        report(what, error)

    def _found(self, predicted: Any, most: int | None = None) -> NDArray[Any]:
        """Return predictions of the right shape, of no more samples than ``most`` where a predictor makes them."""
        names, count = self._samples.class_names, len(self._samples)
        if not isinstance(predicted, Predictor):
            found = as_array(answers_of(predicted), "predictions")
            check_shape(found, count, names)
            return found
        if self._data.inputs is None:
            raise InputError("data has no inputs to predict; pass data=(inputs, targets), or predictions to record.")
        count = min(count, most or count)
        parts = []
        with untouched(*([] if predicted.model is None else [predicted.model])):
            for start in range(0, count, self._batch_size):
                stop = min(start + self._batch_size, count)
                part = as_array(predicted(self._data.inputs[start:stop]), "predictions")
                check_shape(part, stop - start, names)
                parts.append(part)
        return np.concatenate(parts)

    def _weights_of(self, predictor: Predictor | None) -> EvaluatedWeights | None:
        if self._kept_of is None:
            return None
        return self._kept_of.weights_of(None if predictor is None else predictor.model)

    def _arrays(self, found: NDArray[Any]) -> dict[str, NDArray[Any]]:
        return recorded_arrays(found, self._data, self._header.record.level, self._outputs)
