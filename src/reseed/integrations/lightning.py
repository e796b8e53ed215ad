"""Recording a training by Lightning's `Trainer`; needs the extra `lightning`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, final

from reseed._errors import InputError, MissingExtraError
from reseed.integrations._driven import DrivenRecorder
from reseed.integrations._factory import KeepWeights
from reseed.integrations._failures import OnError
from reseed.integrations._loaded import whole_split
from reseed.integrations._predictor import Ask, calling, on_device
from reseed.training import Level

try:
    from lightning.pytorch import Callback, LightningModule, Trainer
    from lightning.pytorch.utilities.model_helpers import is_overridden
except ImportError as error:  # pragma: no cover
    raise MissingExtraError(
        "reseed.integrations.lightning needs the package lightning; install it with: pip install 'reseed[lightning]'."
    ) from error


@final
class InstabilityCallback(Callback):
    """Records one training by a Lightning `Trainer` as one run of a study.

    It makes a pass of its own over ``data``, in order, in evaluation mode, without gradients and at the training's
    precision, and leaves no trace in the training: modes, buffers and random generators are restored. Before the first
    step it predicts a few samples, and raises what makes recording impossible; from then on it never ends the training,
    see ``on_error``. A training that was cut off and goes on with ``ckpt_path`` goes on recording; one that begins anew
    records anew. The main process records; models whose weights are sharded over processes are refused.

    Args:
        out: The study's folder; the first run makes it.
        run: This run's number, from 0 to ``runs - 1``.
        runs: How many runs there will be. Of a single one instability is estimated.
        data: The evaluation data: ``(inputs, targets)``, a `Dataset`, or a `DataLoader` or data set of torch, of which
            all rows are read in the order of the data set. Several inputs are a mapping or a tuple of arrays, [sample,
            ...] each. Default: the validation loader of the trainer's datamodule or module.
        predict: From the module and a batch of inputs, on its device and at its precision, to logits [sample, class];
            default: the module's ``forward``, called with the batch, or else with an argument for each of several
            inputs.
        every: ``epoch``, ``final``, or a number of steps. The last step is always recorded.
        level: What is kept: ``labels``, ``scores`` or ``full``.
        name: What the report calls the data.
        sample_ids: Stable ids, [sample]; default: the row number.
        class_names: Names of the classes; default: the sorted distinct targets.
        texts: What the report shows of each sample, [sample].
        unknown_target: The target of samples whose gold label is not known; see `reseed.run`.
        model_name: What the report calls the model.
        batch_size: Samples predicted at once.
        seed: The seed of this training, for the manifest.
        on_error: What an error in recording does after the first step: ``report``, by a `RecordingWarning` and in the
            log, while the training goes on and the run is not recorded; or ``raise``.
        weights: Whether the model's weights are kept, see `reseed.Recorder`.
        factory: ``MODULE:FUNCTION``, which makes a fresh module with the tensors of the LightningModule, see
            `reseed.Recorder`; it may make that itself, if its ``forward`` answers logits.
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
        predict: Callable[[Any, Any], Any] | None = None,
        every: str | int = "epoch",
        level: Level = "scores",
        name: str | None = None,
        sample_ids: Sequence[Any] | None = None,
        class_names: Sequence[Any] | None = None,
        texts: Sequence[str] | None = None,
        unknown_target: Any = "auto",
        model_name: str = "lightning",
        batch_size: int = 1024,
        seed: int | None = None,
        on_error: OnError = "report",
        weights: KeepWeights = False,
        factory: str | None = None,
        writes_report: bool = True,
    ) -> None:
        super().__init__()
        self._predict = calling() if predict is None else predict
        self._run = DrivenRecorder(
            out,
            run=run,
            runs=runs,
            data=whole_split(data),
            sample_ids=sample_ids,
            class_names=class_names,
            texts=texts,
            unknown_target=unknown_target,
            every=every,
            level=level,
            seed=seed,
            dataset=name,
            model=model_name,
            batch_size=batch_size,
            on_error=on_error,
            weights=weights,
            factory=factory,
            writes_report=writes_report,
        )
        self._is_given = data is not None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Try the module out, and begin the run, or go on with it."""
        later = {} if self._is_given else {"data": whole_split(_validation(trainer, pl_module))}
        is_main = trainer.is_global_zero
        self._run.begin(trainer.global_step, pl_module, lambda: self._asking(trainer), is_main=is_main, **later)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Record where a number of steps is complete."""
        if self._run.is_due(trainer.global_step):
            self._run.record(trainer.global_step, pl_module)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record after each epoch."""
        if self._run.each_epoch:
            self._run.record(trainer.global_step, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record the last step, and make the run exist."""
        self._run.record(trainer.global_step, pl_module)
        self._run.finish()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Drop the run, unless the training can go on from a checkpoint of its own."""
        self._run.discard()

    def _asking(self, trainer: Trainer) -> Ask:
        precision, predict = trainer.precision_plugin, self._predict

        def ask(module: LightningModule, batch: Any) -> Any:
            with precision.val_step_context():
                return predict(module, precision.convert_input(on_device(batch, module.device)))

        return ask


def _validation(trainer: Trainer, module: LightningModule) -> Any:
    """Return the loader of the validation split.

    Raises:
        InputError: There is none, or there are several.
    """
    loaders = trainer.val_dataloaders
    datamodule = getattr(trainer, "datamodule", None)
    for source in (module if datamodule is None else datamodule, module):
        if loaders is None and is_overridden("val_dataloader", source):
            loaders = source.val_dataloader()
    if isinstance(loaders, list | tuple) and len(loaders) == 1:
        loaders = loaders[0]
    if loaders is None or isinstance(loaders, list | tuple | dict):
        found = "no validation loader" if not loaders else f"{len(loaders)} of them"
        raise InputError(f"data is not given, and the trainer has {found}; pass data=, a loader or (inputs, targets).")
    return loaders
