"""Recording a training by `transformers.Trainer`; needs the extra `trainer`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, final

from torch import nn

from reseed._errors import MissingExtraError
from reseed.integrations._collation import asking
from reseed.integrations._driven import DrivenRecorder
from reseed.integrations._factory import KeepWeights
from reseed.integrations._failures import OnError
from reseed.integrations._gold import gold_labels
from reseed.integrations._inputs import Rows
from reseed.integrations._known import evaluation_rows, names_of_classes, texts_of_rows
from reseed.training import Level

try:
    from transformers import TrainerCallback, default_data_collator
except ImportError as error:  # pragma: no cover
    raise MissingExtraError(
        "reseed.integrations.huggingface needs the package transformers; "
        "install it with: pip install 'reseed[trainer]'."
    ) from error


@final
class InstabilityCallback(TrainerCallback):
    """Records one training by a `transformers.Trainer` as one run of a study.

    It makes a pass of its own over ``data``, in order, in evaluation mode and without gradients, batch by batch, and
    leaves no trace in the training: modes, buffers and random generators are restored. Rows become batches as the
    trainer makes them: with its collation (one that keeps a generator of its own would go on elsewhere: pass
    ``collate``), the columns that it removes left out, and without the targets; a model that cannot do without is given
    class 0 in their place. Before the first step it predicts a few samples, and raises what makes recording impossible;
    from then on it never ends the training, see ``on_error``.

    A training that was cut off and goes on with ``resume_from_checkpoint`` goes on recording; one that begins anew
    records anew. Steps are optimisation steps, however many batches each accumulates. The main process records; models
    whose weights are sharded over processes are refused. With ``load_best_model_at_end`` and ``every="final"`` the best
    weights are recorded.

    Args:
        out: The study's folder; the first run makes it.
        run: This run's number, from 0 to ``runs - 1``.
        runs: How many runs there will be. Of a single one instability is estimated.
        data: The split to record, prepared as the trainer's is: rows that are mappings, with the targets under
            ``labels`` or ``label``, or any rows that the collation takes, if ``targets`` are given. Default: the
            evaluation set of ``trainer``.
        trainer: The trainer that the callback is added to, as in ``trainer.add_callback(InstabilityCallback(out, run=0,
            runs=5, trainer=trainer))``; only needed without ``data``.
        targets: The name of another column with the targets, or the targets themselves, [sample].
        every: ``epoch``, ``final``, or a number of steps. The last step is always recorded.
        level: What is kept: ``labels``, ``scores`` or ``full``.
        name: What the report calls the data.
        sample_ids: Stable ids, [sample]; default: the row number.
        class_names: Names of the classes; default: those of the data's ``ClassLabel``, else the model's
            ``id2label`` where that has names, else the distinct targets.
        texts: What the report shows of each sample, [sample]; default: the rows' ``text``, ``utterance`` or
            ``sentence``, else what the trainer's tokenizer makes of their ``input_ids``, if it has one. The study keeps
            them.
        unknown_target: The target of samples whose gold label is not known; see `reseed.run`.
        model_name: What the report calls the model.
        batch_size: Samples predicted at once.
        collate: Makes a batch of rows; default: the trainer's own.
        predict: From the model and a batch on its device, without the targets, to logits [sample, class]; default: the
            model's ``logits``.
        on_error: What an error in recording does after the first step: ``report``, by a `RecordingWarning` and in the
            log, while the training goes on and the run is not recorded; or ``raise``.
        weights: Whether the model's weights are kept, see `reseed.Recorder`.
        factory: ``MODULE:FUNCTION``, which makes a fresh module with the model's tensors, see `reseed.Recorder`. It is
            called with ``()`` in place of the shape of a sample.
        writes_report: Whether ``report.html`` and what goes with it are written once all runs are recorded.

    Raises:
        InputError: An argument is unusable.
    """

    def __init__(
        self,
        out: str | Path,
        *,
        run: int,
        runs: int,
        data: Any = None,
        trainer: Any = None,
        targets: str | Sequence[Any] | None = None,
        every: str | int = "epoch",
        level: Level = "scores",
        name: str = "evaluation",
        sample_ids: Sequence[Any] | None = None,
        class_names: Sequence[Any] | None = None,
        texts: Sequence[str] | None = None,
        unknown_target: Any = "auto",
        model_name: str = "transformers",
        batch_size: int = 64,
        collate: Callable[[list[Any]], Any] | None = None,
        predict: Callable[[Any, Any], Any] | None = None,
        on_error: OnError = "report",
        weights: KeepWeights = False,
        factory: str | None = None,
        writes_report: bool = True,
    ) -> None:
        if data is None:
            data = evaluation_rows(trainer)
        gold = gold_labels(data, targets)
        self._collate, self._predict, self._label = collate, predict, gold.column
        self._rows = data
        self._targets = None if (gold.class_names or class_names) is not None else gold.values
        self._has_texts = texts is not None
        self._run = DrivenRecorder(
            out,
            run=run,
            runs=runs,
            data=(Rows(data), gold.values),
            sample_ids=sample_ids,
            class_names=gold.class_names if class_names is None else class_names,
            texts=texts,
            unknown_target=unknown_target,
            every=every,
            level=level,
            dataset=name,
            model=model_name,
            batch_size=batch_size,
            on_error=on_error,
            weights=weights,
            factory=factory,
            writes_report=writes_report,
        )

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Try the model out, and begin the run, or go on with it."""
        model: nn.Module = kwargs["model"]
        trainers = getattr(kwargs.get("train_dataloader"), "collate_fn", None)
        collate = self._collate or trainers or default_data_collator
        self._run.begin(
            state.global_step,
            model,
            lambda: asking(model, args, collate, self._predict, self._label),
            is_main=state.is_world_process_zero,
            seed=args.seed,
            **self._told_by(model, kwargs.get("processing_class")),
        )

    def _told_by(self, model: nn.Module, processing: Any) -> dict[str, Any]:
        """Return what model and tokenizer know of classes and texts, where nobody else says."""
        told: dict[str, Any] = {}
        if self._targets is not None and (names := names_of_classes(model, self._targets)) is not None:
            told["class_names"] = names
        if not self._has_texts and (texts := texts_of_rows(self._rows, processing)) is not None:
            told["texts"] = texts
        return told

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Record where a number of steps is complete, and after the last one."""
        is_last = state.global_step >= state.max_steps and not self._run.only_final
        if is_last or self._run.is_due(state.global_step):
            self._run.record(state.global_step, kwargs["model"])

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Record after each epoch."""
        if self._run.each_epoch:
            self._run.record(state.global_step, kwargs["model"])

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Record the last step, and make the run exist."""
        self._run.record(state.global_step, kwargs["model"])
        self._run.finish()
